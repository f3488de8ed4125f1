package protobuf

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract/diag"
)

// library holds files that the faulty ones import.
var library = map[string]string{
	"b.proto":     "syntax = \"proto3\";\npackage b;\nimport \"a.proto\";",
	"c.proto":     "syntax = \"proto3\";\npackage c;\nmessage C { option deprecated = true; }",
	"old.proto":   "syntax = \"proto2\";\npackage o;\nimport \"c.proto\";\nmessage O { required int32 x = 1; }",
	"fault.proto": "syntax = \"proto3\";\npackage f;\nmessage F { Nope x = 1; }",
}

// reader returns a.proto as text, and the library.
func reader(text string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if name == "a.proto" {
			return []byte(text), nil
		}
		if s, ok := library[name]; ok {
			return []byte(s), nil
		}
		return nil, os.ErrNotExist
	}
}

func show(l diag.List) string {
	var b strings.Builder
	for _, d := range l {
		fmt.Fprintf(&b, "%s:%d:%d-%d:%d %s %s: %s\n", d.Span.File, d.Span.Line, d.Span.Col, d.Span.EndLine, d.Span.EndCol, d.Severity, d.Code, d.Message)
		for _, r := range d.Related {
			fmt.Fprintf(&b, "  %s:%d:%d: %s\n", r.Span.File, r.Span.Line, r.Span.Col, r.Message)
		}
		if d.Help != "" {
			fmt.Fprintf(&b, "  help: %s\n", d.Help)
		}
	}
	return b.String()
}

const head3 = "syntax = \"proto3\";\npackage a;\n"

// TestFaults holds the code and the place of every kind of finding. Each case lists all
// that is reported, so that nothing is found twice.
func TestFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string // "code line:col-line:col"
	}{
		"missing import":         {head3 + "import \"no/such.proto\";\n", []string{"missing-file 3:8-3:23"}},
		"import cycle":           {head3 + "import \"b.proto\";\n", []string{"import-cycle 3:1-3:18"}},
		"import of itself":       {head3 + "import \"a.proto\";\n", []string{"import-cycle 3:1-3:18"}},
		"absolute import":        {head3 + "import \"/etc/passwd\";\n", []string{"invalid-import 3:8-3:21"}},
		"import of the parent":   {head3 + "import \"../x.proto\";\n", []string{"invalid-import 3:8-3:20"}},
		"import twice":           {head3 + "import \"c.proto\";\nimport \"c.proto\";\nmessage M { c.C x = 1; }\n", []string{"duplicate-import 4:1-4:18", "deprecated-use 5:13-5:16"}},
		"unused import":          {head3 + "import \"google/protobuf/any.proto\";\n", []string{"unused-import 3:8-3:35"}},
		"unknown type":           {head3 + "message M { Nope x = 1; }\n", []string{"unknown-symbol 3:13-3:17"}},
		"all errors, not one":    {head3 + "message M { Nope x = 1; None y = 2; }\nservice S { rpc P(Q) returns (R); }\n", []string{"unknown-symbol 3:13-3:17", "unknown-symbol 3:25-3:29", "unknown-symbol 4:19-4:20", "unknown-symbol 4:31-4:32"}},
		"number twice":           {head3 + "message M { int32 x = 1; int32 y = 1; }\n", []string{"duplicate-number 3:36-3:37"}},
		"name twice":             {head3 + "message M { int32 x = 1; int32 x = 2; }\n", []string{"duplicate-name 3:19-3:20", "duplicate-json-name 3:32-3:33"}},
		"JSON name twice":        {head3 + "message M { int32 foo_bar = 1; int32 fooBar = 2; }\n", []string{"duplicate-json-name 3:38-3:44"}},
		"number zero":            {head3 + "message M { int32 x = 0; }\n", []string{"number-out-of-range 3:23-3:24"}},
		"number of the format":   {head3 + "message M { int32 x = 19500; }\n", []string{"number-out-of-range 3:23-3:28"}},
		"no number":              {head3 + "message M { int32 x; }\n", []string{"missing-number 3:13-3:21"}},
		"reserved number":        {head3 + "message M { reserved 1; int32 x = 1; }\n", []string{"reserved-number 3:35-3:36"}},
		"reserved name":          {head3 + "message M { reserved \"x\"; int32 x = 1; }\n", []string{"reserved-name 3:33-3:34"}},
		"overlapping ranges":     {head3 + "message M { reserved 1 to 5, 3; }\n", []string{"duplicate-number 3:30-3:31"}},
		"default in proto3":      {head3 + "message M { int32 x = 1 [default = 3]; }\n", []string{"not-in-this-edition 3:26-3:37"}},
		"group in proto3":        {head3 + "message M { optional group G = 1 {} }\n", []string{"not-in-this-edition 3:22-3:27"}},
		"unknown option":         {head3 + "message M { int32 x = 1 [nope = 3]; }\n", []string{"unknown-symbol 3:26-3:30"}},
		"option of a wrong type": {head3 + "message M { int32 x = 1 [deprecated = 3]; }\n", []string{"wrong-type 3:39-3:40"}},
		"option twice":           {head3 + "option java_package = \"a\"; option java_package = \"b\";\n", []string{"wrong-option 3:35-3:47"}},
		"map key":                {head3 + "message M { map<float, int32> x = 1; }\n", []string{"wrong-type 3:17-3:22"}},
		"empty oneof":            {head3 + "message M { oneof o { } }\n", []string{"empty-oneof 3:13-3:24"}},
		"empty enum":             {head3 + "enum E { }\n", []string{"empty-enum 3:1-3:11"}},
		"enum without zero":      {head3 + "enum E { A = 1; }\n", []string{"missing-zero-value 3:14-3:15"}},
		"rpc of an enum":         {head3 + "message X{}\nenum E{A=0;}\nservice S { rpc M(E) returns (X); }\n", []string{"wrong-type 5:19-5:20"}},
		"rpc twice":              {head3 + "message X{}\nservice S { rpc M(X) returns (X); rpc M(X) returns (X); }\n", []string{"duplicate-name 4:17-4:18"}},
		"rpc without result":     {head3 + "message X{}\nservice S { rpc M(X); }\n", []string{"syntax 4:18-4:21"}},
		"forgotten semicolon":    {head3 + "message M { int32 x = 1\n int32 y = 2; }\n", []string{"syntax 4:2-4:7"}},
		"open bracket":           {head3 + "message M {\n", []string{"unmatched-bracket 3:11-3:12"}},
		"escape":                 {head3 + "option java_package = \"\\q\";\n", []string{"wrong-literal 3:24-3:26"}},
		"package twice":          {head3 + "package b;\n", []string{"syntax 3:1-3:11"}},
		"extension range":        {"syntax = \"proto2\";\npackage a;\nmessage M {}\nextend M { optional int32 x = 100; }\n", []string{"wrong-extension 4:31-4:34"}},
		"required":               {"syntax = \"proto2\";\npackage a;\nmessage M { required int32 x = 1; }\n", []string{"required-field 3:13-3:21"}},
		"optional in an edition": {"edition = \"2023\";\npackage a;\nmessage M { optional int32 x = 1; }\n", []string{"syntax 3:13-3:21"}},
		"style of edition 2024":  {"edition = \"2024\";\npackage a;\nmessage M { int32 fooBar = 1; }\n", []string{"naming-style 3:19-3:25"}},
		"unknown syntax":         {"syntax = \"proto4\";\npackage a;\nmessage A { string x = 1; }\n", []string{"unknown-edition 1:10-1:18"}},
		"unknown edition":        {"edition = \"2099\";\npackage a;\n", []string{"unknown-edition 1:11-1:17"}},
		"warning in an import":   {head3 + "import \"old.proto\";\nmessage M { o.O x = 1; }\n", nil},
		"package below":          {"syntax = \"proto3\";\nmessage M {}\npackage a;\n", []string{"misplaced-statement 3:1-3:11"}},
		"nothing at all":         {"", []string{"missing-package 1:1-1:1", "missing-syntax 1:1-1:1"}},
		"columns are bytes":      {head3 + "/* ééé */ message é { }", []string{"wrong-name 3:22-3:24"}},
		"columns after a tab":    {head3 + "\tmessage M { Nope x = 1; }\n", []string{"unknown-symbol 3:14-3:18"}},
		"bytes that are no text": {head3 + "message \xff {}", []string{"missing-package 1:1-1:1", "missing-syntax 1:1-1:1", "not-text 3:9-3:10"}},
		"deep nesting":           {head3 + strings.Repeat("message M {", 101), []string{"too-deep 3:1111-3:1112"}},
		"endless statement":      {head3 + strings.Repeat("x ", 2001), []string{"statement-too-long 3:4001-3:4002"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, l := Parse(t.Context(), []string{"a.proto"}, nil, reader(tc.text))
			var got []string
			for _, d := range l {
				got = append(got, fmt.Sprintf("%s %d:%d-%d:%d", d.Code, d.Span.Line, d.Span.Col, d.Span.EndLine, d.Span.EndCol))
				if d.Span.File != "a.proto" {
					t.Errorf("found in %q", d.Span.File)
				}
			}
			if strings.Join(got, ", ") != strings.Join(tc.want, ", ") {
				t.Errorf("want %v, got\n%s", tc.want, show(l))
			}
			if c == nil && !l.HasErrors() {
				t.Error("no contract and no error")
			}
		})
	}
}

func TestFaultsSayWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"import": {head3 + "import \"no/such.proto\";\n", `a.proto:3:8-3:23 error missing-file: imported file "no/such.proto" does not exist
  help: looked in inc, .; give the folder that holds it as an import path
`},
		"related": {head3 + "message M { int32 x = 1; int32 y = 1; }\n", "a.proto:3:36-3:37 error duplicate-number: field number `1` used more than once\n  a.proto:3:23: previously used here\n"},
		"other file": {head3 + "import \"b.proto\";\n", `a.proto:3:1-3:18 error import-cycle: detected cyclic import while importing "b.proto"
  b.proto:3:1: ...which imports "a.proto", completing the cycle
`},
		"suggestion":         {"syntax = \"2023\";\npackage a;\n", "a.proto:1:1-1:7 error unknown-edition: editions must use the `edition` keyword\n  help: replace with `edition`\n"},
		"built in":           {head3 + "message M { int32 x = 1 [deprecated = 3]; }\n", "a.proto:3:39-3:40 error wrong-type: mismatched types\n  help: expected: scalar type `bool` found: integer literal\n"},
		"fault of an import": {head3 + "import \"fault.proto\";\nmessage M { f.F x = 1; }\n", "fault.proto:3:13-3:17 error unknown-symbol: cannot find `Nope` in this scope\n  help: the full name of this scope is `f.F`\n"},
	} {
		t.Run(name, func(t *testing.T) {
			_, l := Parse(t.Context(), []string{"a.proto"}, []string{"inc", "."}, reader(tc.text))
			if got := show(l); got != tc.want {
				t.Errorf("want\n%s\ngot\n%s", tc.want, got)
			}
		})
	}
}

func TestUnreadableFiles(t *testing.T) {
	read := func(name string) ([]byte, error) {
		switch name {
		case "big.proto":
			return make([]byte, maxBytes+1), nil
		case "denied.proto":
			return nil, os.ErrPermission
		case "user.proto":
			return []byte(head3 + "import \"big.proto\";"), nil
		}
		return nil, os.ErrNotExist
	}
	c, l := Parse(t.Context(), []string{"none.proto", "big.proto", "denied.proto"}, nil, read)
	want := `none.proto:0:0-0:0 error missing-file: there is no such file
big.proto:0:0-0:0 error too-large: the file is larger than 16 MB
denied.proto:0:0-0:0 error unreadable-file: the file cannot be read: permission denied
`
	if c != nil || show(l) != want {
		t.Errorf("got\n%s", show(l))
	}
	_, l = Parse(t.Context(), []string{"user.proto"}, nil, read)
	if got := show(l); !strings.Contains(got, "user.proto:3:1-3:20 error unreadable-file: could not open imported file: big.proto: larger than 16 MB") {
		t.Errorf("got\n%s", got)
	}
	if c, l := Parse(t.Context(), nil, nil, read); c != nil || len(l) != 1 || l[0].Code != "no-files" {
		t.Errorf("no files: %s", show(l))
	}
}

// Everything that is a MessageSet is said to be, where it stands.
func TestMessageSet(t *testing.T) {
	text := "syntax = \"proto2\";\npackage p;\nmessage A {\n  option message_set_wire_format = true;\n  extensions 4 to max;\n}\nmessage B {\n  message C { option message_set_wire_format = true; extensions 4 to max; }\n}\n"
	c, l := Parse(t.Context(), []string{"a.proto"}, nil, func(name string) ([]byte, error) {
		if name == "a.proto" {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	})
	got := show(l)
	if c != nil || !strings.Contains(got, "a.proto:3:9-3:10 error message-set") || !strings.Contains(got, "a.proto:8:11-8:12 error message-set") {
		t.Error(got)
	}
}
