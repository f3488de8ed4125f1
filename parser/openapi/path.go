package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// methods are the fields of a path item that hold operations. QUERY is OpenAPI 3.2's.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}

// maxVars is how many variables a path may have: a finding about each repeats the path.
const maxVars = 50

// A place is a path with what its path item says for all its operations.
type place struct {
	path    string
	key     *node.Node // the path item where it is listed, for diagnostics about the path
	vars    []string   // {variables} in order
	params  []*node.Node
	servers []*contract.Server
	doc     contract.Doc
	hook    string // name of the webhook or callback; "" for a path
}

func (r *reader) paths() {
	paths := r.root.Get("paths")
	if paths == nil && !r.root.Has("webhooks") && !r.root.Has("components") {
		r.diags.Errorf("missing-field", r.root.Span(), "the document has no paths")
	}
	if !node.Expect(r.diags, paths, "paths", node.Map) {
		return
	}
	shapes := map[string]*node.Node{}
	for path, item := range paths.Entries() {
		if strings.HasPrefix(path, "x-") {
			continue
		}
		r.ambiguous(path, item, shapes)
		r.pathItem(path, item)
	}
}

// ambiguous reports paths that differ only in the names of their variables: no server
// can tell them apart.
func (r *reader) ambiguous(path string, item *node.Node, shapes map[string]*node.Node) {
	var b strings.Builder
	for i, part := range strings.Split(path, "{") {
		if i > 0 {
			_, rest, closed := strings.Cut(part, "}")
			if !closed {
				return
			}
			b.WriteString("{}")
			part = rest
		}
		b.WriteString(part)
	}
	first := shapes[b.String()]
	if first == nil {
		shapes[b.String()] = item
		return
	}
	for _, m := range methods {
		if item.Has(m) && first.Has(m) {
			d := r.diags.Errorf("ambiguous-path", item.KeySpan(), "the path %s differs from another only in the names of its variables", strconv.Quote(path))
			d.Related = []diag.Related{{Span: first.KeySpan(), Message: "the other path"}}
			return
		}
	}
}

func (r *reader) pathItem(path string, item *node.Node) {
	if !node.Expect(r.diags, item, "a path", node.Map) {
		return
	}
	r.place(&place{path: path, key: item, vars: r.variables(path, item)}, item)
}

// place reads the operations of a path item.
func (r *reader) place(p *place, item *node.Node) {
	layers := r.layers(item)
	for _, layer := range layers {
		r.known(layer, "pathItem")
		if list := layer.Get("parameters"); node.Expect(r.diags, list, "parameters", node.List) {
			p.params = append(p.params, slices.Collect(list.Items())...)
		}
		if s := layer.Get("servers"); s != nil {
			p.servers = r.servers(s)
		}
		if d := r.doc(layer); d != (contract.Doc{}) {
			p.doc = d
		}
	}
	done := map[string]bool{}
	for i, layer := range slices.Backward(layers) { // what stands beside a $ref goes first
		for key, op := range layer.Entries() {
			if slices.Contains(methods, key) && !done[key] {
				done[key] = true
				r.operation(p, strings.ToUpper(key), op)
			}
		}
		if more := layer.Get("additionalOperations"); i == len(layers)-1 && node.Expect(r.diags, more, "additionalOperations", node.Map) {
			for method, op := range more.Entries() {
				r.operation(p, method, op)
			}
		}
	}
}

// layers returns a path item behind what its $ref leads to: the outermost last.
func (r *reader) layers(item *node.Node) []*node.Node {
	layers := []*node.Node{item}
	if _, ref := item.Ref(); ref != nil {
		if target := r.object(item, "a path"); target != nil {
			layers = []*node.Node{target, item}
		}
	}
	return layers
}

// variables returns the {variables} of a path and reports what is wrong with their form.
func (r *reader) variables(path string, item *node.Node) []string {
	if !strings.HasPrefix(path, "/") {
		r.diags.Warnf("bad-path", item.KeySpan(), "the path %s does not begin with a slash", strconv.Quote(path))
	}
	if strings.ContainsAny(path, "?#") {
		r.diags.Warnf("bad-path", item.KeySpan(), "the path %s holds a query or a fragment, which are no part of a path", strconv.Quote(path)).
			Help = "declare what follows as parameters in: query"
	}
	var vars []string
	rest := path
	for {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			return vars
		}
		name, after, closed := strings.Cut(rest[i+1:], "}")
		if rest[i] == '}' || !closed || name == "" || strings.Contains(name, "{") {
			r.diags.Errorf("bad-path", item.KeySpan(), "the braces of the path %s do not match", strconv.Quote(path))
			return vars
		}
		if len(vars) == maxVars {
			r.diags.Errorf("bad-path", item.KeySpan(), "the path has more than %d variables", maxVars)
			return vars
		}
		if slices.Contains(vars, name) {
			r.diags.Errorf("duplicate-parameter", item.KeySpan(), "the path %s has the variable %s twice", strconv.Quote(path), strconv.Quote(name))
			return vars
		}
		vars = append(vars, name)
		rest = after
	}
}
