package contract

// A Callback is a request that an operation's server makes later, to an address that the
// operation's request or reply holds.
type Callback struct {
	Name      string
	URL       string     // with runtime expressions: "{$request.body#/callbackUrl}"
	Operation *Operation // in the service whose Role is "callbacks"
	Span      Span
}

// A Link is how the reply of an operation leads to another operation of the contract.
type Link struct {
	Name   string
	Doc    Doc
	Target *Operation
	Values []LinkValue
	Span   Span
}

// A LinkValue fills one parameter of a link's target, or its body.
type LinkValue struct {
	In, Name   string // as Param's; In is "body" for the body
	Expression string // "$response.body#/id", or text with {$…} in it; "" where JSON says the value
	JSON       string
	Span       Span
}

// Pages says how the results of an operation are divided into pages.
type Pages struct {
	Kind  string // "cursor", "offset", "page" or "link" (RFC 8288)
	Param string // query parameter that says which page; "" for link
	Items string // JSON pointers into the reply's body: to the list of items,
	Next  string // to the next cursor (cursor),
	More  string // to whether there is more; "" for none
	Total string // and to how many pages there are; "" for none
	First int64  // number of the first page (page), or of the first item (offset)
	Span  Span
}
