package generator

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// A carried is a message as a Go struct: address parameters, headers, and the payload.
// Operations share it where message and parameters are the same.
type carried struct {
	name    string
	params  []*golang.Param
	bodies  []*golang.Body
	key     string // selector of what orders messages
	cloud   string // field of the attributes of CloudEvents; "" for none
	payload *held
	done    bool
}

// A carriedKey tells structs of one message apart by what addresses they are sent to.
type carriedKey struct {
	message *contract.Message
	params  string
}

// reserveMessage takes the names of the structs of an operation's message and its reply.
func (s *service) reserveMessage(op *operation) {
	ch := channelOf(op)
	op.carried = s.carrier(op.In, ch, op.method.Name+"Message")
	if op.Kind == contract.Request {
		op.answer = s.carrier(replyMessage(op, ch), nil, op.method.Name+"Reply")
	}
}

func channelOf(op *operation) *contract.Channel {
	if ch, ok := op.Wire.(*contract.Channel); ok {
		return ch
	}
	return &contract.Channel{Name: op.Name, Address: op.Name}
}

// replyMessage is what answers a request.
func replyMessage(op *operation, ch *contract.Channel) *contract.Message {
	if ch.Reply != nil && ch.Reply.Message != nil {
		return ch.Reply.Message
	}
	if len(op.Out) > 0 {
		return op.Out[0].Body
	}
	return nil
}

// carrier is the struct of a message on a channel; fallback names it where the message
// has no name of its own.
func (s *service) carrier(m *contract.Message, ch *contract.Channel, fallback string) *carried {
	key := carriedKey{message: m}
	for _, q := range addressParams(ch) {
		key.params += q.Name + "\n"
	}
	if c, ok := s.messages[key]; ok && m != nil {
		return c
	}
	want := fallback
	if m != nil && m.Name != "" && len(m.OneOf) == 0 {
		want = exported(m.Name)
	}
	if want != fallback && s.names.used[want] {
		want = strings.TrimSuffix(want, "Message") + "Message"
	}
	c := &carried{name: s.names.name(want)}
	if m != nil {
		s.messages[key] = c
	}
	return c
}

// addressParams are the parameters of a channel's address, declared or not.
func addressParams(ch *contract.Channel) []*contract.Param {
	if ch == nil {
		return nil
	}
	var out []*contract.Param
	seen := map[string]bool{}
	for _, name := range templateNames(ch.Address) {
		if seen[name] {
			continue
		}
		seen[name] = true
		i := slices.IndexFunc(ch.Params, func(q *contract.Param) bool { return q.Name == name })
		if i >= 0 {
			c := *ch.Params[i]
			c.In = "address"
			out = append(out, &c)
		} else {
			f := contract.Field{Name: name, Required: true, Schema: &contract.Scalar{Kind: contract.String}, Span: ch.Span}
			out = append(out, &contract.Param{Field: f, In: "address"})
		}
	}
	return out
}

// event gives a method its message and its description.
func (s *service) event(op *operation) {
	m, ch := op.method, channelOf(op)
	s.fillCarried(op, op.carried, op.In, ch)
	m.In = golang.Ref{Name: op.carried.name}
	m.Sig = golang.Publish
	m.Op.Kind = kinds[op.Kind]
	m.Op.Route = ch.Address
	if ch.Address == "" {
		m.Op.Route = ch.Name
		s.remark("address-at-runtime", op.Span, "the address of channel %q is known only at run time; its name stands for it", ch.Name)
	}
	m.Op.Params, m.Op.Bodies, m.Op.Key = op.carried.params, op.carried.bodies, op.carried.key
	m.Op.Cloud = cloud(op)
	s.settings(op, ch)
	if op.Kind == contract.Request {
		s.ask(op, ch)
	}
	m.Doc = methodDoc(m.Name, op.Doc, eventFallback(op), []string{m.Op.Route})
}

// kinds are the constants of the runtime for the kinds of operations on messages.
var kinds = map[contract.Kind]string{contract.Send: "Send", contract.Receive: "Receive", contract.Request: "Request"}

func eventFallback(op *operation) string {
	name := op.method.Name + " "
	switch op.Kind {
	case contract.Request:
		return name + "asks with " + op.carried.name + " and waits for " + op.answer.name + "."
	case contract.Receive:
		return name + "takes in " + op.carried.name + "."
	}
	return name + "sends " + op.carried.name + "."
}

// ask describes the reply of a request.
func (s *service) ask(op *operation, ch *contract.Channel) {
	s.fillCarried(op, op.answer, replyMessage(op, ch), nil)
	m := op.method
	m.Sig = golang.Ask
	m.Out = golang.Ref{Name: op.answer.name}
	reply := &golang.Reply{Headers: op.answer.params}
	if len(op.answer.bodies) > 0 {
		first := op.answer.bodies[0]
		reply.Media, reply.Body, reply.XML, reply.Avro, reply.Proto = first.Media, first.Field, first.XML, first.Avro, first.Proto
	}
	m.Op.Replies = []*golang.Reply{reply}
}

// settings passes on what the contract says for single protocols.
func (s *service) settings(op *operation, ch *contract.Channel) {
	seen := map[[2]string]bool{}
	for _, b := range ch.Bindings {
		for _, v := range b.Values {
			key := [2]string{b.Protocol, v.Key}
			switch {
			case b.Protocol == "" && v.Key == "deadLetter":
				op.method.Op.DeadLetter = v.Text
			case b.Protocol == "" || v.Schema != nil || seen[key] || v.Key == "bindingVersion":
			default:
				seen[key] = true
				op.method.Op.Channel = append(op.method.Op.Channel, golang.Setting{Protocol: b.Protocol, Key: v.Key, Value: v.Text})
			}
		}
	}
}

// fillCarried declares the struct of a message, once.
func (s *service) fillCarried(op *operation, c *carried, m *contract.Message, ch *contract.Channel) {
	if c.done {
		return
	}
	c.done = true
	st := &golang.Struct{Name: c.name}
	s.place(st, nil)
	if m == nil {
		m = &contract.Message{}
	}
	st.Doc = typeDoc(c.name, m.Doc)
	if len(st.Doc) == 0 {
		st.Doc = []string{c.name + " is a message of " + op.method.Name + "."}
	}
	fields := fieldScope()
	if len(m.Bodies) > 0 {
		fields.take("Payload")
	}
	w := &messenger{service: s, c: c, st: st, fields: fields}
	for _, q := range addressParams(ch) {
		w.param(q)
	}
	w.cloudEvent(m)
	for _, f := range headers(m) {
		if _, ok := contract.CloudAttribute(f.Name); ok && m.Cloud != nil {
			continue // part of the event
		}
		w.param(&contract.Param{Field: *f, In: "header"})
	}
	w.payload(m)
	w.key(m)
}

// headers are those of a message, or, optional, those of all that may stand for it.
func headers(m *contract.Message) []*contract.Field {
	out := slices.Clone(m.Headers)
	for _, one := range m.OneOf {
		for _, f := range one.Headers {
			if !slices.ContainsFunc(out, func(h *contract.Field) bool { return strings.EqualFold(h.Name, f.Name) }) {
				c := *f
				c.Required = false
				out = append(out, &c)
			}
		}
	}
	return out
}

// A messenger fills the struct of a message.
type messenger struct {
	*service
	c      *carried
	st     *golang.Struct
	fields *scope
}

func (w *messenger) param(q *contract.Param) {
	w.within(q.Span, func() {
		f := q.Field
		f.Required = f.Required || q.In == "address"
		name := w.fields.name(exported(f.Name), exported(q.In))
		field, line := w.member(&f, name, w.hold(q.Schema, w.st.Name+name), w.st.Name)
		field.Comment = strings.TrimSuffix(q.In+", "+field.Comment, ", ")
		w.st.Fields = append(w.st.Fields, field)
		w.c.params = append(w.c.params, &golang.Param{Place: exported(q.In), Field: line})
	})
}

func (w *messenger) payload(m *contract.Message) {
	if len(m.Bodies) == 0 {
		return
	}
	b := m.Bodies[0]
	if w.protoPayload(b) {
		return
	}
	w.within(b.Span, func() { w.c.payload = w.body(b) })
	ref, flags := w.c.payload.field(true, false)
	w.st.Fields = append(w.st.Fields, &golang.Field{Name: "Payload", Type: ref})
	w.c.bodies = []*golang.Body{{Media: b.Media, Field: w.c.payload.line("", w.st.Name, "Payload", flags), XML: w.xmlFormat(b, m.Name), Avro: avroFormat(b)}}
}

// body holds the payload of a message, which is never streamed.
func (w *messenger) body(b *contract.Body) *held {
	if b.Coding != nil && b.Schema != nil {
		return w.hold(orAny(b.Schema), w.st.Name+"Payload")
	}
	switch classOf(b.Media, b.Schema) {
	case jsonClass, xmlClass:
		return w.hold(orAny(b.Schema), w.st.Name+"Payload")
	case textClass:
		return w.scalar(&contract.Scalar{Kind: contract.String})
	}
	if b.Schema != nil && !bytesOnly(b.Schema) {
		w.warn("payload-as-bytes", b.Span, "payloads as %s are passed as bytes", b.Media)
	}
	return w.scalar(&contract.Scalar{Kind: contract.Bytes})
}

// key finds the field that orders messages.
func (w *messenger) key(m *contract.Message) {
	if m.Key == nil {
		return
	}
	path := strings.Split(strings.TrimPrefix(m.Key.Pointer, "/"), "/")
	selector, ok := "", false
	if strings.EqualFold(m.Key.In, "header") && len(path) == 1 {
		for _, q := range w.c.params {
			if q.Place == "Header" && strings.EqualFold(q.Field.Name, path[0]) {
				selector, ok = keyText(q.Field)
			}
		}
	} else if w.c.payload != nil {
		selector, ok = w.inside(w.c.payload, path)
		selector = "Payload" + selector
	}
	if !ok {
		w.remark("key-not-used", m.Key.Span, "messages are not ordered by %s%s: only required strings, UUIDs and dates can be keys", m.Key.In, m.Key.Pointer)
		return
	}
	w.c.key = strings.TrimPrefix(selector, ".")
}

// inside is the selector of what path leads to inside of what h holds.
func (w *messenger) inside(h *held, path []string) (string, bool) {
	if h.kind != "Object" || h.null || h.table == nil {
		return "", false
	}
	i := slices.IndexFunc(w.decls, func(d *placed) bool { return d.table != nil && d.table.Var == h.table.Use })
	if i < 0 {
		return "", false
	}
	name := strings.NewReplacer("~1", "/", "~0", "~").Replace(path[0])
	for _, l := range w.decls[i].table.Fields {
		if l.Name != name || l.GoField == "" {
			continue
		}
		if len(path) == 1 {
			return keyText(l)
		}
		if slices.Contains(l.Flags, "Ptr") || slices.Contains(l.Flags, "Maybe") {
			return "", false
		}
		rest, ok := w.inside(&held{kind: l.Kind, table: l.Table}, path[1:])
		return "." + l.GoField + rest, ok
	}
	return "", false
}

// keyText is the selector of a field as a string.
func keyText(l *golang.TableField) (string, bool) {
	if slices.Contains(l.Flags, "Ptr") || slices.Contains(l.Flags, "Maybe") {
		return "", false
	}
	switch l.Kind {
	case "String":
		return "." + l.GoField, true
	case "UUID", "Date":
		return "." + l.GoField + ".String()", true
	}
	return "", false
}
