package templates

import (
	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

// Scheme prints what connections and servers are given credentials and verifiers for.
//
//	// APIKey is the security scheme key: a key in the header X-Key.
//	var APIKey = &stub.Scheme{Name: "key", Kind: "apiKey", In: "header", Param: "X-Key"}
func Scheme(s *golang.Scheme) block.Code {
	literal := block.Struct(stub("Scheme"),
		block.Pair{Key: "Name", Value: text(s.Name)},
		block.Pair{Key: "Kind", Value: text(s.Kind)},
		block.Pair{Key: "In", Value: text(s.In)},
		block.Pair{Key: "Param", Value: text(s.Param)},
		block.Pair{Key: "HTTP", Value: text(s.HTTP)},
		block.Pair{Key: "TokenURL", Value: text(s.TokenURL)},
		block.Pair{Key: "DiscoveryURL", Value: text(s.DiscoveryURL)},
	)
	return block.Doc(s.Doc, block.Var(s.Var, block.Address(literal)))
}

// Security prints what operations need of their callers: any of all of these.
//
//	var (
//		needsAPIKeyOrOAuth = stub.Security{{{Scheme: APIKey}}, {{Scheme: OAuth, Scopes: []string{"read", "write"}}}}
//		needsNothing       = stub.Security{{}}
//	)
func Security(all []*golang.Security) block.Code {
	vars := make([]block.Pair, len(all))
	for i, s := range all {
		ways := each(s.Any, func(together []golang.Requirement) block.Code {
			return block.Literal(nil, each(together, requirement)...)
		})
		vars[i] = block.Pair{Key: s.Var, Value: block.Literal(stub("Security"), ways...)}
	}
	return block.Vars(vars...)
}

func requirement(q golang.Requirement) block.Code {
	return block.Struct(nil,
		block.Pair{Key: "Scheme", Value: ref("", golang.Ref{Pkg: q.Pkg, Name: q.Scheme})},
		block.Pair{Key: "Scopes", Value: block.Strings(q.Scopes)},
	)
}
