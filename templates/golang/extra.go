package golang

// Pages is the method of a client that yields the items of all pages.
type Pages struct {
	Name                     string // "AllListPets"
	Doc                      []string
	Item                     Ref    // without the pointer
	Kind                     string // constant of stub: "" for ByCursor, "ByOffset", "ByPage", "ByLink"
	Param                    string
	Items, Next, More, Total string
	First                    int64
}

// A Link is a function that makes the request of one method from the call of another.
type Link struct {
	Name     string
	Doc      []string
	From, To *Method
	Values   []LinkValue
}

// A LinkValue fills a parameter, or the body where Name is "".
type LinkValue struct{ Place, Name, Expression, JSON string }

// A Callback is a function that says where a callback of a method is sent.
type Callback struct {
	Name    string
	Doc     []string
	From    *Method
	Address string // with runtime expressions
	Reply   bool   // they need the reply, too
}

// A Server is a constant, or a function of its variables, that says where the contract is
// served.
type Server struct {
	Name   string
	Doc    []string
	URL    string
	Vars   string // name of the struct of variables; "" for none
	Fields []*ServerVariable
}

// A ServerVariable is a field of the struct of variables.
type ServerVariable struct {
	Field, Name, Default string
	Enum                 []string
	Doc                  []string
	Comment              string
}
