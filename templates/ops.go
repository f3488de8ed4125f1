package templates

import (
	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

// Ops prints the descriptions of operations of a service.
//
//	var (
//		getCustomer = stub.Op[GetCustomerRequest, Customer]{
//			Spec:   concordat.Spec{Name: "users.Users/GetCustomer", Kind: concordat.Unary, Route: "GET /customers/{customerId}", Idempotent: true},
//			Params: []stub.Param{{Name: "customerId", In: stub.Path, Kind: codec.UUID, Off: unsafe.Offsetof(GetCustomerRequest{}.CustomerID), Flag: codec.Req}},
//			Replies: []stub.Reply{
//				{Status: 200, Media: "application/json", Kind: codec.Object, T: &customerTable},
//				{Status: 404, Failure: true, Media: "application/problem+json", Kind: codec.Object, T: &problemTable},
//			},
//		}
//		deleteCustomer = stub.Op[DeleteCustomerRequest, stub.None]{
//			Spec:    concordat.Spec{Name: "users.Users/DeleteCustomer", Kind: concordat.Unary, Route: "DELETE /customers/{customerId}", Idempotent: true},
//			Params:  []stub.Param{{Name: "customerId", In: stub.Path, Kind: codec.UUID, Off: unsafe.Offsetof(DeleteCustomerRequest{}.CustomerID), Flag: codec.Req}},
//			Replies: []stub.Reply{{Status: 204}},
//		}
//	)
func Ops(s *golang.Service, ms []*golang.Method) block.Code {
	vars := make([]block.Pair, len(ms))
	for i, m := range ms {
		vars[i] = block.Pair{Key: m.Var, Value: op(s, m)}
	}
	return block.Vars(vars...)
}

func op(s *golang.Service, m *golang.Method) block.Code {
	switch {
	case s.Wire == golang.RPC:
		return block.Struct(opType(s, m), block.Pair{Key: "Spec", Value: spec(m.Op)})
	case m.Sig == golang.Ask:
		return block.StructLines(opType(s, m),
			block.Pair{Key: "Event", Value: block.StructLines(block.Generic(stub("Event"), ref("", m.In)), event(m)...)},
			block.Pair{Key: "Reply", Value: answer(m)},
		)
	case s.Wire == golang.Events:
		return block.StructLines(block.Generic(carrier(s, m).op, ref("", m.In)), event(m)...)
	}
	return block.StructLines(opType(s, m), rest(m)...)
}

// opType prints stub.Op[In, Out], with stub.None where nothing comes back.
func opType(s *golang.Service, m *golang.Method) block.Code {
	out := stub("None")
	if m.Out.Name != "" {
		out = ref("", m.Out)
	}
	return block.Generic(carrier(s, m).op, ref("", m.In), out)
}

func rest(m *golang.Method) []block.Pair {
	return []block.Pair{
		{Key: "Spec", Value: spec(m.Op)},
		{Key: "Params", Value: list(stub("Param"), each(m.Op.Params, param))},
		{Key: "Bodies", Value: list(stub("Body"), each(m.Op.Bodies, body))},
		{Key: "Replies", Value: list(stub("Reply"), each(m.Op.Replies, reply))},
		{Key: "HasStatus", Value: truth(m.Op.Status != "")},
		{Key: "StatusOff", Value: offset(m.Out.Name, m.Op.Status)},
		{Key: "BodyRequired", Value: truth(m.Op.BodyRequired)},
		{Key: "HasInMedia", Value: truth(m.Op.InMedia != "")},
		{Key: "InMediaOff", Value: offset(m.In.Name, m.Op.InMedia)},
		{Key: "HasOutMedia", Value: truth(m.Op.OutMedia != "")},
		{Key: "OutMediaOff", Value: offset(m.Out.Name, m.Op.OutMedia)},
	}
}

func event(m *golang.Method) []block.Pair {
	return []block.Pair{
		{Key: "Spec", Value: spec(m.Op)},
		{Key: "Params", Value: list(stub("Param"), each(m.Op.Params, param))},
		{Key: "Bodies", Value: list(stub("Body"), each(m.Op.Bodies, body))},
		{Key: "KeyOf", Value: keyOf(m)},
		{Key: "DeadLetter", Value: text(m.Op.DeadLetter)},
		{Key: "Cloud", Value: cloud(m.Op.Cloud)},
		{Key: "Settings", Value: list(block.Qual(brokerPath, "Setting"), each(m.Op.Channel, setting))},
	}
}

// answer prints the event that replies to a request.
func answer(m *golang.Method) block.Code {
	pairs := []block.Pair{{Key: "Spec", Value: replySpec(m.Op)}}
	for _, r := range m.Op.Replies {
		one := block.Struct(nil, append(append([]block.Pair{{Key: "Media", Value: text(r.Media)}}, place(r.Body)...),
			block.Pair{Key: "Format", Value: bodyFormat(r.XML, r.Avro)}, block.Pair{Key: "Value", Value: protoValue(r.Proto)})...)
		pairs = append(pairs,
			block.Pair{Key: "Params", Value: list(stub("Param"), each(r.Headers, param))},
			block.Pair{Key: "Bodies", Value: block.List(stub("Body"), one)},
		)
	}
	return block.Struct(block.Generic(stub("Event"), ref("", m.Out)), pairs...)
}

// spec prints concordat.Spec{...}.
func spec(o *golang.Op) block.Code {
	return block.Struct(concordat("Spec"),
		block.Pair{Key: "Name", Value: text(o.Name)},
		block.Pair{Key: "Kind", Value: concordat(o.Kind)},
		block.Pair{Key: "Route", Value: text(o.Route)},
		block.Pair{Key: "Idempotent", Value: truth(o.Idempotent)},
		block.Pair{Key: "Safe", Value: truth(o.Safe)},
		block.Pair{Key: "Security", Value: source(o.Security)},
	)
}

func replySpec(o *golang.Op) block.Code {
	if o.ReplyRoute == "" {
		return nil
	}
	return block.Struct(concordat("Spec"), block.Pair{Key: "Route", Value: text(o.ReplyRoute)})
}

func param(p *golang.Param) block.Code {
	return block.Struct(nil, append([]block.Pair{
		{Key: "Name", Value: text(p.Field.Name)},
		{Key: "In", Value: stub(p.Place)},
		{Key: "Style", Value: style(p.Style)},
		{Key: "Explode", Value: truth(p.Explode)},
		{Key: "Reserved", Value: truth(p.Reserved)},
		{Key: "Default", Value: text(p.Default)},
	}, place(p.Field)...)...)
}

func style(s string) block.Code {
	if s == "" {
		return nil
	}
	return stub(s)
}

func body(b *golang.Body) block.Code {
	pairs := append([]block.Pair{{Key: "Media", Value: text(b.Media)}}, place(b.Field)...)
	return block.Struct(nil, append(pairs,
		block.Pair{Key: "Form", Value: block.List(stub("FormField"), each(b.Form, formField)...)},
		block.Pair{Key: "Format", Value: bodyFormat(b.XML, b.Avro)},
		block.Pair{Key: "Value", Value: protoValue(b.Proto)},
		block.Pair{Key: "Items", Value: allocatorOf(stub("Items"), b.Items)},
	)...)
}

func formField(f *golang.FormField) block.Code {
	return block.Struct(nil,
		block.Pair{Key: "Name", Value: text(f.Name)},
		block.Pair{Key: "Media", Value: text(f.Media)},
		block.Pair{Key: "Style", Value: style(f.Style)},
		block.Pair{Key: "Explode", Value: truth(f.Explode)},
	)
}

func reply(r *golang.Reply) block.Code {
	pairs := append([]block.Pair{
		{Key: "Status", Value: whole(r.Status)},
		{Key: "Failure", Value: truth(r.Failure)},
		{Key: "Media", Value: text(r.Media)},
	}, place(r.Body)...)
	return block.Struct(nil, append(pairs,
		block.Pair{Key: "Headers", Value: list(stub("Param"), each(r.Headers, param))},
		block.Pair{Key: "Format", Value: xmlFormat(r.XML)},
		block.Pair{Key: "Items", Value: allocatorOf(stub("Items"), r.Items)},
		block.Pair{Key: "Events", Value: truth(r.Events)},
		block.Pair{Key: "End", Value: text(r.End)},
	)...)
}

// keyOf prints func(m *OrderPlaced) string { return m.OrderID }.
func keyOf(m *golang.Method) block.Code {
	if m.Op.Key == "" {
		return nil
	}
	sig := block.Sig{Params: []block.Code{block.Seq(block.Src("m *"), ref("", m.In))}, Results: []block.Code{block.Src("string")}}
	return sig.Literal(block.Src("return m." + m.Op.Key))
}

func setting(s golang.Setting) block.Code {
	return block.Struct(nil,
		block.Pair{Key: "Protocol", Value: text(s.Protocol)},
		block.Pair{Key: "Name", Value: text(s.Key)},
		block.Pair{Key: "Value", Value: text(s.Value)},
	)
}

// allocatorOf prints name[T]{}, or nothing.
func allocatorOf(name block.Code, of *golang.Ref) block.Code {
	if of == nil {
		return nil
	}
	return block.Struct(block.Generic(name, ref("", *of)))
}
