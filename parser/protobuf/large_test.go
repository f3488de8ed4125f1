package protobuf

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// largeTree is n files in packages of ten, each with messages, enums, a service and imports
// of files before it, about a hundred lines each.
func largeTree(n int) (names []string, read func(string) ([]byte, error)) {
	files := map[string]string{}
	for i := range n {
		name := fileName(i)
		names = append(names, name)
		files[name] = fileText(i)
	}
	return names, func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
}

func fileName(i int) string { return fmt.Sprintf("acme/p%d/v1/file%d.proto", i/10, i) }

func fileText(i int) string {
	syntax := []string{`syntax = "proto3";`, `edition = "2023";`, `syntax = "proto2";`}[i%3]
	label := []string{"", "", "optional "}[i%3]
	var b strings.Builder
	fmt.Fprintf(&b, "%s\npackage acme.p%d.v1;\nimport \"google/protobuf/timestamp.proto\";\nimport \"google/api/annotations.proto\";\n", syntax, i/10)
	for _, back := range []int{1, 7, 100} {
		if i >= back {
			fmt.Fprintf(&b, "import %q;\n", fileName(i-back))
		}
	}
	for m := range 6 {
		fmt.Fprintf(&b, "// Message%d_%d is about something.\nmessage Message%d_%d {\n", i, m, i, m)
		for f := range 8 {
			fmt.Fprintf(&b, "  // field %d\n  %sstring field_%d = %d;\n", f, label, f, f+1)
		}
		fmt.Fprintf(&b, "  %sgoogle.protobuf.Timestamp at = 20;\n", label)
		for n, back := range []int{1, 7, 100} {
			if i >= back {
				fmt.Fprintf(&b, "  repeated acme.p%d.v1.Message%d_0 other_%d = %d;\n", (i-back)/10, i-back, n, 30+n)
			}
		}
		b.WriteString("}\n")
	}
	fmt.Fprintf(&b, "service Service%d {\n  rpc Get(Message%d_0) returns (Message%d_1) { option (google.api.http) = { get: \"/v1/%d/{field_0=*/x/*}\" }; }\n}\n", i, i, i, i)
	return b.String()
}

// A large tree is read whole; BenchmarkTree says how long two thousand files take.
func TestLargeTree(t *testing.T) {
	const n = 300
	names, read := largeTree(n)
	c, l := Parse(t.Context(), names, nil, read)
	if l.HasErrors() {
		t.Fatal(show(l))
	}
	if len(c.Services) != n || len(c.Files) != n {
		t.Errorf("%d services, %d files", len(c.Services), len(c.Files))
	}
}

// A fault somewhere in a large tree is found where it is.
func TestFaultInLargeTree(t *testing.T) {
	names, read := largeTree(200)
	_, l := Parse(t.Context(), names, nil, func(name string) ([]byte, error) {
		text, err := read(name)
		if name == names[117] && err == nil {
			return []byte(strings.Replace(string(text), "string field_3", "strin field_3", 2)), nil
		}
		return text, err
	})
	var at []string
	for _, d := range l {
		if d.Code == "unknown-symbol" {
			at = append(at, fmt.Sprintf("%s:%d:%d", d.Span.File, d.Span.Line, d.Span.Col))
		}
	}
	if len(at) != 2 || !strings.HasPrefix(at[0], names[117]+":") {
		t.Error(at, show(l))
	}
}

func BenchmarkTree(b *testing.B) {
	names, read := largeTree(2000)
	for b.Loop() {
		if _, l := Parse(b.Context(), names, nil, read); l.HasErrors() {
			b.Fatal(show(l))
		}
	}
}
