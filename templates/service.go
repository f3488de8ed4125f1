package templates

import (
	"slices"

	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

func hasServices(p *golang.Package, u *golang.Unit) bool {
	return len(u.Services)+len(u.Parts) > 0 || u == p.Units[0] && (len(p.Schemes)+len(p.Servers) > 0 || p.Policies != nil)
}

func serviceFile(p *golang.Package, u *golang.Unit) []block.Code {
	decls := []block.Code{Version()}
	if u == p.Units[0] {
		decls = append(decls, each(p.Schemes, Scheme)...)
		decls = append(decls, servers(p.Servers)...)
	}
	for _, s := range u.Services {
		own := slices.DeleteFunc(slices.Clone(s.Methods), func(m *golang.Method) bool { return m.Apart })
		decls = append(decls, Interface(s), Client(s), Implemented(s), New(s))
		decls = append(decls, methods(s, own)...)
		decls = append(decls, Register(s))
		decls = append(append(decls, each(s.Callbacks, CallbackURL)...), each(s.Links, Link)...)
		decls = append(decls, Ops(s, own))
	}
	for _, part := range u.Parts {
		decls = append(decls, methods(part.Service, part.Methods)...)
		decls = append(decls, Ops(part.Service, part.Methods))
	}
	if u == p.Units[0] && p.Policies != nil {
		decls = append(decls, Policies(p.Policies))
	}
	if u == p.Units[0] && len(p.Security) > 0 {
		decls = append(decls, Security(p.Security))
	}
	return decls
}

func methods(s *golang.Service, ms []*golang.Method) []block.Code {
	var decls []block.Code
	for _, m := range ms {
		if decls = append(decls, ClientMethod(s, m)); m.Pages != nil {
			decls = append(decls, AllPages(s, m))
		}
	}
	return decls
}

// Version prints the constant that ties a generated file to the runtime it needs.
//
//	const _ = stub.V1 // an error here means that the runtime in go.mod is older than this file
func Version() block.Code {
	return block.Behind(block.Seq(block.Src("const _ ="), stub("V1")), "an error here means that the runtime in go.mod is older than this file")
}

// Interface prints the contract of a service.
//
//	// Users keeps customers.
//	type Users interface {
//		// GetCustomer returns one customer.
//		//
//		//	GET /customers/{customerId}
//		//	404 Problem
//		GetCustomer(ctx context.Context, in *GetCustomerRequest) (*Customer, error)
//
//		// DeleteCustomer forgets a customer.
//		//
//		//	DELETE /customers/{customerId}
//		DeleteCustomer(ctx context.Context, in *DeleteCustomerRequest) error
//	}
func Interface(s *golang.Service) block.Code {
	methods := each(s.Methods, func(m *golang.Method) block.Code {
		return block.Doc(m.Doc, signature("", s, m).Method(m.Name))
	})
	return block.Doc(s.Doc, block.Type(s.Name, block.Interface(methods...)))
}

// Client prints the type that calls a service.
//
//	// Client calls a Users service over a connection.
//	type Client struct{ conn *concordat.Conn }
func Client(s *golang.Service) block.Code {
	return block.Doc(s.ClientDoc, block.Type(s.Client,
		block.Seq(block.Src("struct{ conn *"), concordat("Conn"), block.Src("}"))))
}

// Implemented prints the line by which the compiler holds the client to the contract.
//
//	var _ Users = (*Client)(nil)
func Implemented(s *golang.Service) block.Code {
	return block.Implements(block.Src(s.Name), block.Src("(*"+s.Client+")(nil)"))
}

// New prints the client's constructor.
//
//	// NewClient returns a client that calls over conn.
//	func NewClient(conn *concordat.Conn) *Client { return &Client{conn} }
func New(s *golang.Service) block.Code {
	sig := block.Sig{
		Params:  []block.Code{block.Seq(block.Src("conn *"), concordat("Conn"))},
		Results: []block.Code{block.Src("*" + s.Client)},
	}
	return block.Doc(s.NewDoc, block.OneLine("", s.New, sig, block.Src("return &"+s.Client+"{conn}")))
}

// ClientMethod prints one call.
//
//	func (c *Client) GetCustomer(ctx context.Context, in *GetCustomerRequest) (*Customer, error) {
//		return stub.Call(ctx, c.conn, &getCustomer, in)
//	}
func ClientMethod(s *golang.Service, m *golang.Method) block.Code {
	self, arg := names(s)
	call := block.Call(carrier(s, m).client, block.Src("ctx"), block.Src(self+".conn"), block.Src("&"+m.Var), block.Src(arg))
	return block.Func(self+" *"+s.Client, m.Name, signature("", s, m), block.Return(call))
}

// Register prints the server's half.
//
//	// Register serves impl on s.
//	func Register(s *concordat.Server, impl Users) {
//		stub.Handle(s, &getCustomer, impl.GetCustomer)
//		stub.HandleExec(s, &deleteCustomer, impl.DeleteCustomer)
//	}
func Register(s *golang.Service) block.Code {
	sig := block.Sig{Params: []block.Code{block.Seq(block.Src("s *"), concordat("Server")), block.Src("impl " + s.Name)}}
	lines := each(s.Methods, func(m *golang.Method) block.Code {
		return block.Call(carrier(s, m).server, block.Src("s"), block.Src("&"+m.Var), implementation(m))
	})
	for _, m := range s.Methods {
		if len(m.Routes) > 0 {
			lines = append(lines, transcode(m))
		}
	}
	return block.Doc(s.RegisterDoc, block.Func("", s.Register, sig, lines...))
}

// names are those of a client's receiver and of what it is given.
func names(s *golang.Service) (self, arg string) {
	if s.Wire == golang.Events {
		return "p", "m"
	}
	return "c", "in"
}

// signature prints (ctx context.Context, in *In) (*Out, error) by the method's shape.
// home is where the types of the service live when the file is another package's.
func signature(home string, s *golang.Service, m *golang.Method) block.Sig {
	_, arg := names(s)
	ctx := block.Seq(block.Src("ctx"), block.Qual("context", "Context"))
	in, out := block.Seq(block.Src("*"), ref(home, m.In)), block.Seq(block.Src("*"), ref(home, m.Out))
	fails := block.Src("error")
	param, results := in, []block.Code{out, fails}
	switch m.Sig {
	case golang.Exec, golang.Publish:
		results = []block.Code{fails}
	case golang.ServerStream:
		results = []block.Code{stream(out)}
	case golang.ClientStream:
		param = stream(in)
	case golang.Bidi:
		param, results = stream(in), []block.Code{stream(out)}
	}
	return block.Sig{Params: []block.Code{ctx, block.Seq(block.Src(arg), param)}, Results: results}
}

// stream prints iter.Seq2[*T, error].
func stream(of block.Code) block.Code {
	return block.Generic(block.Qual("iter", "Seq2"), of, block.Src("error"))
}
