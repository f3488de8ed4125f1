package generator

import (
	"slices"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// xmlNodes are how the types that are reached from bodies in XML look, and where they are
// among the nodes of the package.
type xmlNodes struct {
	schema *golang.XMLSchema
	index  map[*contract.Type]int
}

// xmlFormat says how a body looks as XML; nil for one that is no typed XML. want names the
// root element where the contract does not.
func (p *pass) xmlFormat(b *contract.Body, want string) *golang.XMLFormat {
	if classOf(b.Media, b.Schema) != xmlClass {
		return nil
	}
	if p.xml == nil {
		p.xml = &xmlNodes{schema: &golang.XMLSchema{}, index: map[*contract.Type]int{}}
	}
	root := p.xmlNode(b.Schema, b.XML)
	switch s, _ := p.normal(b.Schema); s := s.(type) {
	case *contract.Ref:
		if x := s.Type.XML; root.Name == "" && (x == nil || x.Name == "") {
			root.Name = elementName(s.Type.Name)
		}
		if l, ok := contract.Resolve(s).(*contract.List); ok {
			p.nameItem(l, p.xml.schema.Nodes[root.Of])
		}
	case *contract.List:
		p.nameItem(s, root)
	}
	switch {
	case root.Name != "" || root.Kind == "Ref":
	case root.Kind == "List" && p.itemName(root) != "":
		root.Name = p.itemName(root) + "s"
	default:
		root.Name = elementName(want)
	}
	f := &golang.XMLFormat{Root: root}
	if len(p.xml.schema.Nodes) > 0 {
		if p.xml.schema.Var == "" {
			p.xml.schema.Var = p.names.name(unexported(exported(p.c.Name)) + "XML")
		}
		f.Types = p.xml.schema.Var
	}
	return f
}

// itemName is what the items of a list are called; "" where nothing says so.
func (p *pass) itemName(list *golang.XMLNode) string {
	if e := list.Elem; e.Name != "" || e.Kind != "Ref" {
		return e.Name
	}
	return p.xml.schema.Nodes[list.Elem.Of].Name
}

// nameItem gives the items of a body's list the name of their type, since there is no
// property that they could be called after.
func (p *pass) nameItem(l *contract.List, n *golang.XMLNode) {
	ref, ok := l.Elem.(*contract.Ref)
	if !ok || n.Elem == nil || n.Elem.Name != "" || ref.Type.XML != nil && ref.Type.XML.Name != "" {
		return
	}
	n.Elem.Name = elementName(ref.Type.Name)
}

// elementName is name without what the name of an element cannot have.
func elementName(name string) string {
	out := []rune(nil)
	for _, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f
		if letter || len(out) > 0 && (r == '-' || r == '.' || r >= '0' && r <= '9') {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return "root"
	}
	return string(out)
}

// xmlNode says how a schema looks as XML; x is what the contract says where it is used.
func (p *pass) xmlNode(s contract.Schema, x *contract.XML) *golang.XMLNode {
	s, _ = p.normal(s)
	n := p.xmlKind(s)
	if x == nil {
		return n
	}
	if x.Name != "" {
		n.Name = x.Name
	}
	if x.Namespace != "" {
		n.Space, n.Prefix = x.Namespace, x.Prefix
	}
	switch x.Node {
	case contract.XMLAttribute:
		n.As = "Attribute"
	case contract.XMLText:
		n.As = "Chars"
	case contract.XMLCData:
		n.As = "CData"
	case contract.XMLNone:
		n.As = "None"
	case contract.XMLWrapped:
		n.Wrapped = true
	}
	return n
}

// xmlKind is what a schema is.
func (p *pass) xmlKind(s contract.Schema) *golang.XMLNode {
	switch s := s.(type) {
	case *contract.Ref:
		return &golang.XMLNode{Kind: "Ref", Of: p.xmlType(s.Type)}
	case *contract.Scalar:
		return &golang.XMLNode{Kind: xmlScalar(s.Kind)}
	case *contract.Enum:
		if len(s.Values) > 0 {
			return &golang.XMLNode{Kind: xmlScalar(kindOf(s.Values[0].JSON))}
		}
		return &golang.XMLNode{Kind: xmlScalar(s.Base)}
	case *contract.List:
		elem, uniform := p.element(s)
		if uniform {
			return &golang.XMLNode{Kind: "List", Elem: p.xmlNode(orAny(elem), s.ElemXML)}
		}
		n := &golang.XMLNode{Kind: "List", Elem: p.xmlNode(orAny(s.Elem), s.ElemXML)}
		for _, at := range s.Prefix {
			n.Fields = append(n.Fields, p.xmlNode(at, nil))
		}
		return n
	case *contract.Map:
		return &golang.XMLNode{Kind: "Map", Elem: p.xmlNode(orAny(s.Value), nil)}
	case *contract.Object:
		return p.xmlObject(s)
	case *contract.Union:
		return p.xmlUnion(s)
	}
	return &golang.XMLNode{Kind: "Any"}
}

func (p *pass) xmlUnion(u *contract.Union) *golang.XMLNode {
	n := &golang.XMLNode{Kind: "Union", Tag: u.Tag}
	for _, v := range u.Variants {
		m := p.xmlNode(v.Schema, nil)
		m.Tags = v.Tags
		n.Variants = append(n.Variants, m)
	}
	return n
}

func (p *pass) xmlObject(o *contract.Object) *golang.XMLNode {
	if v, ok := mapLike(o); ok {
		return &golang.XMLNode{Kind: "Map", Elem: p.xmlNode(orAny(v), nil)}
	}
	n := &golang.XMLNode{Kind: "Object"}
	for _, f := range o.Fields {
		if slices.ContainsFunc(n.Fields, func(m *golang.XMLNode) bool { return m.Key == f.Name }) {
			continue
		}
		m := p.xmlNode(f.Schema, f.XML)
		m.Key, m.Req = f.Name, f.Required
		n.Fields = append(n.Fields, m)
	}
	if o.Extra != nil {
		n.Extra = p.xmlNode(o.Extra, nil)
	}
	return n
}

// xmlType is where a named type is among the nodes of the package.
func (p *pass) xmlType(t *contract.Type) int {
	if i, ok := p.xml.index[t]; ok {
		return i
	}
	i := len(p.xml.schema.Nodes)
	p.xml.index[t] = i
	p.xml.schema.Nodes = append(p.xml.schema.Nodes, nil)
	p.xml.schema.Nodes[i] = p.xmlNode(t.Schema, t.XML)
	return i
}

// xmlScalar is the kind of a single value.
func xmlScalar(k contract.ScalarKind) string {
	switch k {
	case contract.Bool:
		return "Bool"
	case contract.Int32, contract.Int64, contract.Uint32, contract.Uint64, contract.Integer,
		contract.Float32, contract.Float64, contract.Number, contract.Decimal:
		return "Number"
	}
	return ""
}
