package param

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// styles are those that each place knows.
var styles = map[Place][]Style{
	Path:   {Default, Simple, Label, Matrix, JSON},
	Query:  {Default, Form, SpaceDelimited, PipeDelimited, DeepObject, JSON},
	Header: {Default, Simple, JSON},
	Cookie: {Default, Form, JSON},
}

// A channel writes and reads parameters at one place.
type channel struct {
	place Place
	ps    []Param
}

// read reads a text as it would stand in a request.
func (c channel) read(text string, m codec.Mode) (v values, err error) {
	var e codec.Error
	base := unsafe.Pointer(&v)
	switch c.place {
	case Path:
		raw := Segments("/{"+c.ps[0].Name+"}", "/"+text)
		plain, err := url.PathUnescape(text)
		if err != nil {
			return v, err
		}
		ParseSegments(c.ps, []string{c.ps[0].Name}, []string{plain}, raw, base, m, &e)
	case Query:
		ParseQuery(c.ps, text, base, m, &e)
	case Header:
		h := map[string][]string{}
		for line := range strings.SplitSeq(text, "\n") {
			h["X"] = append(h["X"], line)
		}
		ParseHeader(c.ps, h, base, m, &e)
	case Cookie:
		ParseCookie(c.ps, strings.Split(text, "\n"), base, m, &e)
	}
	return v, e.Err()
}

func (c channel) write(v *values) (string, error) {
	base := unsafe.Pointer(v)
	var b []byte
	var err error
	switch c.place {
	case Path:
		b, err = AppendPath(nil, "/{"+c.ps[0].Name+"}", c.ps, base)
		b = bytes.TrimPrefix(b, []byte("/"))
	case Query:
		b, err = AppendQuery(nil, c.ps, base)
	case Header:
		h := map[string][]string{}
		err = WriteHeader(h, c.ps, base)
		b = []byte(strings.Join(h["X"], "\n"))
	case Cookie:
		b, err = AppendCookie(nil, c.ps, base)
	}
	return string(b), err
}

// What a parameter's text means does not change when it is written and read again, in
// every place and style; and no text does harm.
func FuzzParams(f *testing.F) {
	for i, text := range []string{"blue,black", "s=1&i=2", ".a=100.b=x%20y", ";l=blue;l=black", "o[a]=1&o[b]=%zz", `{"a":1,"b":"x"}`, "l=a%20b%20c", "p=1,q=2", "a; s=b; l=c,d", "a,1\nb,2"} {
		f.Add(byte(i), byte(i/2), byte(i), i%2 == 0, text)
	}
	f.Fuzz(func(t *testing.T, place, style, which byte, explode bool, text string) {
		at := []Place{Path, Query, Header, Cookie}[place%4]
		p := []Param{pS, pI, pL, pN, pO, pM}[which%6]
		if at == Header {
			p.Name = "X"
		}
		c := channel{at, []Param{with(p, at, styles[at][int(style)%len(styles[at])], explode)}}
		v, err := c.read(text, codec.Request)
		if err != nil {
			return
		}
		once, err := c.write(&v)
		if err != nil {
			return // a header, say, that no text can have
		}
		if once == "" {
			return
		}
		again, err := c.read(once, codec.Request|codec.Owned)
		if err != nil {
			t.Fatalf("%v %+v: %q was read and written as %q, which is refused: %v", at, c.ps[0], text, once, err)
		}
		if twice, err := c.write(&again); err != nil || twice != once {
			t.Fatalf("%v %+v: %q was written as %q and then as %q, %v", at, c.ps[0], text, once, twice, err)
		}
	})
}
