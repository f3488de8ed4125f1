package generator

import (
	"fmt"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// secure gives the package a variable for every security scheme that an operation needs,
// and one for every distinct set of requirements. Schemes of AsyncAPI are for brokers,
// whose packages know them.
func (p *pass) secure(services []*service) {
	if p.c.Format != contract.OpenAPI {
		return
	}
	s := &securer{pass: p, schemes: map[*contract.Scheme]string{}, needs: map[string]string{}}
	for _, svc := range services {
		for _, op := range svc.ops {
			if len(op.Security) > 0 {
				op.method.Op.Security = s.requirements(op.Security)
			}
		}
	}
	for _, scheme := range p.c.Security {
		if s.schemes[scheme] == "" {
			p.remark("unused-scheme", scheme.Span, "no operation needs the security scheme %s; it is left out", scheme.Name)
		}
	}
}

// A securer names schemes and requirements as operations need them.
type securer struct {
	*pass
	schemes map[*contract.Scheme]string // Go names
	needs   map[string]string           // by what they say: variables
}

// requirements returns the variable that holds any.
func (s *securer) requirements(any [][]contract.Requirement) string {
	out, ways := &golang.Security{}, []string{}
	for _, all := range any {
		together, names := []golang.Requirement{}, []string{}
		for _, q := range all {
			name := s.scheme(q.Scheme)
			together, names = append(together, golang.Requirement{Scheme: name, Scopes: q.Scopes}), append(names, name)
		}
		if len(names) == 0 {
			names = []string{"Nothing"}
		}
		out.Any, ways = append(out.Any, together), append(ways, strings.Join(names, "And"))
	}
	key := fmt.Sprintf("%q", out.Any)
	if v := s.needs[key]; v != "" {
		return v
	}
	name := strings.Join(ways, "Or")
	if len(name) > 40 {
		name = "Credentials"
	}
	out.Var = s.names.name("needs" + name)
	s.needs[key] = out.Var
	s.out.Security = append(s.out.Security, out)
	return out.Var
}

// scheme returns the variable of a scheme.
func (s *securer) scheme(from *contract.Scheme) string {
	if name := s.schemes[from]; name != "" {
		return name
	}
	out := &golang.Scheme{Name: from.Name, Kind: from.Kind, In: from.In, Param: from.Param, HTTP: from.HTTP, DiscoveryURL: from.DiscoveryURL}
	for _, f := range from.Flows {
		if f.TokenURL != "" && (out.TokenURL == "" || f.Kind == "clientCredentials") {
			out.TokenURL = f.TokenURL
		}
	}
	out.Var = s.names.name(exported(from.Name), "Auth", "Scheme")
	out.Doc = wrap(out.Var+" is the security scheme "+oneLine(from.Name)+": "+shown(from)+".", "")
	if doc := fieldDoc(from.Doc); len(doc) > 0 {
		out.Doc = append(append(out.Doc, ""), doc...)
	}
	s.schemes[from] = out.Var
	s.out.Schemes = append(s.out.Schemes, out)
	return out.Var
}

// shown says what a caller has to show.
func shown(s *contract.Scheme) string {
	switch s.Kind {
	case "apiKey":
		return map[string]string{"header": "a key in the header ", "query": "a key in the query parameter ", "cookie": "a key in the cookie "}[s.In] + oneLine(s.Param)
	case "http":
		if s.HTTP == "basic" {
			return "user and password"
		}
		return "HTTP " + s.HTTP + " authentication"
	case "oauth2":
		return "a token of OAuth 2.0"
	case "openIdConnect":
		return "a token of an OpenID provider"
	case "mutualTLS":
		return "a client certificate"
	}
	return s.Kind
}
