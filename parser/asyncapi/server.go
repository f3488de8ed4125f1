package asyncapi

import (
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// readServers reads the servers of the document.
func (r *reader) readServers() {
	for key, n := range r.root.Get("servers").Entries() {
		if s := r.server(key, n); s != nil {
			r.contract.Servers = append(r.contract.Servers, s)
		}
	}
}

// server reads one server, once.
func (r *reader) server(key string, n *node.Node) *contract.Server {
	place := n.Span()
	n = r.mapping(n, "a server")
	if n == nil {
		return nil
	}
	if s := r.servers[n]; s != nil {
		return s
	}
	s := &contract.Server{Name: key, Protocol: text(n.Get("protocol")), URL: address(n), Doc: r.doc(layers{n}), Span: place}
	s.Bindings = r.bindings("server", layers{n})
	for name, v := range n.Get("variables").Entries() {
		if v = r.mapping(v, "a server variable"); v != nil {
			s.Vars = append(s.Vars, &contract.Variable{Name: name, Default: text(v.Get("default")),
				Enum: texts(v.Get("enum")), Doc: r.doc(layers{v}), Span: v.Span()})
		}
	}
	r.undeclared(s, n)
	r.servers[n] = s
	r.security[n] = r.requirements(n.Get("security"), key)
	return s
}

// address joins what version 3 writes apart. A URL without a scheme gets the protocol's.
func address(n *node.Node) string {
	url := text(n.Get("url"))
	if url == "" {
		url = text(n.Get("host")) + text(n.Get("pathname"))
	}
	if protocol := text(n.Get("protocol")); protocol != "" && url != "" && !strings.Contains(url, "://") {
		return protocol + "://" + url
	}
	return url
}

// undeclared reports variables of the URL that are not declared.
func (r *reader) undeclared(s *contract.Server, n *node.Node) {
	for _, name := range placeholders(s.URL) {
		if !n.Get("variables").Has(name) {
			at := n.Get("url")
			if at == nil {
				at = n.Get("host")
			}
			r.diags.Warnf("undeclared-variable", at.Span(), "the server %s does not declare the variable {%s}", s.Name, name)
			s.Vars = append(s.Vars, &contract.Variable{Name: name, Span: at.Span()})
		}
	}
}

// placeholders returns the names in braces, each once, in order.
func placeholders(template string) []string {
	var out []string
	seen := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(template, "{")
		if !ok {
			return out
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return out
		}
		if name != "" && !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
		template = after
	}
}

// texts returns the scalars of a list.
func texts(n *node.Node) []string {
	var out []string
	for item := range n.Items() {
		if item.Kind() < node.List {
			out = append(out, item.Text())
		}
	}
	return out
}
