package block

import (
	"bytes"
	"go/format"
	"strings"
	"testing"
)

func source(t *testing.T, f *File) string {
	t.Helper()
	if f.Path == "" {
		f.Path, f.Name = "example.com/x", "x"
	}
	src, err := f.Source()
	if err != nil {
		t.Fatal(err)
	}
	again, err := format.Source(src)
	if err != nil || !bytes.Equal(again, src) {
		t.Errorf("formatting again changes the file (%v):\n%s\nto\n%s", err, src, again)
	}
	return string(src)
}

// body is what decls print, without clause and imports.
func body(t *testing.T, decls ...Code) string {
	t.Helper()
	src := source(t, &File{Decls: decls})
	if i := strings.Index(src, ")\n\n"); strings.Contains(src, "import (") {
		return strings.TrimSpace(src[i+3:])
	}
	_, src, _ = strings.Cut(src, "package x\n")
	return strings.TrimSpace(src)
}

func TestImportsAreGroupedAndNamedAsGoimportsDoes(t *testing.T) {
	use := func(pkg, name string) Code { return Var("_", Qual(pkg, name)) }
	got := source(t, &File{
		Header: "Code generated. DO NOT EDIT.",
		Doc:    []string{"Package x is x."},
		Names: map[string]string{
			"example.com/y-z/v2": "yz", "example.com/gen/orders/v1": "ordersv1", "example.com/w/v3": "w", "example.com/in": "in",
			"example.com/never": "never",
		},
		Aliases: map[string]string{"example.com/runtime": "concordat"},
		Decls: []Code{
			use("example.com/y-z/v2", "A"), use("example.com/gen/orders/v1", "B"), use("unsafe", "C"), use("example.com/runtime", "D"),
			use("context", "E"), use("example.com/w/v3", "F"), use("example.com/in", "G"), use("example.com/x", "Own"),
			use("example.com/other/context", "H"), use("example.com/plain", "I"), use("math/rand/v2", "N"),
		},
	})
	want := `// Code generated. DO NOT EDIT.

// Package x is x.
package x

import (
	"context"
	"math/rand/v2"
	"unsafe"

	ordersv1 "example.com/gen/orders/v1"
	inpkg "example.com/in"
	context1 "example.com/other/context"
	"example.com/plain"
	concordat "example.com/runtime"
	"example.com/w/v3"
	yz "example.com/y-z/v2"
)

var _ = yz.A

var _ = ordersv1.B

var _ = unsafe.C

var _ = concordat.D

var _ = context.E

var _ = w.F

var _ = inpkg.G

var _ = Own

var _ = context1.H

var _ = plain.I

var _ = rand.N
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestOneImportHasNoParentheses(t *testing.T) {
	got := source(t, &File{Decls: []Code{Var("_", Qual("example.com/gen/v1", "A"))}, Names: map[string]string{"example.com/gen/v1": "genv1"}})
	if want := "package x\n\nimport genv1 \"example.com/gen/v1\"\n\nvar _ = genv1.A\n"; got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestNoDeclarations(t *testing.T) {
	if got := source(t, &File{Doc: []string{"Package x."}, Decls: []Code{nil}}); got != "// Package x.\npackage x\n" {
		t.Errorf("got %q", got)
	}
}

func TestCommentsOfStrangers(t *testing.T) {
	for _, c := range []struct{ name, doc, want string }{
		{"plain", "A thing.", "// A thing."},
		{"several lines in one", "A.\nB.\r\nC.", "// A.\n// B.\n// C."},
		{"blank lines around", "\n\nA.\n\nB.\n\n", "// A.\n//\n// B."},
		{"only blank", " \n \n", ""},
		{"preformatted", "A.\n\n\tGET /a", "// A.\n//\n//\tGET /a"},
		{"end of a block comment", "a */ b /* c", "// a */ b /* c"},
		{"starts with slashes", "// a", "// // a"},
		{"directive", "go:noinline", "// go:noinline"},
		{"old build constraint", "+build ignore", "// \\+build ignore"},
		{"indented build constraint", "\t+build ignore", "// \\+build ignore"},
		{"not UTF-8", "a\xffb", "// a\uFFFDb"},
		{"NUL and byte order mark", "a\x00b\uFEFFc", "// abc"},
		{"shown in another order than compiled", "a\u202eb\u2066c", "// abc"},
		{"list", "A:\n- b\n- c", "// A:\n// - b\n// - c"},
		{"list with paragraphs", "A:\n\n - b\n - c\n\n# D\n\n 1. e\n     f", "// A:\n//\n//   - b\n//   - c\n//\n// # D\n//\n//  1. e\n//     f"},
		{"trailing blanks", "a \t", "// a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := body(t, Doc([]string{c.doc}, Src("type T struct{}")))
			if want := strings.TrimSpace(c.want + "\ntype T struct{}"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestHostileHeaderStaysAComment(t *testing.T) {
	got := source(t, &File{Header: "from a\nvar evil = 1", Doc: []string{"+build ignore"}})
	if want := "// from a var evil = 1\n\n// \\+build ignore\npackage x\n"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestStrings(t *testing.T) {
	for in, want := range map[string]string{
		`plain`:    `"plain"`,
		`a"b`:      "`a\"b`",
		`\d`:       "`\\d`",
		"a`\"b":    `"a` + "`" + `\"b"`,
		"a\nb\"":   `"a\nb\""`,
		"\xff\\":   `"\xff\\"`,
		"":         `""`,
		"\ufeff\"": `"\ufeff\""`,
	} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestLongListsOfStringsWrap(t *testing.T) {
	var list []string
	for range 30 {
		list = append(list, "some value")
	}
	got := body(t, Var("x", Strings(list)))
	if n := strings.Count(got, "\n"); n != 5 {
		t.Errorf("%d line breaks in\n%s", n, got)
	}
	for l := range strings.Lines(got) {
		if len(l) > 120 {
			t.Errorf("%d columns: %s", len(l), l)
		}
	}
	if got := body(t, Var("x", Strings(list[:2]))); got != `var x = []string{"some value", "some value"}` {
		t.Error(got)
	}
	if Strings(nil) != nil || List(Src("int")) != nil || ListLines(Src("int")) != nil {
		t.Error("an empty list prints something")
	}
}

func TestLiteralsKeepTheOrderOfTheirKeys(t *testing.T) {
	got := body(t, Var("x", Struct(Src("T"), Pair{"B", Int(1)}, Pair{"Left", nil}, Pair{"A", String("a")})))
	if want := `var x = T{B: 1, A: "a"}`; got != want {
		t.Error(got)
	}
	got = body(t, Var("x", StructLines(Src("T"), Pair{"B", Int(1)}, Pair{"Long", Int(int64(-2))})))
	if want := "var x = T{\n\tB:    1,\n\tLong: -2,\n}"; got != want {
		t.Error(got)
	}
}

func TestDeclarations(t *testing.T) {
	sig := Sig{Params: []Code{Src("a int")}, Results: []Code{Src("error")}}
	for _, c := range []struct {
		name string
		code Code
		want string
	}{
		{"function", Func("", "F", sig, Return(Src("nil"))), "func F(a int) error {\n\treturn nil\n}"},
		{"method", OneLine("t *T", "F", sig, Return(Src("nil"))), "func (t *T) F(a int) error { return nil }"},
		{"no result", Func("", "F", Sig{}), "func F() {}"},
		{"function value", Var("f", Sig{}.Literal(Src("a()"), Src("b()"))), "var f = func() { a(); b() }"},
		{"interface", Type("I", Interface(sig.Method("A"), Doc([]string{"B is b."}, Sig{}.Method("B")))), "type I interface {\n\tA(a int) error\n\n\t// B is b.\n\tB()\n}"},
		{"empty interface", Type("I", Interface()), "type I interface{}"},
		{"empty struct", Type("S", StructType()), "type S struct{}"},
		{"struct", Type("S", StructType(Src("A int"), Apart(Src("B int")))), "type S struct {\n\tA int\n\n\tB int\n}"},
		{"one variable", Vars(Pair{"a", Int(1)}), "var a = 1"},
		{"variables", Vars(Pair{"a", Int(1)}, Pair{"bb", Int(2)}), "var (\n\ta  = 1\n\tbb = 2\n)"},
		{"constants", Consts(Src("A = 1")), "const (\n\tA = 1\n)"},
		{"type arguments", Var("x", Struct(Generic(Src("G"), Src("A"), Src("B")))), "var x = G[A, B]{}"},
		{"flags", Var("x", Or(Src("a"), Src("b"))), "var x = a | b"},
		{"address", Var("x", Address(Struct(Src("T")))), "var x = &T{}"},
		{"behind", Behind(Src("var x int"), "a\nb"), "var x int // a b"},
		{"group", Group(Src("var a int"), Src("var b int")), "var a int\nvar b int"},
		{"tag", Type("S", StructType(Seq(Src("A int"), Tag(`json:"a"`)), Seq(Src("B int"), Tag("a`b")), Seq(Src("C int"), Tag("")))), "type S struct {\n\tA int `json:\"a\"`\n\tB int \"a`b\"\n\tC int\n}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := body(t, c.code); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestWhatIsNotGoIsAnError(t *testing.T) {
	f := &File{Path: "example.com/x", Name: "x", Decls: []Code{Src("func {")}}
	if _, err := f.Source(); err == nil || !strings.Contains(err.Error(), "example.com/x") {
		t.Errorf("error %v does not name the package", err)
	}
}
