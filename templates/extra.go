package templates

import (
	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

// AllPages prints the method of a client that yields the items of all pages.
//
//	// AllListCustomers yields what ListCustomers gives, page after page.
//	func (c *Client) AllListCustomers(ctx context.Context, in *ListCustomersRequest) iter.Seq2[*Customer, error] {
//		return stub.All[Customer](ctx, c.conn, &listCustomers, &stub.Pages{Param: "pageToken", Items: "/data", Next: "/nextPageToken"}, in)
//	}
func AllPages(s *golang.Service, m *golang.Method) block.Code {
	p := m.Pages
	sig := signature("", s, m)
	sig.Results = []block.Code{stream(block.Seq(block.Src("*"), ref("", p.Item)))}
	pages := block.Address(block.Struct(stub("Pages"),
		block.Pair{Key: "Kind", Value: style(p.Kind)},
		block.Pair{Key: "Param", Value: text(p.Param)},
		block.Pair{Key: "Items", Value: text(p.Items)},
		block.Pair{Key: "Next", Value: text(p.Next)},
		block.Pair{Key: "More", Value: text(p.More)},
		block.Pair{Key: "Total", Value: text(p.Total)},
		block.Pair{Key: "First", Value: whole(int(p.First))},
	))
	call := block.Call(block.Generic(stub("All"), ref("", p.Item)), block.Src("ctx"), block.Src("c.conn"), block.Src("&"+m.Var), pages, block.Src("in"))
	return block.Doc(p.Doc, block.Func("c *"+s.Client, p.Name, sig, block.Return(call)))
}

// Link prints the function that follows a link of the contract.
//
//	// GetCustomerOrders asks ListOrders for the orders of a customer.
//	func GetCustomerOrders(in *GetCustomerRequest, out *Customer) (*ListOrdersRequest, error) {
//		return stub.Follow(&getCustomer, in, out, &listOrders, new(ListOrdersRequest), stub.LinkValue{In: stub.Query, Name: "customer", Expression: "$response.body#/id"})
//	}
func Link(l *golang.Link) block.Code {
	replies := l.From.Out.Name != ""
	sig := callOf(l.From, replies)
	sig.Results = []block.Code{block.Seq(block.Src("*"), ref("", l.To.In)), block.Src("error")}
	args := []block.Code{block.Src("&" + l.From.Var), block.Src("in"), outOrNil(replies), block.Src("&" + l.To.Var),
		block.Call(block.Src("new"), ref("", l.To.In))}
	for _, v := range l.Values {
		args = append(args, block.Struct(stub("LinkValue"),
			block.Pair{Key: "In", Value: style(v.Place)},
			block.Pair{Key: "Name", Value: text(v.Name)},
			block.Pair{Key: "Expression", Value: text(v.Expression)},
			block.Pair{Key: "JSON", Value: text(v.JSON)},
		))
	}
	return block.Doc(l.Doc, block.Func("", l.Name, sig, block.Return(block.Call(stub("Follow"), args...))))
}

// CallbackURL prints the function that says where a callback is sent.
//
//	// GetCustomerOnMoveURL is where the callback onMove of GetCustomer is sent.
//	func GetCustomerOnMoveURL(in *GetCustomerRequest) (string, error) {
//		return stub.CallbackURL(&getCustomer, in, nil, "{$request.query.callback}")
//	}
func CallbackURL(c *golang.Callback) block.Code {
	sig := callOf(c.From, c.Reply)
	sig.Results = []block.Code{block.Src("string"), block.Src("error")}
	call := block.Call(stub("CallbackURL"), block.Src("&"+c.From.Var), block.Src("in"), outOrNil(c.Reply), block.String(c.Address))
	return block.Doc(c.Doc, block.Func("", c.Name, sig, block.Return(call)))
}

// callOf are the parameters of a function of a call: its request, and its reply.
func callOf(m *golang.Method, reply bool) block.Sig {
	sig := block.Sig{Params: []block.Code{block.Seq(block.Src("in *"), ref("", m.In))}}
	if reply {
		sig.Params = append(sig.Params, block.Seq(block.Src("out *"), ref("", m.Out)))
	}
	return sig
}

func outOrNil(there bool) block.Code {
	if there {
		return block.Src("out")
	}
	return block.Src("nil")
}

// ServerURL prints where a contract is served.
//
//	// ServerURL is a server that the contract names.
//	const ServerURL = "https://api.example.com/v1"
func ServerURL(s *golang.Server) block.Code {
	if s.Vars == "" {
		return block.Doc(s.Doc, block.Seq(block.Src("const "+s.Name+" ="), block.String(s.URL)))
	}
	sig := block.Sig{Params: []block.Code{block.Src("v " + s.Vars)}, Results: []block.Code{block.Src("string"), block.Src("error")}}
	args := []block.Code{block.String(s.URL)}
	for _, f := range s.Fields {
		args = append(args, block.Struct(stub("Variable"),
			block.Pair{Key: "Name", Value: text(f.Name)},
			block.Pair{Key: "Value", Value: block.Src("v." + f.Field)},
			block.Pair{Key: "Default", Value: text(f.Default)},
			block.Pair{Key: "Enum", Value: block.Strings(f.Enum)},
		))
	}
	return block.Doc(s.Doc, block.Func("", s.Name, sig, block.Return(block.Call(stub("ServerURL"), args...))))
}

// ServerVariables prints the struct of a server's variables.
//
//	// ServerVariables are those of ServerURL. What is "" has its default.
//	type ServerVariables struct {
//		Region string // "eu" unless set; eu, us
//	}
func ServerVariables(s *golang.Server) block.Code {
	fields := each(s.Fields, func(f *golang.ServerVariable) block.Code {
		return block.Doc(f.Doc, block.Behind(block.Src(f.Field+" string"), f.Comment))
	})
	doc := []string{s.Vars + " are those of " + s.Name + `. What is "" has its default.`}
	return block.Doc(doc, block.Type(s.Vars, block.StructType(fields...)))
}

// servers are the declarations of all servers.
func servers(all []*golang.Server) []block.Code {
	var decls []block.Code
	for _, s := range all {
		if s.Vars != "" {
			decls = append(decls, ServerVariables(s))
		}
		decls = append(decls, ServerURL(s))
	}
	return decls
}
