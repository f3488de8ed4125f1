package generator

import (
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
}

// services names what the contract's services consist of. Their methods come later.
func (p *pass) services() []*service {
	var out []*service
	group := len(p.c.Types)
	for _, s := range p.c.Services {
		for _, part := range parts(s) {
			svc := &service{pass: p, from: s, out: p.nameService(s, part, len(p.c.Services) == 1)}
			methods := newScope()
			for _, op := range part.ops {
				group++
				svc.ops = append(svc.ops, svc.operation(op, methods, group))
			}
			out = append(out, svc)
		}
	}
	return out
}

// A part is the operations of a service that one Go interface holds.
type part struct {
	suffix string // of names: "Send", "Receive", "" where there is but one part
	ops    []*contract.Operation
}

// parts divides what an application sends from what it receives: one program publishes
// the first and subscribes to the second.
func parts(s *contract.Service) []part {
	send, receive := part{suffix: "Send"}, part{suffix: "Receive"}
	for _, op := range s.Operations {
		if op.Kind == contract.Receive {
			receive.ops = append(receive.ops, op)
		} else {
			send.ops = append(send.ops, op)
		}
	}
	switch {
	case len(receive.ops) == 0:
		send.suffix = ""
		return []part{send}
	case len(send.ops) == 0:
		receive.suffix = ""
		return []part{receive}
	}
	return []part{send, receive}
}

// nameService names an interface, its client and its functions. The only service of a
// contract has a plain Client; others are called after themselves.
func (p *pass) nameService(s *contract.Service, part part, only bool) *golang.Service {
	out := &golang.Service{Wire: golang.REST}
	client, register := "Client", "Register"
	if p.c.Format == contract.AsyncAPI {
		out.Wire, client, register = golang.Events, "Publisher", "Subscribe"
	}
	out.Name = p.names.name(exported(baseName(s.Name))+part.suffix, "Service", "API")
	prefix := part.suffix
	if !only {
		prefix = out.Name
	}
	out.Client = p.names.name(prefix+client, "", "Type")
	if out.Client != prefix+client {
		out.Client = p.names.name(out.Name + client)
	}
	out.New = p.names.name("New" + out.Client)
	out.Register = p.names.name(register + prefix)
	p.docService(s, part, out)
	out.Fake = &golang.Fake{Name: out.Name, Doc: wrap(out.Name+" implements "+p.out.Name+"."+out.Name+
		" with its fields. A method whose field is nil fails with concordat.Unimplemented.", "")}
	return out
}

func (p *pass) docService(s *contract.Service, part part, out *golang.Service) {
	what := "the contract of the " + strings.TrimSuffix(out.Name, "Service") + " service. The client, the server and the fake all implement it."
	switch {
	case out.Wire == golang.Events && part.suffix == "Receive":
		what = "the messages that the application of this contract receives. A Publisher sends them to it; the application implements the interface."
	case out.Wire == golang.Events:
		what = "the messages that the application of this contract sends. A Publisher sends them; who wants them implements the interface."
	}
	out.Doc = wrap(out.Name+" is "+what, "")
	if s.Doc.Summary != "" || s.Doc.Detail != "" {
		out.Doc = append(append(out.Doc, ""), fieldDoc(s.Doc)...)
	}
	if out.Wire == golang.Events {
		out.ClientDoc = []string{out.Client + " sends messages to a broker."}
		out.NewDoc = []string{out.New + " returns a publisher that sends by the broker of conn."}
		out.RegisterDoc = []string{out.Register + " delivers messages to impl for as long as s runs."}
		return
	}
	out.ClientDoc = []string{out.Client + " calls a " + out.Name + " service over a connection."}
	out.NewDoc = []string{out.New + " returns a client that calls over conn."}
	out.RegisterDoc = []string{out.Register + " serves impl on s."}
}

func (s *service) operation(op *contract.Operation, methods *scope, group int) *operation {
	name := methods.name(exported(op.Name), "Operation")
	m := &golang.Method{Name: name, Op: &golang.Op{
		Name: s.pass.out.Name + "." + s.out.Name + "/" + name, Idempotent: op.Idempotent,
	}}
	s.out.Methods = append(s.out.Methods, m)
	return &operation{Operation: op, method: m, group: group}
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
	for _, m := range s.out.Methods {
		m.Var = s.names.name(unexported(m.Name), "Op")
	}
}
