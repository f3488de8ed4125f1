package generator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// How an operation's success reaches the caller.
const (
	none   = iota // as the absence of an error
	direct        // as the body itself
	made          // in a struct made for the operation
)

// A results is what an operation may answer.
type results struct {
	kind      int
	good, bad []*answer
	bodies    []*contract.Body // of good, one each; nil where there is none
}

// results decides how an operation's success reaches its caller.
func (s *service) results(op *operation) results {
	var r results
	r.good, r.bad = s.answers(op)
	bodies, headers := 0, 0
	for _, a := range r.good {
		var b *contract.Body
		if a.body != nil && a.status != http.StatusNoContent && a.status != http.StatusNotModified {
			b = s.preferred(a.body.Bodies)
		}
		if b != nil {
			bodies++
		}
		headers += len(declared(a))
		r.bodies = append(r.bodies, b)
	}
	switch {
	case bodies == 0 && headers == 0:
		r.kind = none
	case len(r.good) == 1 && headers == 0 && s.isStruct(r.bodies[0]):
		r.kind = direct
	default:
		r.kind = made
	}
	return r
}

// declared are the headers of a response that the contract declares.
func declared(a *answer) []*contract.Field {
	if a.body == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.body.Headers), func(f *contract.Field) bool { return strings.EqualFold(f.Name, "content-type") })
}

// isStruct says whether a body is JSON of a named object type.
func (s *service) isStruct(b *contract.Body) bool {
	ref, ok := b.Schema.(*contract.Ref)
	if !ok || classOf(b.Media, b.Schema) != jsonClass {
		return false
	}
	h := s.named(ref.Type)
	_, ok = h.decl.(*golang.Struct)
	return ok && !h.null
}

// reply describes what comes back, and returns what the method's comment says of
// failures.
func (s *service) reply(op *operation) (failures []string) {
	m, r := op.method, op.shape
	m.Sig = golang.Call
	switch r.kind {
	case none:
		m.Sig = golang.Exec
		for _, a := range r.good {
			m.Op.Replies = append(m.Op.Replies, &golang.Reply{Status: a.status})
		}
	case direct:
		h := s.hold(r.bodies[0].Schema, "")
		m.Out = h.ref
		m.Op.Replies = []*golang.Reply{{Status: r.good[0].status, Media: r.bodies[0].Media, Body: h.line("", "", "", nil)}}
	case made:
		s.response(op)
	}
	for _, a := range r.bad {
		failures = append(failures, s.failure(op, a))
	}
	return failures
}

// failure describes one way to fail, and returns its line in the method's comment.
func (s *service) failure(op *operation, a *answer) string {
	reply := &golang.Reply{Status: a.status, Failure: true}
	op.method.Op.Replies = append(op.method.Op.Replies, reply)
	text := statusText(a.status)
	if a.body == nil {
		return text
	}
	body := s.preferred(a.body.Bodies)
	if body == nil {
		return text
	}
	var h *held
	switch classOf(body.Media, body.Schema) {
	case jsonClass:
		h = s.hold(orAny(body.Schema), op.method.Name+statusName(a.status))
	case textClass:
		h = s.scalar(&contract.Scalar{Kind: contract.String})
	default:
		s.remark("failure-without-detail", body.Span, "the body of a failure as %s is not given to the caller", body.Media)
		return text
	}
	line := h.line("", "", "", nil)
	line.Table = h.alone()
	reply.Media, reply.Body = body.Media, line
	return statusDigits(a.status) + " " + typeText(h.ref)
}

// statusDigits is a status as contracts write it.
func statusDigits(status int) string {
	switch {
	case status == 0:
		return "default"
	case status < 10:
		return strconv.Itoa(status) + "XX"
	}
	return strconv.Itoa(status)
}

func statusText(status int) string {
	return strings.TrimSpace(statusDigits(status) + " " + http.StatusText(status))
}

// typeText is a type as a comment names it.
func typeText(r golang.Ref) string {
	if r.Pkg != "" {
		return r.Prefix + baseName(strings.ReplaceAll(r.Pkg, "/", ".")) + "." + r.Name
	}
	return r.Prefix + r.Name
}

// response makes the struct that holds an operation's results.
func (s *service) response(op *operation) {
	m, r := op.method, op.shape
	st := &golang.Struct{Name: op.reply, Doc: []string{op.reply + " is the result of " + m.Name + "."}}
	s.place(st, nil)
	m.Out = golang.Ref{Name: op.reply}
	fields := fieldScope()
	if len(r.good) > 1 || r.good[0].status < 100 {
		m.Op.Status = fields.name("Status")
		st.Fields = append(st.Fields, &golang.Field{Name: m.Op.Status, Type: golang.Ref{Name: "int"}, Comment: statusList(r.good)})
	}
	w := &responder{service: s, op: op, st: st, fields: fields, headers: map[string]*golang.TableField{}}
	w.bodies()
	for i, a := range r.good {
		w.headersOf(a, m.Op.Replies[i])
	}
}

func statusList(good []*answer) string {
	var out []string
	for _, a := range good {
		out = append(out, statusDigits(a.status))
	}
	return strings.Join(out, ", ")
}

// A responder fills the struct of an operation's results.
type responder struct {
	*service
	op      *operation
	st      *golang.Struct
	fields  *scope
	headers map[string]*golang.TableField // by lower-case name
}

// bodies adds a field for every distinct body, and a reply for every status.
func (w *responder) bodies() {
	r := w.op.shape
	held := make([]*held, len(r.good))
	distinct := map[string]*golang.TableField{}
	for i, b := range r.bodies {
		if b != nil {
			held[i] = w.body(b, w.op.reply+"Body", i)
			distinct[typeText(held[i].ref)] = nil
		}
	}
	for i, a := range r.good {
		reply := &golang.Reply{Status: a.status}
		w.op.method.Op.Replies = append(w.op.method.Op.Replies, reply)
		if held[i] == nil {
			continue
		}
		key := typeText(held[i].ref)
		if distinct[key] == nil {
			distinct[key] = w.bodyField(held[i], a, len(distinct) == 1, !slices.Contains(r.bodies, nil) && len(distinct) == 1)
		}
		reply.Media, reply.Body = r.bodies[i].Media, distinct[key]
	}
}

func (w *responder) bodyField(h *held, a *answer, single, always bool) *golang.TableField {
	name := "Body"
	if !single {
		name = statusName(a.status)
	}
	name = w.fields.name(name, "Body")
	ref, flags := h.field(always, false)
	if always && len(flags) > 0 && flags[0] == "Req" && h.kind == "Reader" {
		flags = nil
	}
	w.st.Fields = append(w.st.Fields, &golang.Field{Name: name, Type: ref})
	return h.line("", w.st.Name, name, flags)
}

// body holds the body of a reply.
func (w *responder) body(b *contract.Body, want string, i int) *held {
	switch classOf(b.Media, b.Schema) {
	case jsonClass:
		if len(w.op.shape.good) > 1 {
			want = w.op.method.Name + statusName(w.op.shape.good[i].status)
		}
		return w.hold(orAny(b.Schema), want)
	case textClass:
		return w.scalar(&contract.Scalar{Kind: contract.String})
	}
	return &held{ref: golang.Ref{Pkg: "io", Name: "ReadCloser"}, kind: "Reader", base: "Reader"}
}

// headersOf adds the headers that a reply declares.
func (w *responder) headersOf(a *answer, reply *golang.Reply) {
	for _, f := range declared(a) {
		key := strings.ToLower(f.Name)
		line := w.headers[key]
		if line == nil {
			w.within(f.Span, func() { line = w.header(f) })
			w.headers[key] = line
		}
		reply.Headers = append(reply.Headers, &golang.Param{Place: "Header", Field: line})
	}
}

func (w *responder) header(f *contract.Field) *golang.TableField {
	c := *f
	c.Required = c.Required && len(w.op.shape.good) == 1
	name := w.fields.name(exported(f.Name), "Header")
	field, line := w.member(&c, name, w.hold(f.Schema, w.op.method.Name+name), w.st.Name)
	field.Comment = strings.TrimSuffix("header, "+field.Comment, ", ")
	w.st.Fields = append(w.st.Fields, field)
	return line
}
