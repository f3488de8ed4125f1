package codec

import (
	"net/netip"
	"net/url"
	"strings"
)

// HasFormat reports whether v has a format of JSON Schema 2020-12 (Validation, 7.3). The
// checks are light: they refuse what cannot be meant, and do not prove that a mail
// address or host exists.
//
//   - email, idn-email: something, one @, a host or [address], without spaces
//   - hostname, idn-hostname: labels of 1 to 63 letters, digits and hyphens; 253 in all
//   - ipv4, ipv6: as net/netip reads them, without a zone
//   - uri, iri: as net/url reads it, with a scheme; uri-reference, iri-reference: with or without
//   - uuid, date, date-time, time (with its offset), duration (ISO 8601 as in RFC 3339, appendix A)
//   - json-pointer
//
// Other names are satisfied by everything.
func HasFormat(name, v string) bool {
	switch name {
	case "email", "idn-email":
		return isEmail(v)
	case "hostname":
		return isHost(v, false)
	case "idn-hostname":
		return isHost(v, true)
	case "ipv4":
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is4()
	case "ipv6":
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is6() && a.Zone() == ""
	case "uri", "iri":
		u, ok := isURI(v)
		return ok && u.Scheme != ""
	case "uri-reference", "iri-reference":
		_, ok := isURI(v)
		return ok
	case "uuid":
		var u [16]byte
		return parseUUID(v, &u)
	case "date":
		_, ok := parseDate(v)
		return ok
	case "date-time":
		_, ok := parseTime(v)
		return ok
	case "time":
		_, ok := parseTime("2000-01-01T" + v)
		return ok
	case "duration":
		return isDuration(v)
	case "json-pointer":
		return isPointer(v)
	}
	return true
}

func isEmail(v string) bool {
	at := strings.LastIndexByte(v, '@')
	if at < 1 || at > 64+1 || at == len(v)-1 || strings.ContainsAny(v, " \t\r\n<>,;") {
		return false
	}
	host := v[at+1:]
	if strings.HasPrefix(host, "[") {
		return strings.HasSuffix(host, "]")
	}
	return isHost(host, true) && !strings.ContainsRune(v[:at], '@')
}

func isHost(v string, beyondASCII bool) bool {
	if len(v) == 0 || len(v) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(v, "."), ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && c-'0' > 9 && (c|0x20)-'a' > 25 && !(beyondASCII && c >= 0x80) {
				return false
			}
		}
	}
	return true
}

func isURI(v string) (*url.URL, bool) {
	if strings.ContainsAny(v, " <>\"{}|\\^`") {
		return nil, false
	}
	u, err := url.Parse(v)
	return u, err == nil
}

// isDuration reads P1Y2M3DT4H5M6S, any parts of it in that order, and P4W.
func isDuration(v string) bool {
	rest, ok := strings.CutPrefix(v, "P")
	if !ok || rest == "" {
		return false
	}
	if weeks, ok := strings.CutSuffix(rest, "W"); ok {
		return weeks != "" && digits(weeks, 0) == len(weeks)
	}
	date, time, timed := strings.Cut(rest, "T")
	return isParts(date, "YMD") && isParts(time, "HMS") && (!timed || time != "")
}

// isParts reads numbers, each followed by one of units, in the order of units.
func isParts(v, units string) bool {
	for v != "" {
		n := digits(v, 0)
		if n == 0 || n == len(v) {
			return false
		}
		u := strings.IndexByte(units, v[n])
		if u < 0 {
			return false
		}
		units, v = units[u+1:], v[n+1:]
	}
	return true
}

func isPointer(v string) bool {
	if v != "" && v[0] != '/' {
		return false
	}
	for i := range len(v) {
		if v[i] == '~' && (i+1 == len(v) || v[i+1] != '0' && v[i+1] != '1') {
			return false
		}
	}
	return true
}
