package asyncapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

	specs "github.com/asyncapi/spec-json-schemas/v6"
	official "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// compiled holds the official JSON Schema of every version, compiled when it is first
// asked for. Nothing changes it afterwards.
var compiled = func() map[version]func() (*official.Schema, error) {
	out := map[version]func() (*official.Schema, error){}
	for major, last := range newest {
		for minor := range last + 1 {
			v := version{major, minor}
			out[v] = sync.OnceValues(func() (*official.Schema, error) { return compile(v) })
		}
	}
	return out
}()

// fetch guards the official package's map, which has no lock of its own.
var fetch sync.Mutex

func compile(v version) (*official.Schema, error) {
	fetch.Lock()
	raw, err := specs.Get(v.String())
	fetch.Unlock()
	if err != nil || raw == nil {
		return nil, fmt.Errorf("no schema for %s: %w", v, err)
	}
	doc, err := official.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	const name = "mem:///asyncapi.json"
	c := official.NewCompiler()
	c.UseLoader(offline{})
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// offline refuses to load what the official schema does not bring along.
type offline struct{}

func (offline) Load(url string) (any, error) { return nil, fmt.Errorf("%s is not fetched", url) }

// validate returns what the official schema finds in the document itself. Other files hold
// fragments, for which there is no schema; reading them reports their faults.
func (r *reader) validate() diag.List {
	var found diag.List
	schema, err := compiled[r.version]()
	if err != nil {
		found.Warnf("no-official-schema", r.root.Span(), "the document is not checked against the official schema: %v", err)
		return found
	}
	doc := plain(r.root).(map[string]any)
	doc["asyncapi"] = r.version.String()
	if err, ok := schema.Validate(doc).(*official.ValidationError); ok {
		for _, leaf := range leaves(err) {
			r.explain(leaf, &found)
		}
	}
	return found.Sorted() // the validator walks maps
}

// plain turns a tree into what the validator takes.
func plain(n *node.Node) any {
	switch n.Kind() {
	case node.Map:
		out := make(map[string]any, n.Len())
		for key, kid := range n.Entries() {
			out[key] = plain(kid)
		}
		return out
	case node.List:
		out := make([]any, 0, n.Len())
		for kid := range n.Items() {
			out = append(out, plain(kid))
		}
		return out
	case node.String:
		return n.Text()
	case node.Number:
		return number(n.Text())
	case node.Bool:
		return n.True()
	}
	return nil
}

// number keeps all digits, save where an exponent would make the validator write out more
// of them than there is memory. The official schemas bound no number that large.
func number(text string) json.Number {
	if f, err := strconv.ParseFloat(text, 64); err != nil || len(text) > 400 || f == 0 {
		return "0"
	}
	return json.Number(text)
}

// silenced returns those findings of the official schema at whose place reading the
// document has not reported a fault already, in better words.
func silenced(found, told diag.List) diag.List {
	type place struct {
		file      string
		line, col int
	}
	said := map[place]bool{}
	for _, d := range told {
		if d.Severity == diag.Error {
			said[place{d.Span.File, d.Span.Line, d.Span.Col}] = true
		}
	}
	return slices.DeleteFunc(found, func(d *diag.Diagnostic) bool {
		return said[place{d.Span.File, d.Span.Line, d.Span.Col}]
	})
}
