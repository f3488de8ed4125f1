package golang

// An XMLSchema is a list of xml.Node: how the types that are reached from bodies in XML look.
type XMLSchema struct {
	Var   string // "usersXML"
	Nodes []*XMLNode
}

// An XMLFormat is an xml.Codec: one body in XML.
type XMLFormat struct {
	Types string // the variable of the XMLSchema
	Pkg   string // import path of the package that declares it; "" for this one
	Root  *XMLNode
}

// An XMLNode is an xml.Node. Kind and As are constants of package xml, "" for the zero ones.
type XMLNode struct {
	Key, Name, Space, Prefix string
	Kind, As                 string
	Req, Wrapped             bool
	Of                       int // of Kind "Ref"
	Elem                     *XMLNode
	Fields                   []*XMLNode
	Extra                    *XMLNode
	Tag                      string
	Variants                 []*XMLNode
	Tags                     []string
}
