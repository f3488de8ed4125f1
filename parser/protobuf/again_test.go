package protobuf

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/concordat-dev/concordat/contract"
)

// A public import of a public import is visible, as protoc has it.
func TestPublicImportsInARow(t *testing.T) {
	files := map[string]string{
		"c.proto":  "syntax = \"proto3\";\npackage c;\nimport \"b.proto\";\n// S serves.\nservice S {\n  // P pings.\n  rpc P(a.A) returns (a.A);\n}\n",
		"b.proto":  "syntax = \"proto3\";\npackage b;\nimport public \"a2.proto\";\n",
		"a2.proto": "syntax = \"proto3\";\npackage a2;\nimport public \"a.proto\";\n",
		"a.proto":  "syntax = \"proto3\";\npackage a;\nmessage A { string x = 1; }\n",
	}
	read := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	c, l := Parse(t.Context(), []string{"c.proto"}, []string{"."}, read)
	if l.HasErrors() || c == nil {
		t.Fatal(show(l))
	}
	op := c.Services[0].Operations[0]
	if g := op.Wire.(*contract.GRPC); g.In != "a.A" || op.Doc.Summary != "P pings." || op.Span.Line != 7 {
		t.Errorf("got %+v, %+v, line %d", g, op.Doc, op.Span.Line)
	}
	files["c.proto"] += "message M { a.Nope x = 1; }\n"
	if _, l := Parse(t.Context(), []string{"c.proto"}, []string{"."}, read); !l.HasErrors() {
		t.Error("a name that is nowhere was found")
	}
}
