package jsonschema

import (
	"net/url"
	"strconv"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// nodeTypes are OpenAPI 3.2's names of what a value becomes in XML.
var nodeTypes = map[string]contract.XMLNode{
	"element": contract.XMLElement, "attribute": contract.XMLAttribute,
	"text": contract.XMLText, "cdata": contract.XMLCData, "none": contract.XMLNone,
}

// XML reads the xml object of the schema at n; nil where there is none.
func (r *Reader) XML(n *node.Node) *contract.XML { return r.xml(n) }

// xml reads the xml object of a schema: name, namespace, prefix, and what the value
// becomes, by nodeType of 3.2 or by attribute and wrapped of what came before it.
func (r *Reader) xml(n *node.Node) *contract.XML {
	at := n.Get("xml")
	if at == nil || !node.Expect(r.diags, at, "xml", node.Map) {
		return nil
	}
	x := &contract.XML{Span: at.Span()}
	x.Name, _ = at.Get("name").Str()
	x.Prefix, _ = at.Get("prefix").Str()
	x.Namespace, _ = at.Get("namespace").Str()
	if u, err := url.Parse(x.Namespace); x.Namespace != "" && (err != nil || !u.IsAbs()) {
		r.diags.Warnf("bad-xml", at.Get("namespace").Span(), "the namespace %s is no absolute URI", strconv.Quote(x.Namespace))
	}
	switch {
	case at.Has("nodeType"):
		name, _ := at.Get("nodeType").Str()
		var known bool
		if x.Node, known = nodeTypes[name]; !known {
			r.diags.Warnf("bad-xml", at.Get("nodeType").Span(), "there is no nodeType %s", strconv.Quote(name)).
				Help = "the node types are element, attribute, text, cdata and none"
		}
	case at.Get("attribute").True():
		x.Node = contract.XMLAttribute
	case at.Get("wrapped").True():
		x.Node = contract.XMLWrapped
	}
	if x.Node == contract.XMLElement && n.Get("type").Text() == "array" {
		x.Node = contract.XMLWrapped // 3.2 says wrapped that way
	}
	return x
}

// firstXML is the xml object of the first of nodes that has one.
func (r *Reader) firstXML(nodes []*node.Node) *contract.XML {
	for _, n := range nodes {
		if x := r.xml(n); x != nil {
			return x
		}
	}
	return nil
}
