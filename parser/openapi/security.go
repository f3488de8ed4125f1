package openapi

import (
	"slices"
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
		r.checkScheme(s, n, at)
		r.schemes[name] = s
		r.contract.Security = append(r.contract.Security, s)
	}
}

// checkScheme reports what is missing for anybody to use a scheme.
func (r *reader) checkScheme(s *contract.Scheme, n *node.Node, at contract.Span) {
	switch s.Kind {
	case "apiKey":
		r.need(s, "name", s.Param, at)
		r.need(s, "in", s.In, at)
		if s.In != "" && !slices.Contains([]string{"header", "query", "cookie"}, s.In) {
			r.diags.Errorf("unknown-value", n.Get("in").Span(), "a key cannot travel in %s", strconv.Quote(s.In)).
				Help = "the places are header, query and cookie"
		}
	case "http":
		r.need(s, "scheme", s.HTTP, at)
		if s.HTTP != "" && !slices.Contains(registered, s.HTTP) {
			r.diags.Warnf("unknown-value", n.Get("scheme").Span(), "%s is no registered HTTP authentication scheme", strconv.Quote(s.HTTP)).
				Help = "the usual ones are basic and bearer; a key in a header of its own is type apiKey"
		}
	case "oauth2":
		for _, f := range s.Flows {
			if f.TokenURL == "" && f.Kind != "implicit" {
				r.diags.Warnf("missing-field", at, "the flow %s of the security scheme %s has no tokenUrl", f.Kind, strconv.Quote(s.Name))
			}
		}
		if n.Get("flows") == nil {
			r.diags.Warnf("missing-field", at, "the security scheme %s has no flows", strconv.Quote(s.Name))
		}
	case "openIdConnect":
		if s.DiscoveryURL == "" {
			r.diags.Warnf("missing-field", at, "the security scheme %s has no openIdConnectUrl", strconv.Quote(s.Name))
		}
	}
}

// need reports a field without which no credential can be sent.
func (r *reader) need(s *contract.Scheme, field, value string, at contract.Span) {
	if value == "" {
		r.diags.Errorf("missing-field", at, "the security scheme %s has no %s", strconv.Quote(s.Name), field)
	}
}

// registered are the schemes of IANA's registry (RFC 9110, 16.4.1).
var registered = []string{"basic", "bearer", "concealed", "digest", "dpop", "gnap", "hoba", "mutual", "negotiate", "oauth", "privatetoken",
	"scram-sha-1", "scram-sha-256", "vapid"}

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
