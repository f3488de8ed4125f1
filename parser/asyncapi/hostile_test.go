package asyncapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// readerOf returns a reader of a document before it has read anything.
func readerOf(t *testing.T, text string) *reader {
	t.Helper()
	var ds diag.List
	l := node.NewLoader(from(map[string]string{"a.yaml": text}), &ds)
	root := l.Load("a.yaml")
	v, ok := versionOf(root, &ds)
	if !ok {
		t.Fatal(ds[0].Message)
	}
	return newReader(t.Context(), l, root, v, &ds)
}

// survive reads a document of which only that is expected: no panic, places on everything
// that is found, and a contract that can be printed.
func survive(t *testing.T, text string) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("panic %v on\n%s", p, text)
		}
	}()
	shared, _ := os.ReadFile("testdata/shared/messages.yaml")
	c, ds := Parse(t.Context(), "testdata/a.yaml", from(map[string]string{
		"testdata/a.yaml": text, "testdata/orders.yaml": text, "testdata/shared/messages.yaml": string(shared)}))
	for _, d := range ds {
		if d.Span.File == "" || d.Span.Line < 1 || d.Span.Col < 1 {
			t.Fatalf("no place: %s on\n%s", show(d), text)
		}
	}
	if c == nil {
		if !ds.HasErrors() {
			t.Fatalf("neither a contract nor a fault on\n%s", text)
		}
		return
	}
	if err := contract.Dump(&bytes.Buffer{}, c); err != nil {
		t.Fatal(err)
	}
}

// TestMutations puts something else in the place of every value of two documents, one at
// a time.
func TestMutations(t *testing.T) {
	for _, file := range []string{"testdata/orders.yaml", "testdata/lights.json"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var ds diag.List
		l := node.NewLoader(os.ReadFile, &ds)
		root := l.Load(file)
		doc := plain(root)
		n := 0
		for _, other := range []any{nil, []any{}, []any{map[string]any{}}, map[string]any{}, map[string]any{"$ref": "#"}, "text", json.Number("-1.5"), true} {
			mutate(&doc, func() {
				text, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				n++
				survive(t, string(text))
			}, other)
		}
		if n < 8*50 {
			t.Errorf("%s: only %d mutations of %d bytes", file, n, len(data))
		}
	}
}

// mutate calls f with every value below v replaced by other in turn.
func mutate(v *any, f func(), other any) {
	was := *v
	*v = other
	f()
	*v = was
	switch w := was.(type) {
	case map[string]any:
		for key, kid := range w {
			mutate(&kid, func() {
				w[key] = kid
				f()
			}, other)
			w[key] = kid
		}
	case []any:
		for i := range w {
			mutate(&w[i], f, other)
		}
	}
}

// TestTruncations cuts documents off at every line, and around it.
func TestTruncations(t *testing.T) {
	for _, file := range []string{"testdata/orders.yaml", "testdata/lights.json"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range data {
			if c == '\n' || i%37 == 0 {
				survive(t, string(data[:i]))
			}
		}
	}
}

// TestCycles shows that references in circles, of every kind, end.
func TestCycles(t *testing.T) {
	texts := []string{
		head3 + "channels: {$ref: '#/channels'}\n",
		head3 + "channels: {a: {$ref: '#/channels/b'}, b: {$ref: '#/channels/a'}}\noperations: {o: {action: send, channel: {$ref: '#/channels/a'}}}\n",
		head3 + "operations: {o: {$ref: '#/operations/o'}}\n",
		head3 + "components: {$ref: '#/components'}\n",
		head3 + "components: {securitySchemes: {s: {$ref: '#/components/securitySchemes/s'}}}\n",
		head3 + "servers: {s: {$ref: '#/servers/s'}}\n",
		head2 + "channels: {a: {publish: {message: {oneOf: [{$ref: '#/channels/a/publish/message'}]}}}}\n",
		head2 + "channels: {a: {publish: {traits: [{$ref: '#/channels/a/publish'}], message: {traits: [{$ref: '#/channels/a/publish/message'}]}}}}\n",
		one("{payload: {$ref: '#/channels/c/messages/m/payload'}}"),
		one("{payload: {type: object, properties: {p: {$ref: '#/channels/c/messages/m/payload'}}}}"),
		one("{payload: {allOf: [{$ref: '#/channels/c/messages/m/payload'}]}}"),
		one("{payload: {}, headers: {$ref: '#/channels/c/messages/m/headers'}}"),
		one("{payload: {}, bindings: {$ref: '#/channels/c/messages/m/bindings'}}"),
		one("{payload: {}, correlationId: {$ref: '#/channels/c/messages/m/correlationId'}}"),
		one("{payload: {}, bindings: {kafka: {key: {$ref: '#/channels/c/messages/m/bindings/kafka/key'}}}}"),
		one("{$ref: '#'}"),
		one("{payload: {$ref: 'a.yaml'}}"),
		"asyncapi: 3.0.0\ninfo: &i {title: T, version: '1', x: *i}\n",
	}
	for _, text := range texts {
		survive(t, text)
	}
}

// TestManyMessages reads a document in which many operations share a channel of many
// messages, whose product would be too much.
func TestManyMessages(t *testing.T) {
	var b strings.Builder
	b.WriteString(head3 + "channels:\n  c:\n    address: a\n    messages:\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "      m%d: {payload: {type: string}}\n", i)
	}
	b.WriteString("operations:\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "  o%d: {action: send, channel: {$ref: '#/channels/c'}}\n", i)
	}
	c, _ := parse(t, b.String())
	ops := operations(c)
	if len(ops) != 3000 || len(ops["o7"].In.OneOf) != 3000 || ops["o7"].In != ops["o2999"].In {
		t.Errorf("%d operations", len(ops))
	}
}

// TestCancelled gives up when its caller does.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, ds := Parse(ctx, "a.yaml", from(map[string]string{"a.yaml": one("{payload: {}}")}))
	if places(ds) != "error 1:1 cancelled" {
		t.Errorf("found %s", places(ds))
	}
}
