package stub

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// A form is how a body is written.
type form uint8

const (
	asJSON      form = iota
	asText           // scalars as text
	asBytes          // []byte as it is
	asStream         // io.Reader
	asForm           // application/x-www-form-urlencoded
	asMultipart      // multipart/form-data
	asFormat         // what the part's Format makes of JSON
	asValue          // what the part's Value makes of the field
	asEvents         // items as server-sent events
	asLines          // items as lines of JSON
	asRecords        // items as a JSON text sequence (RFC 7464)
)

// media is what a body in this form is called where the contract names only a range.
func (f form) media() string {
	return [...]string{"application/json", "text/plain", "application/octet-stream", "application/octet-stream",
		"application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "application/octet-stream",
		"text/event-stream", "application/jsonl", "application/json-seq"}[f]
}

func formOf(media string, k codec.Kind) form {
	essence, _, _ := strings.Cut(strings.ToLower(media), ";")
	essence = strings.TrimSpace(essence)
	switch {
	case k == codec.Reader:
		return asStream
	case isJSON(essence):
		return asJSON
	case k == codec.Bytes:
		return asBytes
	case essence == "application/x-www-form-urlencoded":
		return asForm
	case strings.HasPrefix(essence, "multipart/"):
		return asMultipart
	case k == codec.Raw:
		return asBytes
	case k >= codec.Object && k <= codec.Union || k == codec.Lazy:
		return asJSON // in a text that has no other form
	case essence == "*/*" || essence == "application/*":
		return asJSON
	}
	return asText
}

// isJSON knows application/json, text/json and the structured suffix of RFC 6839.
func isJSON(essence string) bool {
	return essence == "application/json" || essence == "text/json" || strings.HasSuffix(essence, "+json")
}

// isXML knows application/xml, text/xml and the structured suffix of RFC 7303.
func isXML(essence string) bool {
	return essence == "application/xml" || essence == "text/xml" || strings.HasSuffix(essence, "+xml")
}

// A mediaType is a Content-Type or one range of Accept, taken apart.
type mediaType struct {
	essence string // lower case, without parameters
	charset string // lower case
	q       int    // in thousandths
}

func parseMedia(s string) mediaType {
	essence, params, _ := strings.Cut(s, ";")
	m := mediaType{essence: strings.ToLower(strings.TrimSpace(essence)), q: 1000}
	for params != "" {
		var p string
		p, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(name) {
		case "charset":
			m.charset = strings.ToLower(strings.Trim(value, `"`))
		case "q":
			if q, err := strconv.ParseFloat(value, 64); err == nil && q >= 0 && q <= 1 {
				m.q = int(q * 1000)
			}
		}
	}
	return m
}

// covers says how well declared, which may be a range, describes the media type given:
// 0 not at all, more for the more specific. Parameters do not matter.
func covers(declared, given string) int {
	declared, _, _ = strings.Cut(declared, ";")
	declared = strings.TrimSpace(declared)
	switch {
	case strings.EqualFold(declared, given):
		return 3
	case declared == "*/*":
		return 1
	}
	kind, sub, _ := strings.Cut(declared, "/")
	if sub != "*" {
		return 0
	}
	if got, _, _ := strings.Cut(given, "/"); strings.EqualFold(got, kind) {
		return 2
	}
	return 0
}

// covers is covers for what a range of bytes may be called, too: who does not know what
// the bytes are says application/octet-stream.
func (f form) covers(declared, given string) int {
	if s := covers(declared, given); s > 0 {
		return s
	}
	if (f == asStream || f == asBytes) && strings.Contains(declared, "*") && given == "application/octet-stream" {
		return 1
	}
	return 0
}

// sniffed is what bytes that begin with start are called, where the contract names only a
// range: what they look like, if the range allows it.
func (p *part) sniffed(declared string, start []byte) []string {
	if !strings.Contains(declared, "*") || p.form != asStream && p.form != asBytes {
		return p.header
	}
	looks, _, _ := strings.Cut(http.DetectContentType(start), ";")
	if covers(declared, looks) > 0 {
		return []string{looks}
	}
	return p.header
}

// peek reads what the type of a stream is known by, and returns the stream as it was.
func peek(r io.ReadCloser) ([]byte, io.ReadCloser) {
	const enough = 512 // http.DetectContentType considers no more
	start := make([]byte, enough)
	n, err := r.Read(start)
	rest := io.Reader(r)
	if err != nil {
		rest = failing{err}
	}
	return start[:n], struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start[:n]), rest), r}
}

// failing is a reader with an error that was met already.
type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

// readable says whether text in charset can be read: everything here is UTF-8.
func readable(charset string) bool {
	switch charset {
	case "", "utf-8", "utf8", "us-ascii":
		return true
	}
	return false
}

// An accept is a client's Accept header. The empty one accepts everything.
type accept []mediaType

func parseAccept(lines []string) accept {
	var a accept
	for _, line := range lines {
		for s := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(s) != "" {
				a = append(a, parseMedia(s))
			}
		}
	}
	return a
}

// quality says how welcome a media type is, by the most specific range that covers it
// (RFC 9110, 12.5.1): 0 is not acceptable, 1000 the most.
func (a accept) quality(media string) int {
	if len(a) == 0 {
		return 1000
	}
	essence, _, _ := strings.Cut(media, ";")
	best, q := 0, 0
	for _, m := range a {
		if c := covers(m.essence, strings.TrimSpace(essence)); c > best {
			best, q = c, m.q
		}
	}
	return q
}
