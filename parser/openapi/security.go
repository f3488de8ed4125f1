package openapi

import (
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

func (r *reader) securitySchemes(list *node.Node) {
	if !node.Expect(r.diags, list, "securitySchemes", node.Map) {
		return
	}
	for name, n := range list.Entries() {
		at := n.KeySpan()
		n = r.object(n, "a security scheme")
		if n == nil {
			continue
		}
		s := &contract.Scheme{
			Name: name, Kind: r.text(n, "type"), In: r.text(n, "in"), Param: r.text(n, "name"),
			HTTP: strings.ToLower(r.text(n, "scheme")), Format: r.text(n, "bearerFormat"),
			DiscoveryURL: r.text(n, "openIdConnectUrl"), Doc: r.doc(n), Span: at,
		}
		switch s.Kind {
		case "apiKey", "http", "oauth2", "openIdConnect", "mutualTLS":
		case "":
			r.diags.Errorf("missing-field", at, "the security scheme %s has no type", strconv.Quote(name))
		default:
			r.diags.Errorf("unknown-scheme", n.Get("type").Span(), "there is no security scheme of type %s", strconv.Quote(s.Kind)).
				Help = "the types are apiKey, http, oauth2, openIdConnect and mutualTLS"
		}
		s.Flows = r.flows(n.Get("flows"))
		r.schemes[name] = s
		r.contract.Security = append(r.contract.Security, s)
	}
}

func (r *reader) flows(list *node.Node) []*contract.Flow {
	if !node.Expect(r.diags, list, "flows", node.Map) {
		return nil
	}
	var flows []*contract.Flow
	for kind, n := range list.Entries() {
		if strings.HasPrefix(kind, "x-") || !node.Expect(r.diags, n, "a flow", node.Map) {
			continue
		}
		f := &contract.Flow{Kind: kind, AuthorizationURL: r.text(n, "authorizationUrl"),
			TokenURL: r.text(n, "tokenUrl"), RefreshURL: r.text(n, "refreshUrl")}
		for scope := range n.Get("scopes").Entries() {
			f.Scopes = append(f.Scopes, scope)
		}
		flows = append(flows, f)
	}
	return flows
}

// requirements reads a list of alternatives, each a map of schemes that hold together.
func (r *reader) requirements(list *node.Node) [][]contract.Requirement {
	if !node.Expect(r.diags, list, "security", node.List) {
		return nil
	}
	var all [][]contract.Requirement
	for item := range list.Items() {
		if !node.Expect(r.diags, item, "a security requirement", node.Map) {
			continue
		}
		together, whole := []contract.Requirement{}, true
		for name, scopes := range item.Entries() {
			s := r.schemes[name]
			if s == nil {
				r.diags.Errorf("unknown-scheme", scopes.KeySpan(), "there is no security scheme %s", strconv.Quote(name)).
					Help = "declare it under components, securitySchemes"
				whole = false
				continue
			}
			q := contract.Requirement{Scheme: s}
			for scope := range scopes.Items() {
				q.Scopes = append(q.Scopes, scope.Text())
			}
			together = append(together, q)
		}
		if whole || len(together) > 0 { // a broken alternative must not turn into "anybody"
			all = append(all, together)
		}
	}
	return all
}

func (r *reader) servers(list *node.Node) []*contract.Server {
	if !node.Expect(r.diags, list, "servers", node.List) {
		return nil
	}
	var servers []*contract.Server
	for n := range list.Items() {
		if !node.Expect(r.diags, n, "a server", node.Map) {
			continue
		}
		s := &contract.Server{Name: r.text(n, "name"), URL: r.text(n, "url"), Doc: contract.Doc{Detail: r.text(n, "description")}, Span: n.Span()}
		if s.URL == "" {
			r.diags.Warnf("missing-field", n.Span(), "the server has no url")
		}
		if scheme, _, ok := strings.Cut(s.URL, "://"); ok && !strings.Contains(scheme, "{") {
			s.Protocol = scheme
		}
		s.Vars = r.serverVariables(n)
		servers = append(servers, s)
	}
	return servers
}

func (r *reader) serverVariables(server *node.Node) []*contract.Variable {
	list := server.Get("variables")
	if !node.Expect(r.diags, list, "variables", node.Map) {
		return nil
	}
	var vars []*contract.Variable
	for name, n := range list.Entries() {
		if !node.Expect(r.diags, n, "a variable", node.Map) {
			continue
		}
		v := &contract.Variable{Name: name, Default: n.Get("default").Text(), Doc: contract.Doc{Detail: r.text(n, "description")}, Span: n.KeySpan()}
		for item := range n.Get("enum").Items() {
			v.Enum = append(v.Enum, item.Text())
		}
		vars = append(vars, v)
	}
	return vars
}
