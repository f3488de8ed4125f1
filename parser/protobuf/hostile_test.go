package protobuf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// sample is cut, damaged and repeated below; it must itself be without fault.
const sample = `edition = "2023";
package a.b;
import "google/protobuf/any.proto";
option java_package = "x\n\001";
/* a */ message M {
  reserved 5, 7 to 9; reserved foo;
  map<string, M> m = 1 [deprecated = true, json_name = "mm"];
  oneof o { string s = 2; google.protobuf.Any any = 3; }
  enum E { option allow_alias = true; A = 0; B = 0; C = -1; }
  E e = 4 [default = C, features = { field_presence: EXPLICIT }];
  extensions 100 to max [verification = UNVERIFIED];
  message N { M m = 1 [features.message_encoding = DELIMITED]; }
}
extend M { repeated sfixed64 x = 100 [features.repeated_field_encoding = EXPANDED]; }
// S does.
service S { rpc P(stream M) returns (M.N) { option idempotency_level = IDEMPOTENT; } }
`

// check parses text, which must end in a contract or in errors with a place.
func check(t *testing.T, text string) {
	t.Helper()
	c, l := Parse(t.Context(), []string{"a.proto"}, nil, reader(text))
	if c == nil && !l.HasErrors() {
		t.Errorf("neither contract nor error: %.80q", text)
	}
	for _, d := range l {
		if d.Code == "compiler-crash" || d.Code == "compiler-timeout" || d.Span.File == "" || d.Span.Line < 1 || d.Span.Col < 1 || d.Message == "" {
			t.Errorf("%.80q: %s", text, show(diag.List{d}))
		}
	}
}

func TestSampleIsSound(t *testing.T) {
	if c, l := Parse(t.Context(), []string{"a.proto"}, nil, reader(sample)); c == nil || len(l) != 0 {
		t.Fatal(show(l))
	}
}

func TestTruncated(t *testing.T) {
	for n := 0; n < len(sample); n += 11 {
		check(t, sample[:n])
	}
}

func TestDamaged(t *testing.T) {
	for i, c := range []string{"\x00", "\xff", "{", "}", "(", ";", "\"", "/*", "<", "-", "\n", "=", "é", "0x", "1e999"} {
		for n := i; n < len(sample); n += 307 {
			check(t, sample[:n]+c+sample[n:])
			check(t, sample[:n]+c+sample[n+1:])
		}
	}
}

func TestRubbish(t *testing.T) {
	for _, text := range []string{
		"\x00", "\xef\xbb\xbf", "\xef\xbb\xbf" + sample, "\xff\xfe\x00\x00", "\x7fELF\x02\x01\x01", "PK\x03\x04", "{\"openapi\": \"3.1.0\"}",
		"openapi: 3.1.0\n", strings.ReplaceAll(sample, "\n", "\r\n"), strings.ReplaceAll(sample, "\n", "\r"),
		head3 + "message M { int32 x = 99999999999999999999999999999; }", head3 + "option a = 1e99999999999;",
		head3 + "option (a.b.c).d.(e) = { f: [ { g < h: 1 > } ] };", "syntax = ;", "import \"\";", "package ..a;",
		"syntax = \"proto3\"; syntax = \"proto2\"; edition = \"2023\";", head3 + "import \"google/protobuf/descriptor.proto\";\nextend google.protobuf.FieldOptions { M m = 50000; }\nmessage M { M m = 1 [(m).m.m.m = {}]; }",
	} {
		check(t, text)
	}
}

// TestExhausting holds that what would take the compiler's stack, which cannot be
// recovered from, or hours, is refused or done with at once.
func TestExhausting(t *testing.T) {
	const n = 200_000
	for name, text := range map[string]string{
		"messages":   head3 + strings.Repeat("message M {", n),
		"brackets":   head3 + strings.Repeat("[", n),
		"parens":     head3 + "option x = " + strings.Repeat("(", n),
		"modifiers":  head3 + "message M { " + strings.Repeat("repeated ", n) + "int32 x = 1; }",
		"minuses":    head3 + "option x = " + strings.Repeat("-", n) + "1;",
		"ranges":     head3 + "message M { reserved " + strings.Repeat("1 to ", n) + "; }",
		"path":       head3 + "message M { " + strings.Repeat("a.", n) + "b x = 1; }",
		"assignment": head3 + "option a = " + strings.Repeat("b = ", n),
		"semicolons": head3 + strings.Repeat(";", n),
		"strings":    head3 + "option java_package = " + strings.Repeat("\"a\" ", n/10) + ";",
		"comments":   head3 + strings.Repeat("/*", n),
		"maps":       head3 + "message M { " + strings.Repeat("map<int32, ", n),
		"words":      strings.Repeat("foo bar baz ", n/10),
		"options":    head3 + strings.Repeat("option java_package = \"a\";\n", n/20),
		"fields":     head3 + "message M {" + strings.Repeat("int32 x = 1;\n", n/20) + "}",
	} {
		t.Run(name, func(t *testing.T) {
			_, l := Parse(t.Context(), []string{"a.proto"}, nil, reader(text))
			if len(l) > maxFindings+1 {
				t.Errorf("%d findings", len(l))
			}
			if name != "semicolons" && name != "strings" && !l.HasErrors() {
				t.Errorf("no error")
			}
		})
	}
}

func TestGuardLetsRealCodePass(t *testing.T) {
	for name, text := range map[string]string{
		"brackets in strings":  "option a = \"" + strings.Repeat("{", 200) + "\";",
		"brackets in comments": "// " + strings.Repeat("{", 200) + "\n/* " + strings.Repeat("[", 200) + "*/",
		"quotes in comments":   "// it's\nmessage M {}\n/* \" */ message N {}",
		"escaped quotes":       `option a = "\"{{{"; option b = '\'';`,
		"a hundred deep":       strings.Repeat("{", 100) + strings.Repeat("}", 100) + strings.Repeat("{", 100),
		"many statements":      strings.Repeat("int32 x = 1;", 5000),
		"a long list":          "reserved " + strings.Repeat("1, ", 5000) + "2;",
		"a long text":          "option a = " + strings.Repeat("\"text\"\n", 5000) + ";",
		"slash":                "a / b / c;",
	} {
		var l diag.List
		if refuse(&l, "a.proto", []byte(text)) {
			t.Errorf("%s: %s", name, show(l))
		}
	}
}

// TestImportMaze reads a chain, a fan and cycles of imports.
func TestImportMaze(t *testing.T) {
	const n = 300
	read := func(name string) ([]byte, error) {
		var kind string
		var i int
		if _, err := fmt.Sscanf(strings.ReplaceAll(name, ".", " "), "%1s%d", &kind, &i); err != nil || i > n {
			return nil, os.ErrNotExist
		}
		switch kind {
		case "c": // a chain
			return fmt.Appendf(nil, "syntax = \"proto3\"; package c%d; import \"c%d.proto\"; message M { c%d.M m = 1; }", i, min(i+1, n), min(i+1, n)), nil
		case "r": // a ring
			return fmt.Appendf(nil, "syntax = \"proto3\"; package r%d; import \"r%d.proto\"; message M { r%d.M m = 1; }", i, (i+1)%20, (i+1)%20), nil
		}
		return nil, os.ErrNotExist
	}
	for _, first := range []string{"c0.proto", "r0.proto"} {
		_, l := Parse(t.Context(), []string{first}, nil, read)
		if !strings.Contains(show(l), "import-cycle") { // the chain ends in a file that imports itself
			t.Errorf("%s: %s", first, show(l))
		}
	}
}

// crasher is a compiler at its worst.
type crasher struct{ hang chan struct{} }

func (c crasher) compile(context.Context, []string, *sources) (*unit, diag.List) {
	if c.hang != nil {
		<-c.hang
	}
	panic(errors.New("index out of range"))
}

func TestCrashIsADiagnostic(t *testing.T) {
	c, l := parse(t.Context(), crasher{}, []string{"a.proto"}, nil, reader(sample))
	if c != nil || len(l) != 1 || l[0].Code != "compiler-crash" || l[0].Span.File != "a.proto" || l[0].Help == "" {
		t.Errorf("got %s", show(l))
	}
}

func TestHangEndsWithTheContext(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	c, l := parse(ctx, crasher{hang}, []string{"a.proto"}, nil, reader(sample))
	if c != nil || len(l) != 1 || l[0].Code != "compiler-timeout" || !strings.Contains(l[0].Message, "enough") {
		t.Errorf("got %s", show(l))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add(head3 + "message M { int32 x = 1; }")
	f.Fuzz(func(t *testing.T, text string) { check(t, text) })
}

func FuzzFromDescriptors(f *testing.F) {
	c, _ := Parse(f.Context(), []string{"a.proto"}, nil, reader(sample))
	f.Add(c.Descriptors)
	f.Fuzz(func(t *testing.T, set []byte) {
		c, l := FromDescriptors(set, []string{"a.proto"})
		if (c == nil) != l.HasErrors() {
			t.Error(show(l))
		}
	})
}

func TestTruncatedDescriptors(t *testing.T) {
	c, _ := Parse(t.Context(), []string{"a.proto"}, nil, reader(sample))
	for n := range len(c.Descriptors) {
		if n%7 != 0 {
			continue
		}
		if c, l := FromDescriptors(c.Descriptors[:n], []string{"a.proto"}); (c == nil) != l.HasErrors() {
			t.Errorf("cut at %d: %s", n, show(l))
		}
	}
	for _, files := range [][]string{nil, {"no.proto"}} {
		var got *contract.Contract
		got, l := FromDescriptors(c.Descriptors, files)
		if got != nil || !l.HasErrors() {
			t.Errorf("%v: %s", files, show(l))
		}
	}
}
