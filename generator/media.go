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
	xmlClass    // a typed value, by the codec of XML
	itemsClass  // typed items one after the other
)

// word is the class as part of a Go name.
func (c class) word() string {
	return [...]string{"", "JSON", "Form", "Multipart", "Text", "Bytes", "XML", "Items"}[c]
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
		return xmlForm(s)
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
	return slices.Contains([]string{"text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl",
		"application/jsonlines", "application/json-seq", "application/stream+json", "application/geo+json-seq"}, base)
}

// xmlForm is the class of XML: typed where the contract says what is in it, and text or
// bytes where it says only that.
func xmlForm(s contract.Schema) class {
	if s == nil {
		return streamClass
	}
	switch s := contract.Resolve(s).(type) {
	case *contract.Scalar:
		switch s.Kind {
		case contract.Binary:
			return streamClass
		case contract.String:
			return textClass
		}
	case *contract.Any:
		return streamClass
	}
	return xmlClass
}

func bytesOnly(s contract.Schema) bool {
	if s == nil {
		return true
	}
	sc, ok := contract.Resolve(s).(*contract.Scalar)
	return ok && sc.Kind == contract.Binary
}

// rank is the order in which a message's bodies are preferred.
func rank(c class) int {
	return slices.Index([]class{jsonClass, xmlClass, itemsClass, textClass, streamClass, formClass, multipartClass}, c)
}

// isRange says whether a media type stands for several.
func isRange(media string) bool { return strings.Contains(media, "*") }

func isPlainText(media string) bool {
	base, _, _ := strings.Cut(media, ";")
	return strings.EqualFold(strings.TrimSpace(base), "text/plain")
}
