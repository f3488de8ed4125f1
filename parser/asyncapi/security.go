package asyncapi

import (
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// readSchemes reads the security schemes of the document's components.
func (r *reader) readSchemes() {
	for key, n := range r.follow(r.root.Get("components")).Get("securitySchemes").Entries() {
		r.scheme(key, n)
	}
}

// scheme reads one security scheme, once.
func (r *reader) scheme(key string, n *node.Node) *contract.Scheme {
	place := n.Span()
	n = r.mapping(n, "a security scheme")
	if n == nil {
		return nil
	}
	if s := r.schemes[n]; s != nil {
		return s
	}
	s := &contract.Scheme{Name: key, Kind: text(n.Get("type")), In: text(n.Get("in")), Param: text(n.Get("name")),
		HTTP: text(n.Get("scheme")), Format: text(n.Get("bearerFormat")), DiscoveryURL: text(n.Get("openIdConnectUrl")),
		Doc: r.doc(layers{n}), Span: place}
	if s.Kind == "httpApiKey" {
		s.Kind = "apiKey"
	}
	for kind, f := range n.Get("flows").Entries() {
		if f.Kind() == node.Map && !strings.HasPrefix(kind, "x-") {
			s.Flows = append(s.Flows, flow(kind, f))
		}
	}
	r.schemes[n] = s
	r.contract.Security = append(r.contract.Security, s)
	return s
}

// flow reads one OAuth 2.0 flow. Version 2 calls the map of scopes scopes, version 3
// availableScopes.
func flow(kind string, n *node.Node) *contract.Flow {
	f := &contract.Flow{Kind: kind, AuthorizationURL: text(n.Get("authorizationUrl")), TokenURL: text(n.Get("tokenUrl")),
		RefreshURL: text(n.Get("refreshUrl"))}
	for _, key := range []string{"scopes", "availableScopes"} {
		for scope := range n.Get(key).Entries() {
			f.Scopes = append(f.Scopes, scope)
		}
	}
	return f
}

// requirements reads a list of alternatives. Version 2 names schemes and gives their
// scopes, all those of one item being required; version 3 refers to one scheme per item.
func (r *reader) requirements(n *node.Node, owner string) [][]contract.Requirement {
	var out [][]contract.Requirement
	for item := range n.Items() {
		if r.version.major == 2 {
			if all := r.named(item); all != nil {
				out = append(out, all)
			}
			continue
		}
		if s := r.scheme(r.schemeName(item, owner), item); s != nil {
			out = append(out, []contract.Requirement{{Scheme: s, Scopes: texts(r.follow(item).Get("scopes"))}})
		}
	}
	return out
}

// named reads an item of version 2. An empty one allows anonymous access.
func (r *reader) named(item *node.Node) []contract.Requirement {
	all := []contract.Requirement{}
	schemes := r.follow(r.root.Get("components")).Get("securitySchemes")
	for name, scopes := range item.Entries() {
		n := schemes.Get(name)
		if n == nil {
			r.diags.Errorf("unknown-scheme", scopes.KeySpan(), "no security scheme is called %q", name).Help =
				"declare it under components.securitySchemes"
			return nil
		}
		if s := r.scheme(name, n); s != nil {
			all = append(all, contract.Requirement{Scheme: s, Scopes: texts(scopes)})
		}
	}
	return all
}

// schemeName is the key that a reference leads to; a scheme in place is called after its
// owner and its type.
func (r *reader) schemeName(item *node.Node, owner string) string {
	if _, ref := item.Ref(); ref != nil {
		if target := r.loader.Target(item); target.Key() != "" {
			return target.Key()
		}
	}
	return owner + "-" + text(item.Get("type"))
}

// maxAlternatives bounds how many combinations of server and operation security are listed.
const maxAlternatives = 32

// secured returns what an operation needs: its own requirements, and those of the servers
// that its channel exists on, which also hold.
func (r *reader) secured(own *node.Node, owner string, on []*node.Node) [][]contract.Requirement {
	var servers [][]contract.Requirement
	for _, s := range on {
		if r.security[s] == nil {
			servers = nil // one of them is open
			break
		}
		servers = append(servers, r.security[s]...)
	}
	mine := r.requirements(own, owner)
	if len(mine) == 0 || len(servers) == 0 {
		return unique(append(mine, servers...))
	}
	var out [][]contract.Requirement
	for _, a := range servers {
		for _, b := range mine {
			if len(out) < maxAlternatives {
				out = append(out, append(append([]contract.Requirement{}, a...), b...))
			}
		}
	}
	return unique(out)
}

// unique drops alternatives that come again, as they do where several servers share a scheme.
func unique(all [][]contract.Requirement) [][]contract.Requirement {
	seen := map[string]bool{}
	var out [][]contract.Requirement
	for _, alternative := range all {
		var key strings.Builder
		for _, q := range alternative {
			key.WriteString(q.Scheme.Name + " " + strings.Join(q.Scopes, " ") + "\n")
		}
		if !seen[key.String()] {
			seen[key.String()] = true
			out = append(out, alternative)
		}
	}
	return out
}
