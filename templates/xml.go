package templates

import (
	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

const xmlPath = codecPath + "/xml"

func xml(name string) block.Code { return block.Qual(xmlPath, name) }

// XMLSchema prints how the types that are reached from bodies in XML look.
//
//	var usersXML = []xml.Node{
//		{Name: "customer", Kind: xml.Object, Fields: []xml.Node{
//			{Key: "id", As: xml.Attribute, Req: true},
//			{Key: "tags", Kind: xml.List, Wrapped: true, Elem: &xml.Node{Name: "tag"}},
//		}},
//	}
func XMLSchema(s *golang.XMLSchema) block.Code {
	return block.Var(s.Var, block.ListLines(xml("Node"), each(s.Nodes, func(n *golang.XMLNode) block.Code { return xmlNode(nil, n) })...))
}

// xmlNode prints {Key: "id", As: xml.Attribute}; typ is nil in lists, which say it.
func xmlNode(typ block.Code, n *golang.XMLNode) block.Code {
	nodes := func(list []*golang.XMLNode) []block.Code {
		return each(list, func(n *golang.XMLNode) block.Code { return xmlNode(nil, n) })
	}
	return block.Struct(typ,
		block.Pair{Key: "Key", Value: text(n.Key)},
		block.Pair{Key: "Name", Value: text(n.Name)},
		block.Pair{Key: "Space", Value: text(n.Space)},
		block.Pair{Key: "Prefix", Value: text(n.Prefix)},
		block.Pair{Key: "Kind", Value: xmlConstant(n.Kind)},
		block.Pair{Key: "As", Value: xmlConstant(n.As)},
		block.Pair{Key: "Req", Value: truth(n.Req)},
		block.Pair{Key: "Wrapped", Value: truth(n.Wrapped)},
		block.Pair{Key: "Of", Value: whole(n.Of)},
		block.Pair{Key: "Elem", Value: xmlPointer(n.Elem)},
		block.Pair{Key: "Tags", Value: block.Strings(n.Tags)},
		block.Pair{Key: "Tag", Value: text(n.Tag)},
		block.Pair{Key: "Variants", Value: block.ListLines(xml("Node"), nodes(n.Variants)...)},
		block.Pair{Key: "Extra", Value: xmlPointer(n.Extra)},
		block.Pair{Key: "Fields", Value: block.ListLines(xml("Node"), nodes(n.Fields)...)},
	)
}

func xmlPointer(n *golang.XMLNode) block.Code {
	if n == nil {
		return nil
	}
	return block.Address(xmlNode(xml("Node"), n))
}

// reference prints &name or &pkg.name, or nothing for "".
func reference(pkg, name string) block.Code {
	switch {
	case name == "":
		return nil
	case pkg != "":
		return block.Address(block.Qual(pkg, name))
	}
	return block.Src("&" + name)
}

func xmlConstant(name string) block.Code {
	if name == "" {
		return nil
	}
	return xml(name)
}

// xmlFormat prints &xml.Codec{Types: &usersXML, Root: xml.Node{...}}.
func xmlFormat(f *golang.XMLFormat) block.Code {
	if f == nil {
		return nil
	}
	return block.Address(block.Struct(xml("Codec"),
		block.Pair{Key: "Types", Value: reference(f.Pkg, f.Types)},
		block.Pair{Key: "Root", Value: xmlNode(xml("Node"), f.Root)},
	))
}
