package templates

import "github.com/concordat-dev/concordat/templates/golang"

func customerXML() *golang.XMLSchema {
	return &golang.XMLSchema{Var: "usersXML", Nodes: []*golang.XMLNode{
		{Name: "customer", Kind: "Object", Fields: []*golang.XMLNode{
			{Key: "id", As: "Attribute", Req: true},
			{Key: "tags", Kind: "List", Wrapped: true, Elem: &golang.XMLNode{Name: "tag"}},
		}},
	}}
}
