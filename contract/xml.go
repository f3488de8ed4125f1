package contract

// An XML says how a value looks as XML, where that differs from the default: an element
// named after the property that holds the value, or after its type (OpenAPI's xml object).
type XML struct {
	Name      string // of the element or attribute; "" for the default
	Namespace string // an absolute URI; "" for none
	Prefix    string // that stands for the namespace; "" makes it the default one
	Node      XMLNode
	Span      Span
}

// XMLNode is what a value becomes in XML.
type XMLNode uint8

// The nodes. XMLDefault is an element; of a list, one element per item without one around
// them. XMLWrapped is an element also around the items of a list.
const (
	XMLDefault XMLNode = iota
	XMLElement
	XMLAttribute
	XMLWrapped
	XMLText
	XMLCData
	XMLNone // the value itself, with no node of its own
)

var xmlNodes = [...]string{"", "element", "attribute", "wrapped", "text", "cdata", "none"}

// String returns the name of the node, as OpenAPI 3.2 has it; "" for the default.
func (n XMLNode) String() string {
	if int(n) < len(xmlNodes) {
		return xmlNodes[n]
	}
	return "unknown"
}

// xmlHead is x on one line of a dump: xml=prefix:name{namespace}/attribute.
func xmlHead(x *XML) string {
	if x == nil {
		return ""
	}
	out := x.Name
	if x.Prefix != "" {
		out = x.Prefix + ":" + out
	}
	if x.Namespace != "" {
		out += "{" + x.Namespace + "}"
	}
	if x.Node != XMLDefault {
		out += "/" + x.Node.String()
	}
	return "xml=" + out
}
