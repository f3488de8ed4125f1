package templates

import "github.com/concordat-dev/concordat/templates/golang"

func apiKey() *golang.Scheme {
	return &golang.Scheme{Var: "APIKey", Doc: []string{"APIKey is the security scheme key: a key in the header X-Key."}, Name: "key", Kind: "apiKey", In: "header", Param: "X-Key"}
}

func oauth() *golang.Scheme {
	return &golang.Scheme{Var: "OAuth", Doc: []string{"OAuth is the security scheme oauth: a token of OAuth 2.0."}, Name: "oauth", Kind: "oauth2", TokenURL: "https://login.example.com/token"}
}

func securities() []*golang.Security {
	return []*golang.Security{
		{Var: "needsAPIKeyOrOAuth", Any: [][]golang.Requirement{{{Scheme: "APIKey"}}, {{Scheme: "OAuth", Scopes: []string{"read", "write"}}}}},
		{Var: "needsNothing", Any: [][]golang.Requirement{nil}},
	}
}
