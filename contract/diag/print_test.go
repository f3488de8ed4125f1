package diag_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

func at(file string, line, col, endCol int) contract.Span {
	return contract.Span{File: file, Line: line, Col: col, EndLine: line, EndCol: endCol}
}

func source(src string) diag.Read { return func(string) ([]byte, error) { return []byte(src), nil } }

func ExamplePrinter_Print() {
	src := "paths:\n  /pets:\n    get:\n      operationId: listPets\n  /dogs:\n    get:\n      operationId: listPets\n"
	var l diag.List
	d := l.Errorf("duplicate-operation", at("pets.yaml", 7, 20, 28), "operation listPets is already defined")
	d.Related = []diag.Related{{Span: at("pets.yaml", 4, 20, 28), Message: "first defined here"}}
	d.Help = "operationId must be unique in the document; it becomes the method name"
	(&diag.Printer{W: os.Stdout, Read: source(src)}).Print(l)
	// Output:
	// pets.yaml:7:20: error: operation listPets is already defined [duplicate-operation]
	//     7 |       operationId: listPets
	//       |                    ^^^^^^^^
	//   pets.yaml:4:20: first defined here
	//     4 |       operationId: listPets
	//       |                    --------
	//   help: operationId must be unique in the document; it becomes the method name
}

func print(l diag.List, src string) string {
	var b strings.Builder
	(&diag.Printer{W: &b, Read: source(src)}).Print(l)
	return b.String()
}

func TestFrames(t *testing.T) {
	long := strings.Repeat("x", 5000) + `"bad"` + strings.Repeat("y", 5000)
	for _, c := range []struct {
		name, src string
		span      contract.Span
		want      []string
	}{
		{"tabs", "\tname: é bad", at("f", 1, 11, 14), []string{"    1 |     name: é bad\n", "      |             ^^^\n"}},
		{"long line", long, at("f", 1, 5001, 5006), []string{"| …" + strings.Repeat("x", 40) + `"bad"y`, "| " + strings.Repeat(" ", 41) + "^^^^^\n"}},
		{"past the end", "short", at("f", 1, 99, 120), []string{"| short\n", "|      ^\n"}},
		{"line past the end", "short", at("f", 9, 1, 2), []string{"f:9:1: error: m [c]\n"}},
		{"no line", "short", contract.Span{File: "f"}, []string{"f: error: m [c]\n"}},
		{"nowhere", "short", contract.Span{}, []string{"error: m [c]\n"}},
		{"control", "a\x00b\r\n", at("f", 1, 1, 3), []string{"| a\uFFFDb\n", "| ^^\n"}},
		{"one strange byte", "title: Gr\xfcn", at("f", 1, 10, 11), []string{"| title: Gr\uFFFDn\n"}},
		{"several lines", "first\nsecond", contract.Span{File: "f", Line: 1, Col: 2, EndLine: 2, EndCol: 3}, []string{"|  ^^^^\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l diag.List
			l.Errorf("c", c.span, "m")
			got := print(l, c.src)
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("got\n%s\nwant %q in it", got, w)
				}
			}
		})
	}
}

// A line that nobody can read is not shown.
func TestNoFrames(t *testing.T) {
	for _, src := range []string{"", "  \t", "\x7f\x00\x01ELF\xff"} {
		var l diag.List
		l.Errorf("c", at("f", 1, 1, 2), "m")
		if got := print(l, src); got != "f:1:1: error: m [c]\n" {
			t.Errorf("%q: got\n%s", src, got)
		}
	}
}

func TestOrderAndRepetition(t *testing.T) {
	var l diag.List
	l.Warnf("b", at("f", 2, 1, 2), "second")
	l.Errorf("a", at("f", 1, 1, 2), "first")
	l.Errorf("a", at("f", 1, 1, 2), "first")
	got := print(l, "x\ny\n")
	if strings.Count(got, "first") != 1 || strings.Index(got, "first") > strings.Index(got, "second") {
		t.Errorf("got\n%s", got)
	}
	if !l.HasErrors() || l.Count(diag.Error) != 2 || l.Count(diag.Warning) != 1 {
		t.Errorf("counts are wrong: %d errors, %d warnings", l.Count(diag.Error), l.Count(diag.Warning))
	}
}

func TestUnreadableSource(t *testing.T) {
	var l diag.List
	l.Errorf("c", at("f", 1, 1, 2), "m")
	var b strings.Builder
	(&diag.Printer{W: &b, Read: func(string) ([]byte, error) { return nil, errors.New("gone") }}).Print(l)
	if got := b.String(); got != "f:1:1: error: m [c]\n" {
		t.Errorf("got %q", got)
	}
}

func TestColor(t *testing.T) {
	var l diag.List
	l.Errorf("c", at("f", 1, 1, 2), "m")
	var b strings.Builder
	(&diag.Printer{W: &b, Read: source("x"), Color: true}).Print(l)
	if !strings.Contains(b.String(), "\x1b[1;31merror:\x1b[0m") {
		t.Errorf("got %q", b.String())
	}
}

func ExampleWriteJSON() {
	var l diag.List
	d := l.Errorf("missing-file", at("a.yaml", 3, 5, 9), "no file <x>")
	d.Span.Path, d.Help = "#/paths", "create it"
	_ = diag.WriteJSON(os.Stdout, l)
	// Output:
	// {
	//   "diagnostics": [
	//     {
	//       "severity": "error",
	//       "code": "missing-file",
	//       "message": "no file <x>",
	//       "file": "a.yaml",
	//       "line": 3,
	//       "column": 5,
	//       "endLine": 3,
	//       "endColumn": 9,
	//       "path": "#/paths",
	//       "help": "create it"
	//     }
	//   ]
	// }
}

func ExampleWriteGitHub() {
	var l diag.List
	l.Errorf("a-code", at("a,b.yaml", 3, 5, 9), "50%% wrong").Help = "mend it"
	l.Warnf("a-code", contract.Span{File: "a.yaml"}, "somewhere")
	l.Warnf("a-code", contract.Span{}, "nowhere")
	diag.WriteGitHub(os.Stdout, l)
	// Output:
	// ::warning title=a-code::nowhere
	// ::error file=a%2Cb.yaml,line=3,col=5,endLine=3,endColumn=9,title=a-code::50%25 wrong%0Amend it
	// ::warning file=a.yaml,title=a-code::somewhere
}
