package generator

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// A class is how a media type is dealt with.
type class uint8

const (
	jsonClass class = iota + 1
	formClass
	multipartClass
	textClass
	streamClass // bytes as they are
	xmlClass    // bytes as they are, where nothing else is offered
)

// word is the class as part of a Go name.
func (c class) word() string {
	return [...]string{"", "JSON", "Form", "Multipart", "Text", "Bytes", "XML"}[c]
}

// classOf tells by a media type, and by whether there is anything but bytes.
func classOf(media string, s contract.Schema) class {
	base, _, _ := strings.Cut(strings.ToLower(media), ";")
	base = strings.TrimSpace(base)
	switch {
	case streamed(base):
		return streamClass
	case base == "application/x-www-form-urlencoded":
		return formClass
	case strings.HasPrefix(base, "multipart/"):
		return multipartClass
	case base == "application/xml", base == "text/xml", strings.HasSuffix(base, "+xml"):
		return xmlClass
	case base == "text/json", base == "application/json", strings.HasSuffix(base, "+json"):
		return jsonClass
	case strings.HasPrefix(base, "text/"):
		return textClass
	case base == "*/*", base == "application/*", base == "":
		if bytesOnly(s) {
			return streamClass
		}
		return jsonClass
	}
	return streamClass
}

// streamed says whether a media type is a sequence of texts, not one.
func streamed(base string) bool {
	return slices.Contains([]string{"text/event-stream", "application/x-ndjson", "application/jsonl", "application/json-seq",
		"application/stream+json", "application/geo+json-seq"}, base)
}

func bytesOnly(s contract.Schema) bool {
	if s == nil {
		return true
	}
	sc, ok := contract.Resolve(s).(*contract.Scalar)
	return ok && sc.Kind == contract.Binary
}

// preferred is the body that replies are generated for, of those that a contract offers.
func (p *pass) preferred(bodies []*contract.Body) *contract.Body {
	var best *contract.Body
	for _, b := range bodies {
		if best == nil || rank(b) < rank(best) {
			best = b
		}
	}
	for _, b := range bodies {
		if b != best {
			p.remark("media-not-generated", b.Span, "replies as %s are left out, since %s is offered, too", b.Media, best.Media)
		}
	}
	return best
}

func rank(b *contract.Body) int {
	c := classOf(b.Media, b.Schema)
	return slices.Index([]class{jsonClass, textClass, streamClass, xmlClass, formClass, multipartClass}, c)
}
