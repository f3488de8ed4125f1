package protobuf

import "strings"

// A rule gives a stable code to the findings whose message has these words, in order.
type rule struct {
	code  string
	words []string
}

// rules tell the compiler's messages apart: it tags only three of them. The first rule
// that fits wins; a test holds this table against the compiler's real messages.
var rules = []rule{
	{"missing-file", []string{"imported file does not exist"}},
	{"unreadable-file", []string{"could not open imported file"}},
	{"import-cycle", []string{"cycl"}},
	{"duplicate-import", []string{"file imported multiple times"}},
	{"invalid-import", []string{"import path"}},
	{"not-text", []string{"input appears to be"}},
	{"unknown-edition", []string{"unrecognized", "value"}},
	{"unknown-edition", []string{"editions must use"}},
	{"unknown-edition", []string{"use the `syntax` keyword"}},
	{"unsupported-edition", []string{"sorry, Edition"}},
	{"misplaced-statement", []string{"should be placed at the top"}},
	{"missing-syntax", []string{"missing `syntax`"}},
	{"missing-package", []string{"missing `package` declaration"}},
	{"not-in-this-edition", []string{"is not supported in"}},
	{"not-in-this-edition", []string{"group syntax is not supported"}},
	{"not-in-this-edition", []string{"custom default in \""}},
	{"not-in-this-edition", []string{"extension range in \""}},
	{"wrong-name", []string{"non-ASCII identifiers"}},
	{"duplicate-name", []string{"declared multiple times"}},
	{"duplicate-json-name", []string{"JSON name"}},
	{"duplicate-name", []string{"have the same name"}},
	{"duplicate-number", []string{"used more than once"}},
	{"duplicate-number", []string{"overlapping"}},
	{"reserved-number", []string{"use of reserved", "number"}},
	{"reserved-name", []string{"use of reserved"}},
	{"duplicate-reservation", []string{"reserved more than once"}},
	{"number-out-of-range", []string{"out of range"}},
	{"missing-number", []string{"missing", "number"}},
	{"missing-number", []string{"missing", "tag"}},
	{"missing-zero-value", []string{"first value of open enum must be zero"}},
	{"empty-enum", []string{"must define at least one value"}},
	{"empty-oneof", []string{"oneof must define at least one member"}},
	{"empty-statement", []string{"has no effect"}},
	{"wrong-type", []string{"mismatched types"}},
	{"wrong-type", []string{"expected", "found"}},
	{"wrong-type", []string{"expected", "got"}},
	{"wrong-type", []string{"cannot be used"}},
	{"wrong-map", []string{"map"}},
	{"unknown-symbol", []string{"cannot find"}},
	{"unknown-symbol", []string{"cannot resolve"}},
	{"not-imported", []string{"is only imported for use in options"}},
	{"not-exported", []string{"unexported"}},
	{"naming-style", []string{"should be", "ase"}},
	{"unterminated-string", []string{"unterminated string"}},
	{"unmatched-bracket", []string{"unmatched"}},
	{"required-field", []string{"required fields are deprecated"}},
	{"deprecated-use", []string{"deprecated"}},
	{"wrong-option", []string{"set multiple times"}},
	{"wrong-option", []string{"cannot set"}},
	{"wrong-option", []string{"cannot be set"}},
	{"wrong-option", []string{"cannot specify"}},
	{"wrong-extension", []string{"extension"}},
	{"wrong-modifier", []string{"modifier"}},
	{"wrong-literal", []string{"literal"}},
	{"wrong-literal", []string{"escape sequence"}},
	{"syntax", []string{"unexpected"}},
	{"syntax", []string{"missing"}},
	{"syntax", []string{"unrecognized"}},
	{"syntax", []string{"encountered more than one"}},
}

// tags are the codes of what the compiler does tag.
var tags = map[string]string{
	"protobuf:unused_import":  "unused-import",
	"protobuf:unknown_symbol": "unknown-symbol",
	"protobuf:deprecated":     "deprecated-use",
}

// codeOf returns the stable code of a finding, invalid-protobuf where nothing more
// precise is known.
func codeOf(tag, message string) string {
	if code, ok := tags[tag]; ok {
		return code
	}
	for _, r := range rules {
		if r.fits(message) {
			return r.code
		}
	}
	return "invalid-protobuf"
}

func (r rule) fits(message string) bool {
	for _, w := range r.words {
		_, rest, ok := strings.Cut(message, w)
		if !ok {
			return false
		}
		message = rest
	}
	return true
}
