package generator

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// A service is one Go interface in the making.
type service struct {
	*pass
	from *contract.Service
	out  *golang.Service
	ops  []*operation
}

// An operation is one method in the making.
type operation struct {
	*contract.Operation
	method  *golang.Method
	group   int    // of its declarations
	request string // name of the type of its argument
	reply   string // name of a type made for its results; "" for none
	shape   results

	carried, answer *carried // of messages: what is sent, and what comes back
}

// services names what the contract's services consist of. Their methods come later.
func (p *pass) services() []*service {
	var out []*service
	group := len(p.c.Types)
	for _, s := range p.c.Services {
		svc := &service{pass: p, from: s, out: p.nameService(s)}
		methods := methodScope()
		for _, op := range s.Operations {
			group++
			svc.ops = append(svc.ops, svc.operation(op, methods, group))
		}
		out = append(out, svc)
	}
	return out
}

// nameService names an interface, its client and its functions. The only service of a
// contract has a plain Client; of two, a sender's has SendPublisher and SubscribeSend;
// others are called after themselves.
func (p *pass) nameService(s *contract.Service) *golang.Service {
	out := &golang.Service{Wire: golang.REST}
	client, register := "Client", "Register"
	if p.c.Format == contract.AsyncAPI {
		out.Wire, client, register = golang.Events, "Publisher", "Subscribe"
	}
	out.Name = p.names.name(exported(baseName(s.Name)), "Service", "API")
	prefix := p.prefix(s, out.Name)
	out.Client = prefix + client
	if !p.names.take(out.Client) {
		out.Client = p.names.name(out.Name + client)
	}
	out.New = p.names.name("New" + out.Client)
	out.Register = p.names.name(register + prefix)
	p.docService(s, out)
	out.Fake = &golang.Fake{Name: out.Name, Doc: wrap(out.Name+" implements "+p.out.Name+"."+out.Name+
		" with its fields. A method whose field is nil fails with concordat.Unimplemented.", "")}
	return out
}

func (p *pass) docService(s *contract.Service, out *golang.Service) {
	what := "the contract of the " + strings.TrimSuffix(out.Name, "Service") + " service. The client, the server and the fake all implement it."
	switch {
	case out.Wire == golang.Events && receives(s):
		what = "the messages that the application of this contract receives. A Publisher sends them to it; the application implements the interface."
	case out.Wire == golang.Events:
		what = "the messages that the application of this contract sends. A Publisher sends them; who wants them implements the interface."
	}
	out.Doc = wrap(out.Name+" is "+what, "")
	if s.Doc != p.c.Doc && (s.Doc.Summary != "" || s.Doc.Detail != "") { // what the package says already
		out.Doc = append(append(out.Doc, ""), fieldDoc(s.Doc)...)
	}
	if out.Wire == golang.Events {
		out.ClientDoc = []string{out.Client + " sends messages to a broker."}
		out.NewDoc = []string{out.New + " returns a publisher that sends by the broker of conn."}
		out.RegisterDoc = []string{out.Register + " delivers messages to impl for as long as s runs."}
		return
	}
	out.ClientDoc = []string{out.Client + " calls the " + out.Name + " service over a connection."}
	out.NewDoc = []string{out.New + " returns a client that calls over conn."}
	out.RegisterDoc = []string{out.Register + " serves impl on s."}
	p.docHooks(s, out)
}

// prefix is what tells a service's client from others in its package.
func (p *pass) prefix(s *contract.Service, name string) string {
	if len(p.c.Services) == 1 && s.Role == "" {
		return ""
	}
	if s.Role != "" {
		return exported(s.Role)
	}
	if p.c.Format == contract.OpenAPI {
		return "" // the others have roles
	}
	if p.c.Format == contract.AsyncAPI {
		for _, action := range []string{"Send", "Receive"} {
			if strings.HasSuffix(s.Name, action) {
				return action
			}
		}
	}
	return name
}

// receives says whether the application of a contract is who the messages go to.
func receives(s *contract.Service) bool {
	for _, op := range s.Operations {
		if op.Kind != contract.Request {
			return op.Kind == contract.Receive
		}
	}
	return slices.ContainsFunc(s.Operations, func(op *contract.Operation) bool { return op.Incoming })
}

func (s *service) operation(op *contract.Operation, methods *scope, group int) *operation {
	name := methods.name(exported(op.Name), "Operation")
	m := &golang.Method{Name: name, Op: &golang.Op{
		Name: s.pass.out.Name + "." + s.out.Name + "/" + name, Idempotent: op.Idempotent,
	}}
	s.out.Methods = append(s.out.Methods, m)
	return &operation{Operation: op, method: m, group: group}
}

// nameFakes names the fields of the fake, which must not be called like its methods.
func nameFakes(s *golang.Service) {
	names := newScope()
	for _, m := range s.Methods {
		names.take(m.Name)
	}
	for _, m := range s.Methods {
		m.On = names.name("On"+m.Name, "Call")
	}
}

// reserve takes the names of requests and replies, before any inline type can.
func (s *service) reserve() {
	for _, op := range s.ops {
		s.within(op.Span, func() {
			if s.out.Wire == golang.Events {
				s.reserveMessage(op)
			} else {
				s.reserveCall(op)
			}
		})
	}
}

// build gives every method its signature and its description.
func (s *service) build() {
	old := s.group
	for _, op := range s.ops {
		s.group = op.group
		s.within(op.Span, func() {
			if s.out.Wire == golang.Events {
				s.event(op)
			} else {
				s.call(op)
			}
		})
	}
	s.group = old
	nameFakes(s.out)
	for _, m := range s.out.Methods {
		m.Var = s.names.name(unexported(m.Name), "Op")
	}
}
