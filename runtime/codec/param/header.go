package param

import (
	"net/textproto"
	"strings"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// WriteHeader sets the Header parameters of ps in h, which is an http.Header.
func WriteHeader(h map[string][]string, ps []Param, base unsafe.Pointer) error {
	return writeHeader(ps, base, func(name, value string) {
		h[textproto.CanonicalMIMEHeaderKey(name)] = []string{value}
	})
}

// WriteMeta sets the Header parameters of ps in the headers of a message.
func WriteMeta(h map[string]string, ps []Param, base unsafe.Pointer) error {
	return writeHeader(ps, base, func(name, value string) { h[name] = value })
}

func writeHeader(ps []Param, base unsafe.Pointer, set func(name, value string)) error {
	var buf [64]byte
	for i := range ps {
		p := &ps[i]
		if p.In != Header {
			continue
		}
		b, ok, err := p.append(buf[:0], base, ",", plain)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if !isFieldValue(b) {
			return p.fault(codec.CodeFormat, "must not hold line breaks or other control characters")
		}
		set(p.Name, string(b))
	}
	return nil
}

// isFieldValue says whether b may be a header's value (RFC 9110, 5.5): no control
// characters but tab.
func isFieldValue(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// ParseHeader reads the Header parameters of ps from h, which is an http.Header.
func ParseHeader(ps []Param, h map[string][]string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
	parseHeader(ps, base, m, e, func(name string) (string, bool) {
		vs := h[textproto.CanonicalMIMEHeaderKey(name)]
		switch len(vs) {
		case 0:
			return "", false
		case 1:
			return vs[0], true
		}
		return strings.Join(vs, ","), true // RFC 9110, 5.3
	})
}

// ParseMeta reads the Header parameters of ps from the headers of a message; the case of
// their names does not matter.
func ParseMeta(ps []Param, h map[string]string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
	parseHeader(ps, base, m, e, func(name string) (string, bool) {
		if v, ok := h[name]; ok {
			return v, true
		}
		for k, v := range h {
			if strings.EqualFold(k, name) {
				return v, true
			}
		}
		return "", false
	})
}

func parseHeader(ps []Param, base unsafe.Pointer, m codec.Mode, e *codec.Error, get func(name string) (string, bool)) {
	r := reading{ps: ps, in: Header, base: base, m: m, e: e}
	for i := range ps {
		if p := &ps[i]; p.In == Header {
			if v, ok := get(p.Name); ok {
				r.see(i)
				r.one(p, strings.Trim(v, " \t"), plain)
			}
		}
	}
	r.finish()
}
