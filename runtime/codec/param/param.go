// Package param writes and reads what travels outside of JSON bodies by the same tables:
// parameters of paths, queries, headers and cookies in every style of OpenAPI 3.1
// (section 4.8.12), parameters of message addresses, message headers, and bodies of
// application/x-www-form-urlencoded. It goes over the text once, without url.Values.
//
// It imports runtime/codec and the standard library.
package param

import (
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// Place is where a parameter travels.
type Place uint8

// The places.
const (
	Path Place = iota
	Query
	Header
	Cookie
	Address // of a message: like Path, but nothing is percent-encoded
)

// Style is how a list or an object is written into one parameter.
type Style uint8

// The styles, with what a list {1,2} and an object {a:1,b:2} named n look like without
// and with explode.
const (
	Default        Style = iota // Simple in paths, headers and addresses; Form in queries and cookies
	Simple                      // 1,2 and a,1,b,2; 1,2 and a=1,b=2
	Label                       // .1,2 and .a,1,b,2; .1.2 and .a=1.b=2
	Matrix                      // ;n=1,2 and ;n=a,1,b,2; ;n=1;n=2 and ;a=1;b=2
	Form                        // n=1,2 and n=a,1,b,2; n=1&n=2 and a=1&b=2
	SpaceDelimited              // n=1%202 and n=a%201%20b%202; as Form
	PipeDelimited               // n=1|2 and n=a|1|b|2; as Form
	DeepObject                  // n[a]=1&n[b]=2, with explode or without; deeper objects n[a][b]=1, lists n[a]=1&n[a]=2
	JSON                        // the value as JSON text: a parameter that has content instead of a schema
)

// A Param ties a parameter to the field of a struct.
type Param struct {
	Name     string
	In       Place
	Style    Style
	Explode  bool
	Reserved bool // Query: RFC 3986's reserved characters are not percent-encoded
	T        *codec.Type
	R        *codec.Rule
	Off      uintptr
	Kind     codec.Kind
	Flag     codec.Flag
}

// A FormField overrides how one field of a form travels. The default is Form with
// explode.
type FormField struct {
	Name              string
	Media             string // content type of the part; "": by kind
	Style             Style
	Explode, Reserved bool
}

// AppendPath appends template with the Path parameters of ps in place of their {names},
// percent-encoded. Parameters are required; an empty one is an error, since no server
// would see it.
func AppendPath(b []byte, template string, ps []Param, base unsafe.Pointer) ([]byte, error) {
	return b, nil
}

// AppendAddress is AppendPath for the Address parameters of messages: nothing is encoded.
func AppendAddress(b []byte, template string, ps []Param, base unsafe.Pointer) ([]byte, error) {
	return b, nil
}

// AppendQuery appends the Query parameters of ps, without a question mark: "a=1&b=2".
// Nothing is appended where all of them are absent.
func AppendQuery(b []byte, ps []Param, base unsafe.Pointer) ([]byte, error) { return b, nil }

// AppendCookie appends the Cookie parameters of ps as the value of a Cookie header: "a=1; b=2".
func AppendCookie(b []byte, ps []Param, base unsafe.Pointer) ([]byte, error) { return b, nil }

// WriteHeader sets the Header parameters of ps in h, which is an http.Header.
func WriteHeader(h map[string][]string, ps []Param, base unsafe.Pointer) error { return nil }

// WriteMeta sets the Header parameters of ps in the headers of a message.
func WriteMeta(h map[string]string, ps []Param, base unsafe.Pointer) error { return nil }

// ParsePath reads the Path parameters of ps. names are the parameters of the template in
// its order (Names), values what stands in their places: already unescaped. What is wrong is
// added to e with pointers like "/path/id".
func ParsePath(ps []Param, names, values []string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
}

// ParseAddress reads the Address parameters of ps from an address that template matches.
func ParseAddress(ps []Param, template, address string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
}

// ParseQuery reads the Query parameters of ps from the query as it stands in the URL,
// without the question mark. Names that ps does not hold are ignored.
func ParseQuery(ps []Param, raw string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {}

// ParseHeader reads the Header parameters of ps from h, which is an http.Header.
func ParseHeader(ps []Param, h map[string][]string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
}

// ParseMeta reads the Header parameters of ps from the headers of a message; the case of
// their names does not matter.
func ParseMeta(ps []Param, h map[string]string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {}

// ParseCookie reads the Cookie parameters of ps from the values of the Cookie headers.
func ParseCookie(ps []Param, lines []string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {}

// Names returns the parameters of a template in its order: what stands in braces.
func Names(template string) []string { return nil }

// AppendForm appends the object at p as application/x-www-form-urlencoded.
func AppendForm(b []byte, t *codec.Type, fs []FormField, p unsafe.Pointer, m codec.Mode) ([]byte, error) {
	return b, nil
}

// ParseForm reads application/x-www-form-urlencoded into the object at p. Pointers of
// what is wrong are like those of a JSON body: "/name".
func ParseForm(t *codec.Type, fs []FormField, raw string, p unsafe.Pointer, m codec.Mode, e *codec.Error) {
}

// AppendText appends the field of the value at base as plain text: scalars as they are, anything else as
// JSON. It is what a part of multipart/form-data or a text/plain body holds. False: the field is absent.
func AppendText(b []byte, f *codec.Field, base unsafe.Pointer, m codec.Mode) ([]byte, bool, error) {
	return b, false, nil
}

// ParseText is the inverse of AppendText. What is wrong is added to e below pointer.
func ParseText(s string, f *codec.Field, base unsafe.Pointer, m codec.Mode, pointer string, e *codec.Error) {
}

// Check holds ps against the struct T and returns every mismatch. It uses reflection and
// is for tests.
func Check[T any](ps []Param) error { return nil }
