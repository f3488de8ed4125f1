package param

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

type point struct {
	A int64   `json:"a"`
	B *string `json:"b"`
}

var pointTable = codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(point{}), Go: (*point)(nil), Required: 1, Fields: []codec.Field{
	{Key: `,"a":`, Kind: codec.Int64, Off: unsafe.Offsetof(point{}.A), Flag: codec.Req},
	{Key: `,"b":`, Off: unsafe.Offsetof(point{}.B), Flag: codec.Ptr},
}}

type values struct {
	S *string
	I *int64
	L []string
	N []int32
	O *point
	M map[string]string
}

var ints32 = codec.Type{Kind: codec.Slice, Elem: &codec.Int32Table}

func sp(s string) *string { return &s }

var (
	pS = Param{Name: "s", Kind: codec.String, Off: unsafe.Offsetof(values{}.S), Flag: codec.Ptr}
	pI = Param{Name: "i", Kind: codec.Int64, Off: unsafe.Offsetof(values{}.I), Flag: codec.Ptr}
	pL = Param{Name: "l", Kind: codec.Slice, T: &codec.StringsTable, Off: unsafe.Offsetof(values{}.L)}
	pN = Param{Name: "n", Kind: codec.Slice, T: &ints32, Off: unsafe.Offsetof(values{}.N)}
	pO = Param{Name: "o", Kind: codec.Object, T: &pointTable, Off: unsafe.Offsetof(values{}.O), Flag: codec.Ptr}
	pM = Param{Name: "m", Kind: codec.Map, T: &codec.StringMapTable, Off: unsafe.Offsetof(values{}.M)}
)

func with(p Param, in Place, s Style, explode bool) Param {
	p.In, p.Style, p.Explode = in, s, explode
	return p
}

var awkward = "a b&c=d,é;/?%+|."

// TestStyles writes every style and reads it back.
func TestStyles(t *testing.T) {
	list := values{L: []string{"blue", "black"}}
	obj := values{O: &point{100, sp("x y")}}
	free := values{M: map[string]string{"p": "1", "q": "2"}}
	for _, c := range []struct {
		p    Param
		v    values
		want string
	}{
		{with(pS, Path, Default, false), values{S: sp("blue")}, "blue"},
		{with(pS, Path, Default, false), values{S: sp("a/b ?é")}, "a%2Fb%20%3F%C3%A9"},
		{with(pS, Path, Label, false), values{S: sp("blue")}, ".blue"},
		{with(pS, Path, Matrix, false), values{S: sp("blue")}, ";s=blue"},
		{with(pI, Path, Matrix, true), values{I: new(int64(-5))}, ";i=-5"},
		{with(pL, Path, Simple, false), list, "blue,black"},
		{with(pL, Path, Simple, true), list, "blue,black"},
		{with(pL, Path, Label, false), list, ".blue,black"},
		{with(pL, Path, Label, true), list, ".blue.black"},
		{with(pL, Path, Matrix, false), list, ";l=blue,black"},
		{with(pL, Path, Matrix, true), list, ";l=blue;l=black"},
		{with(pO, Path, Simple, false), obj, "a,100,b,x%20y"},
		{with(pO, Path, Simple, true), obj, "a=100,b=x%20y"},
		{with(pO, Path, Label, false), obj, ".a,100,b,x%20y"},
		{with(pO, Path, Label, true), obj, ".a=100.b=x%20y"},
		{with(pO, Path, Matrix, false), obj, ";o=a,100,b,x%20y"},
		{with(pO, Path, Matrix, true), obj, ";a=100;b=x%20y"},
		{with(pM, Path, Simple, true), free, "p=1,q=2"},

		{with(pS, Query, Default, true), values{S: sp("x y+z&")}, "s=x%20y%2Bz%26"},
		{with(pS, Query, Form, false), values{S: sp(awkward)}, "s=a%20b%26c%3Dd%2C%C3%A9%3B%2F%3F%25%2B%7C."},
		{with(pS, Query, Form, false), values{S: sp("")}, "s="},
		{with(pL, Query, Form, true), list, "l=blue&l=black"},
		{with(pL, Query, Form, false), list, "l=blue,black"},
		{with(pL, Query, Form, false), values{L: []string{"a,b", "c"}}, "l=a%2Cb,c"},
		{with(pL, Query, SpaceDelimited, false), list, "l=blue%20black"},
		{with(pL, Query, PipeDelimited, false), list, "l=blue%7Cblack"},
		{with(pN, Query, Form, true), values{N: []int32{1, -2}}, "n=1&n=-2"},
		{with(pN, Query, PipeDelimited, false), values{N: []int32{1, -2, 3}}, "n=1%7C-2%7C3"},
		{with(pO, Query, Form, true), obj, "a=100&b=x%20y"},
		{with(pO, Query, Form, false), obj, "o=a,100,b,x%20y"},
		{with(pO, Query, SpaceDelimited, false), values{O: &point{1, sp("z")}}, "o=a%201%20b%20z"},
		{with(pO, Query, PipeDelimited, false), obj, "o=a%7C100%7Cb%7Cx%20y"},
		{with(pO, Query, DeepObject, true), obj, "o%5Ba%5D=100&o%5Bb%5D=x%20y"},
		{with(pM, Query, DeepObject, true), free, "m%5Bp%5D=1&m%5Bq%5D=2"},
		{with(pM, Query, Form, true), free, "p=1&q=2"},
		{with(pO, Query, JSON, false), obj, "o=%7B%22a%22%3A100%2C%22b%22%3A%22x%20y%22%7D"},

		{with(pS, Cookie, Default, false), values{S: sp("x;y")}, "s=x%3By"},
		{with(pL, Cookie, Form, false), list, "l=blue,black"},
		{with(pO, Cookie, Form, false), obj, "o=a,100,b,x%20y"},

		{with(pS, Header, Default, false), values{S: sp("x, y")}, "x, y"},
		{with(pL, Header, Simple, false), list, "blue,black"},
		{with(pO, Header, Simple, false), values{O: &point{1, sp("z")}}, "a,1,b,z"},
		{with(pO, Header, Simple, true), values{O: &point{1, sp("z")}}, "a=1,b=z"},
		{with(pS, Address, Default, false), values{S: sp("x/y")}, "x/y"},
	} {
		ps := []Param{c.p}
		got, err := write(ps, unsafe.Pointer(&c.v))
		if err != nil || got != c.want {
			t.Errorf("%v: got %q, %v, want %q", c.p, got, err, c.want)
			continue
		}
		var back values
		e := read(ps, got, unsafe.Pointer(&back))
		if err := e.Err(); err != nil || !reflect.DeepEqual(back, c.v) {
			t.Errorf("%q: read as %+v, %v", got, back, err)
		}
	}
}

func write(ps []Param, base unsafe.Pointer) (string, error) {
	p := &ps[0]
	switch p.In {
	case Path:
		b, err := AppendPath(nil, "/{"+p.Name+"}/x", ps, base)
		return strings.TrimSuffix(strings.TrimPrefix(string(b), "/"), "/x"), err
	case Query:
		b, err := AppendQuery(nil, ps, base)
		return string(b), err
	case Cookie:
		b, err := AppendCookie(nil, ps, base)
		return string(b), err
	case Address:
		b, err := AppendAddress(nil, "a.{"+p.Name+"}.b", ps, base)
		return strings.TrimSuffix(strings.TrimPrefix(string(b), "a."), ".b"), err
	}
	h := map[string][]string{}
	err := WriteHeader(h, ps, base)
	for _, v := range h {
		return v[0], err
	}
	return "", err
}

func read(ps []Param, s string, base unsafe.Pointer) *codec.Error {
	e := &codec.Error{}
	p := &ps[0]
	switch p.In {
	case Path:
		v, _ := url.PathUnescape(s)
		ParsePath(ps, []string{p.Name}, []string{v}, base, 0, e)
	case Query:
		ParseQuery(ps, s, base, 0, e)
	case Cookie:
		ParseCookie(ps, []string{s}, base, 0, e)
	case Address:
		ParseAddress(ps, "a.{"+p.Name+"}.b", "a."+s+".b", base, 0, e)
	default:
		ParseHeader(ps, map[string][]string{strings.ToUpper(p.Name): {s}}, base, 0, e)
	}
	return e
}

func TestRefused(t *testing.T) {
	req := with(pI, Query, Default, true)
	req.Flag |= codec.Req
	few := with(pN, Query, Form, true)
	few.R = &codec.Rule{Has: codec.MaxLen, MaxLen: 2}
	for _, c := range []struct {
		p            Param
		raw, pointer string
		code         codec.Code
	}{
		{req, "", "/query/i", codec.CodeRequired},
		{req, "i=x", "/query/i", codec.CodeType},
		{req, "i=", "/query/i", codec.CodeType},
		{req, "i=1%", "/query/i", codec.CodeSyntax},
		{req, "i=1.5", "/query/i", codec.CodeType},
		{req, "i=9223372036854775808", "/query/i", codec.CodeRange},
		{req, "i=1&i=2", "/query/i", codec.CodeDuplicate},
		{with(pN, Query, Form, true), "n=1&n=x", "/query/n/1", codec.CodeType},
		{few, "n=1&n=2&n=3", "/query/n", codec.CodeMaxItems},
		{with(few, Query, Form, false), "n=1,2,3", "/query/n", codec.CodeMaxItems},
		{with(pO, Query, DeepObject, true), "o[b]=x", "/query/o/a", codec.CodeRequired},
		{with(pO, Query, DeepObject, true), "o[a]=x", "/query/o/a", codec.CodeType},
		{with(pO, Query, DeepObject, true), "o[a=1", "/query/o", codec.CodeSyntax},
		{with(pO, Query, Form, false), "o=a,1,b", "/query/o", codec.CodeSyntax},
		{with(pS, Query, Form, true), "s=%ff", "/query/s", codec.CodeUTF8},
		{with(pI, Path, Simple, true), "x", "/path/i", codec.CodeType},
	} {
		var v values
		e := read([]Param{c.p}, c.raw, unsafe.Pointer(&v))
		if len(e.Violations) == 0 || e.Violations[0].Pointer != c.pointer || e.Violations[0].Code != c.code {
			t.Errorf("%q: %+v, want %s at %s", c.raw, e.Violations, c.code, c.pointer)
		}
	}
}

func TestNotWritten(t *testing.T) {
	for _, c := range []struct {
		p    Param
		v    values
		code codec.Code
	}{
		{with(pS, Path, Simple, false), values{}, codec.CodeRequired},
		{with(pS, Path, Simple, false), values{S: sp("")}, codec.CodeRequired},
		{with(pS, Path, Simple, false), values{S: sp("..")}, codec.CodeFormat},
		{with(pS, Header, Simple, false), values{S: sp("a\r\nSet-Cookie: x")}, codec.CodeFormat},
	} {
		_, err := write([]Param{c.p}, unsafe.Pointer(&c.v))
		if e, ok := err.(*codec.Error); !ok || e.Violations[0].Code != c.code || !strings.HasPrefix(e.Violations[0].Pointer, "/") {
			t.Errorf("%v: got %v, want %s", c.p, err, c.code)
		}
	}
}

func TestQueryTogether(t *testing.T) {
	ps := []Param{with(pS, Query, Default, true), with(pI, Query, Default, true), with(pN, Query, Form, true), with(pO, Query, DeepObject, true), with(pM, Query, Form, true), with(pL, Header, Simple, false)}
	v := values{S: sp(awkward), I: new(int64(7)), N: []int32{1, 2}, O: &point{1, sp("é")}, M: map[string]string{"k 1": "v&1"}}
	b, err := AppendQuery(nil, ps, unsafe.Pointer(&v))
	if err != nil {
		t.Fatal(err)
	}
	if q, err := url.ParseQuery(string(b)); err != nil || q.Get("s") != awkward || q.Get("o[b]") != "é" || len(q["n"]) != 2 || q.Get("k 1") != "v&1" {
		t.Fatalf("net/url reads %s as %v, %v", b, q, err)
	}
	u, _ := url.ParseQuery(string(b))
	for name, raw := range map[string]string{"ours": string(b), "net/url's": u.Encode()} {
		var back values
		var e codec.Error
		ParseQuery(ps, raw, unsafe.Pointer(&back), 0, &e)
		if e.Err() != nil || !reflect.DeepEqual(back, v) {
			t.Errorf("%s %s: %+v, %v", name, raw, back, e.Err())
		}
	}
	if b, err := AppendQuery(nil, ps, unsafe.Pointer(&values{})); err != nil || len(b) != 0 {
		t.Errorf("nothing is there, but %q, %v is written", b, err)
	}
}

func TestReserved(t *testing.T) {
	p := with(pS, Query, Default, true)
	p.Reserved = true
	v := values{S: sp("a/b:c?d&e#f")}
	b, err := AppendQuery(nil, []Param{p}, unsafe.Pointer(&v))
	if want := "s=a/b:c?d%26e%23f"; err != nil || string(b) != want {
		t.Errorf("got %s, %v, want %s", b, err, want)
	}
}

func TestForm(t *testing.T) {
	type form struct {
		Name string
		Tags []string
		At   *point
		Deep *point
		IDs  []int32
	}
	table := codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(form{}), Go: (*form)(nil), Required: 1, Fields: []codec.Field{
		{Key: `,"name":`, Off: unsafe.Offsetof(form{}.Name), Flag: codec.Req, R: &codec.Rule{Has: codec.MinLen, MinLen: 2}},
		{Key: `,"tags":`, Kind: codec.Slice, T: &codec.StringsTable, Off: unsafe.Offsetof(form{}.Tags)},
		{Key: `,"at":`, Kind: codec.Object, T: &pointTable, Off: unsafe.Offsetof(form{}.At), Flag: codec.Ptr},
		{Key: `,"deep":`, Kind: codec.Object, T: &pointTable, Off: unsafe.Offsetof(form{}.Deep), Flag: codec.Ptr},
		{Key: `,"ids":`, Kind: codec.Slice, T: &ints32, Off: unsafe.Offsetof(form{}.IDs)},
	}}
	fs := []FormField{{Name: "deep", Style: DeepObject, Explode: true}, {Name: "ids", Style: Form}}
	v := form{"a b", []string{"x", "y&z"}, &point{A: 1}, &point{2, sp("q")}, []int32{1, 2}}
	b, err := AppendForm(nil, &table, fs, unsafe.Pointer(&v), 0)
	if want := "name=a+b&tags=x&tags=y%26z&at=%7B%22a%22%3A1%7D&deep%5Ba%5D=2&deep%5Bb%5D=q&ids=1,2"; err != nil || string(b) != want {
		t.Fatalf("got  %s %v\nwant %s", b, err, want)
	}
	var back form
	var e codec.Error
	ParseForm(&table, fs, string(b), unsafe.Pointer(&back), 0, &e)
	if e.Err() != nil || !reflect.DeepEqual(back, v) {
		t.Errorf("read as %+v, %v", back, e.Err())
	}
	ParseForm(&table, fs, "name=x&name=y", unsafe.Pointer(&back), 0, &e)
	if e.Err() == nil || e.Violations[0].Pointer != "/name" || e.Violations[0].Code != codec.CodeType {
		t.Error(e.Err())
	}
	e = codec.Error{}
	ParseForm(&table, fs, "name=x", unsafe.Pointer(&back), 0, &e)
	if e.Err() == nil || e.Violations[0].Code != codec.CodeMinLength {
		t.Error(e.Err())
	}
}

func TestMeta(t *testing.T) {
	ps := []Param{with(pS, Header, Simple, false), with(pI, Header, Simple, false)}
	v := values{S: sp("x"), I: new(int64(3))}
	h := map[string]string{}
	if err := WriteMeta(h, ps, unsafe.Pointer(&v)); err != nil || !reflect.DeepEqual(h, map[string]string{"s": "x", "i": "3"}) {
		t.Fatal(h, err)
	}
	var back values
	var e codec.Error
	ParseMeta(ps, map[string]string{"S": "x", "i": "3"}, unsafe.Pointer(&back), 0, &e)
	if e.Err() != nil || !reflect.DeepEqual(back, v) {
		t.Error(back, e.Err())
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		template, address string
		want              []string
	}{
		{"activity.{id}", "activity.42", []string{"42"}},
		{"a/{x}/b/{y}", "a/1/b/2", []string{"1", "2"}},
		{"{x}.{y}.z", "1.2.z", []string{"1", "2"}},
		{"a.{x}", "b.1", nil},
		{"plain", "plain", nil},
	} {
		if got := match(nil, c.template, c.address); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s, %s: got %v, want %v", c.template, c.address, got, c.want)
		}
	}
	if got := Names("/a/{x}/{y}.json"); !reflect.DeepEqual(got, []string{"x", "y"}) {
		t.Error(got)
	}
}

func TestCheck(t *testing.T) {
	ok := []Param{with(pS, Query, Default, true), with(pO, Query, DeepObject, true), with(pL, Header, Simple, false)}
	if err := Check[values](ok); err != nil {
		t.Error(err)
	}
	off, style, kind := ok[0], with(pS, Header, Form, false), with(pS, Path, Default, false)
	off.Off += 3
	kind.Kind = codec.Int64
	for name, p := range map[string]Param{"offset": off, "style": style, "kind": kind} {
		if Check[values]([]Param{p}) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if Check[values]([]Param{ok[0], ok[0]}) == nil {
		t.Error("a name that is there twice was accepted")
	}
}

// instrumented says that the race detector adds allocations of its own.
var instrumented bool

func TestAllocations(t *testing.T) {
	if instrumented {
		t.Skip("the race detector allocates")
	}
	type q struct {
		Limit  int32
		Cursor *string
		Status []string
	}
	ps := []Param{
		{Name: "limit", In: Query, Kind: codec.Int32, Off: unsafe.Offsetof(q{}.Limit), R: &codec.Rule{Has: codec.Min | codec.Max, Min: 1, Max: 500}},
		{Name: "cursor", In: Query, Off: unsafe.Offsetof(q{}.Cursor), Flag: codec.Ptr},
		{Name: "status", In: Query, Explode: true, Kind: codec.Slice, T: &codec.StringsTable, Off: unsafe.Offsetof(q{}.Status)},
	}
	var v q
	var e codec.Error
	read := testing.AllocsPerRun(100, func() {
		v = q{}
		ParseQuery(ps, "limit=100&status=paid&status=shipped&cursor=abc123", unsafe.Pointer(&v), codec.Owned, &e)
	})
	if e.Err() != nil || v.Limit != 100 || len(v.Status) != 2 || *v.Cursor != "abc123" {
		t.Fatal(v, e.Err())
	}
	if read > 2 { // the list and the pointer
		t.Errorf("reading takes %v allocations", read)
	}
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { buf, _ = AppendQuery(buf[:0], ps, unsafe.Pointer(&v)) }); n > 0 {
		t.Errorf("writing takes %v allocations", n)
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("s=1&i=2&n=3&n=4&o[a]=1&o[b]=2&x=y")
	f.Add("o[a][b][]=1&s=%zz&=&&;")
	ps := []Param{with(pS, Query, Default, true), with(pI, Query, Default, true), with(pN, Query, PipeDelimited, false), with(pO, Query, DeepObject, true), with(pM, Query, Form, true)}
	f.Fuzz(func(t *testing.T, raw string) {
		var v, again values
		var e codec.Error
		ParseQuery(ps, raw, unsafe.Pointer(&v), 0, &e)
		if e.Err() != nil {
			return
		}
		b, err := AppendQuery(nil, ps, unsafe.Pointer(&v))
		if err != nil {
			t.Fatal(err)
		}
		if len(v.N) == 0 || len(v.M) > 0 && strings.ContainsAny(string(b), "[]") {
			return // an empty list reads back as one, or as nothing
		}
		ParseQuery(ps, string(b), unsafe.Pointer(&again), 0, &e)
		if e.Err() != nil || !reflect.DeepEqual(v.S, again.S) || !reflect.DeepEqual(v.I, again.I) || !reflect.DeepEqual(v.N, again.N) {
			t.Fatalf("%q became %q: %v", raw, b, e.Err())
		}
	})
}

// An escaped separator is part of a value, wherever the parameter stands.
func TestPathsOfParts(t *testing.T) {
	for style, template := range map[Style]string{Simple: "/x/{l}/{o}", Label: "/{l}/{o}/x", Matrix: "/{l}/y/{o}"} {
		for _, explode := range []bool{false, true} {
			ps := []Param{with(pL, Path, style, explode), with(pO, Path, style, explode)}
			want := values{L: []string{"a,b", "c;e=f", "g/h"}, O: &point{A: 1, B: sp("x,y;=/")}}
			path, err := AppendPath(nil, template, ps, unsafe.Pointer(&want))
			if err != nil {
				t.Fatal(err)
			}
			raw, names := Segments(template, string(path)), Names(template)
			var plain []string
			for _, s := range raw {
				s, _ := url.PathUnescape(s)
				plain = append(plain, s)
			}
			var got values
			var e codec.Error
			ParseSegments(ps, names, plain, raw, unsafe.Pointer(&got), codec.Request, &e)
			if err := e.Err(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v %v", path, got, err)
			}
		}
	}
	got, err := AppendPath(nil, "/ünï cödé/{s}/a+b&c=(d):@%20?", []Param{with(pS, Path, Default, false)}, unsafe.Pointer(&values{S: sp("x/y")}))
	if want := "/%C3%BCn%C3%AF%20c%C3%B6d%C3%A9/x%2Fy/a+b&c=(d):@%20%3F"; err != nil || string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := Segments("/a/{b}/x-{c}.{d}/{e}", "/a/1/x-2.3/4"); !reflect.DeepEqual(got, []string{"1", "", "", "4"}) {
		t.Errorf("%q", got) // what is no whole segment is not known
	}
}
