// Package param writes and reads what travels outside of JSON bodies by the same tables:
// parameters of paths, queries, headers and cookies in every style of OpenAPI 3.1
// (section 4.8.12), parameters of message addresses, message headers, and bodies of
// application/x-www-form-urlencoded. It goes over the text once, without url.Values.
//
// It imports runtime/codec and the standard library.
package param

import (
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

	// Default is what servers read where the parameter is absent, as JSON; "" for none.
	Default string
}

// A FormField overrides how one field of a form travels. The default is Form with
// explode.
type FormField struct {
	Name              string
	Media             string // content type of the part; "": by kind
	Style             Style
	Explode, Reserved bool
}

// text is how the parts of a parameter are told apart and escaped at one place.
type text uint8

const (
	plain    text = iota // headers, addresses: as they are
	escaped              // paths, queries, cookies: only unreserved characters as they are
	reserved             // queries with Reserved
	formText             // urlencoded bodies: as escaped, but + for a space
)

func (p *Param) text() text {
	switch {
	case p.In == Header || p.In == Address:
		return plain
	case p.In == Query && p.Reserved:
		return reserved
	}
	return escaped
}

func (p *Param) style() Style {
	if p.Style != Default {
		return p.Style
	}
	if p.In == Query || p.In == Cookie {
		return Form
	}
	return Simple
}

func (p *Param) field() codec.Field {
	return codec.Field{T: p.T, R: p.R, Off: p.Off, Kind: p.Kind, Flag: p.Flag}
}

var places = [...]string{"path", "query", "header", "cookie", "address"}

// pointer is where a violation of the parameter is said to be.
func (p *Param) pointer() string { return "/" + places[p.In] + "/" + codec.Escape(p.Name) }

// locate puts the pointers of violations that were added since there were n below base.
func locate(e *codec.Error, n int, base string) {
	for i := n; i < len(e.Violations); i++ {
		e.Violations[i].Pointer = base + e.Violations[i].Pointer
	}
}

// fault returns an error about one parameter.
func (p *Param) fault(c codec.Code, msg string) error {
	return &codec.Error{Violations: []codec.Violation{{Pointer: p.pointer(), Code: c, Message: msg}}}
}

// find returns the parameter of a place by its name.
func find(ps []Param, in Place, name string) *Param {
	for i := range ps {
		if ps[i].In == in && ps[i].Name == name {
			return &ps[i]
		}
	}
	return nil
}
