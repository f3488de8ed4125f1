package generator

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// streams says whether an operation answers with items.
func streams(op *operation) bool {
	return op.Kind == contract.ServerStream || op.Kind == contract.Bidi
}

// restKind is the runtime's constant for how many items flow which way.
func restKind(op *operation) string {
	switch op.Kind {
	case contract.ServerStream:
		return "ServerStream"
	case contract.ClientStream:
		return "ClientStream"
	case contract.Bidi:
		return "Bidi"
	}
	return "Unary"
}

// stream describes an operation that answers with items: iter.Seq2[*T, error], where T is
// the item's own struct, or one made to hold an item that is none. An item is the same in
// every media type that is generated; others are left out.
func (s *service) stream(op *operation) {
	m := op.method
	m.Sig = golang.ServerStream
	var line *golang.TableField
	var first *contract.Body
	for _, a := range op.shape.good {
		if a.body == nil || len(a.body.Bodies) == 0 {
			m.Op.Replies = append(m.Op.Replies, &golang.Reply{Status: a.status})
			continue
		}
		for _, b := range a.body.Bodies {
			if first == nil {
				first = b
				m.Out, line = s.item(b, m.Name+"Item")
			}
			if b.Item != first.Item && !sameItem(b, first) || b.Events != first.Events {
				s.warn("stream-left-out", b.Span, "the stream as %s has other items than the one as %s; it is left out", b.Media, first.Media).
					Help = "give both the same item schema, or describe two operations"
				continue
			}
			m.Op.Replies = append(m.Op.Replies, &golang.Reply{Status: a.status, Media: b.Media, Body: line, Events: b.Events, End: b.End})
		}
		for _, f := range declared(a) {
			s.remark("stream-header", f.Span, "the header %s of a stream has no field; Call.ReplyMeta holds it", f.Name)
		}
	}
	if first == nil { // parsers do not let that happen
		m.Out, _ = s.item(&contract.Body{Item: &contract.Any{}}, m.Name+"Item")
	}
}

// sameItem says whether two bodies have items of one named type.
func sameItem(a, b *contract.Body) bool {
	x, ok := a.Item.(*contract.Ref)
	y, also := b.Item.(*contract.Ref)
	return ok && also && x.Type == y.Type
}

// item holds one item of a stream: the Go type, and the line that says where in it the
// item lies.
func (s *service) item(b *contract.Body, want string) (golang.Ref, *golang.TableField) {
	var h *held
	name := want
	if _, ok := contract.Resolve(b.Item).(*contract.Object); !ok {
		name += "Value"
	}
	s.within(b.Span, func() { h = s.hold(b.Item, name) })
	if _, ok := h.decl.(*golang.Struct); ok && !h.null {
		return h.ref, h.line("", "", "", nil)
	}
	st := &golang.Struct{Name: s.names.name(want, "Element")}
	st.Doc = []string{st.Name + " is one item of a stream."}
	ref, flags := h.field(true, false)
	st.Fields = []*golang.Field{{Name: "Value", Type: ref}}
	s.place(st, nil)
	return golang.Ref{Name: st.Name}, h.line("", st.Name, "Value", flags)
}

// itemBody adds the body of a request that is a stream of items, and says whether it is.
func (s *service) itemBody(op *operation, st *golang.Struct) bool {
	if op.Kind != contract.ClientStream && op.Kind != contract.Bidi {
		return false
	}
	first := op.In.Bodies[0]
	of, line := s.item(first, op.method.Name+"Input")
	st.Fields = append(st.Fields, &golang.Field{Name: "Body", Doc: fieldDoc(op.In.Doc), Comment: first.Media,
		Type: golang.Ref{Pkg: "iter", Name: "Seq2", Args: []golang.Ref{pointer(of), {Name: "error"}}}})
	for _, b := range op.In.Bodies {
		if b.Item != first.Item && !sameItem(b, first) {
			s.warn("stream-left-out", b.Span, "the stream as %s has other items than the one as %s; it is left out", b.Media, first.Media).
				Help = "give both the same item schema, or describe two operations"
			continue
		}
		at := *line
		at.Owner, at.GoField = st.Name, "Body"
		at.Flags = slices.DeleteFunc(slices.Clone(line.Flags), func(f string) bool { return f == "Req" })
		if b.Required {
			at.Flags = append(at.Flags, "Req")
		}
		op.method.Op.Bodies = append(op.method.Op.Bodies, &golang.Body{Media: b.Media, Field: &at, Items: &of})
	}
	return true
}

// sequence says whether a form is a stream of items.
func (f *form) sequence() bool { return f.class == itemsClass }

// items adds the field of a success that is a stream where others are not, nil unless that
// came: Events or Items, and the status where several have bodies.
func (w *responder) items(a *answer, f *form, alone bool) {
	first := f.bodies[0]
	name := "Items"
	if base, _, _ := strings.Cut(first.Media, ";"); strings.EqualFold(strings.TrimSpace(base), "text/event-stream") {
		name = "Events"
	}
	of, line := w.item(first, w.op.method.Name+strings.TrimSuffix(name, "s"))
	if !alone {
		name = statusName(a.status) + name
	}
	name = w.fields.name(name, "Stream")
	w.st.Fields = append(w.st.Fields, &golang.Field{Name: name, Comment: oneLine(first.Media) + "; the call ends when ranging over it does",
		Type: golang.Ref{Pkg: "iter", Name: "Seq2", Args: []golang.Ref{pointer(of), {Name: "error"}}}})
	at := *line
	at.Owner, at.GoField = w.st.Name, name
	for _, b := range f.bodies {
		w.op.method.Op.Replies = append(w.op.method.Op.Replies, &golang.Reply{Status: a.status, Media: b.Media, Body: &at, Events: b.Events, End: b.End, Items: &of})
	}
}

// findEvents marks the objects that are whole server-sent events, before types are
// declared: their data may be JSON within text.
func (p *pass) findEvents() {
	mark := func(m *contract.Message) {
		if m == nil {
			return
		}
		for _, b := range m.Bodies {
			if b.Events {
				p.markEvents(b.Item, 0)
			}
		}
	}
	for _, s := range p.c.Services {
		for _, op := range s.Operations {
			for _, out := range op.Out {
				mark(out.Body)
			}
		}
	}
}

func (p *pass) markEvents(s contract.Schema, depth int) {
	switch s := contract.Resolve(s).(type) {
	case *contract.Object:
		p.events[s] = true
	case *contract.Union:
		for _, v := range s.Variants {
			if depth < 10 {
				p.markEvents(v.Schema, depth+1)
			}
		}
	}
}

// eventData is the schema of the JSON that the data of a server-sent event holds as text;
// nil for other fields.
func (p *pass) eventData(o *contract.Object, f *contract.Field) contract.Schema {
	if !p.events[o] || f.Name != "data" {
		return nil
	}
	sc, ok := contract.Resolve(f.Schema).(*contract.Scalar)
	if !ok {
		return nil
	}
	return sc.Content
}
