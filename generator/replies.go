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
	items         // as a stream of items
)

// A results is what an operation may answer.
type results struct {
	kind      int
	good, bad []*answer
	forms     [][]*form // of the bodies of good, one list each; empty where there is none
}

// results decides how an operation's success reaches its caller.
func (s *service) results(op *operation) results {
	var r results
	r.good, r.bad = s.answers(op)
	if streams(op) {
		r.kind = items
		return r
	}
	bodies, headers := 0, 0
	for _, a := range r.good {
		var forms []*form
		if a.body != nil && a.status != http.StatusNoContent && a.status != http.StatusNotModified {
			forms = s.formsOf(a.body.Bodies)
		}
		bodies += len(forms)
		headers += len(declared(a))
		r.forms = append(r.forms, forms)
	}
	switch {
	case bodies == 0 && headers == 0:
		r.kind = none
	case len(r.good) == 1 && headers == 0 && bodies == 1 && s.isStruct(r.forms[0][0].bodies[0]):
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

// isStruct says whether a body is a named object type.
func (s *service) isStruct(b *contract.Body) bool {
	ref, ok := b.Schema.(*contract.Ref)
	if c := classOf(b.Media, b.Schema); !ok || c != jsonClass && c != xmlClass {
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
		f := r.forms[0][0]
		h := s.hold(f.bodies[0].Schema, "")
		m.Out = h.ref
		for _, b := range f.bodies {
			m.Op.Replies = append(m.Op.Replies, &golang.Reply{Status: r.good[0].status, Media: b.Media, Body: h.line("", "", "", nil), XML: s.xmlFormat(b, m.Name)})
		}
	case made:
		s.response(op)
	case items:
		s.stream(op)
	}
	for _, a := range r.bad {
		failures = append(failures, s.failure(op, a))
	}
	return failures
}

// failure describes one way to fail, and returns its line in the method's comment.
func (s *service) failure(op *operation, a *answer) string {
	replies := &op.method.Op.Replies
	if a.body == nil || len(a.body.Bodies) == 0 {
		*replies = append(*replies, &golang.Reply{Status: a.status, Failure: true})
		return statusText(a.status)
	}
	var types []string
	for i, f := range s.formsOf(a.body.Bodies) {
		want := op.method.Name + statusName(a.status)
		if i > 0 {
			want += f.class.word()
		}
		h := s.detail(f, want)
		line := h.line("", "", "", nil)
		line.Table = h.alone()
		types = append(types, typeText(h.ref))
		for _, b := range f.bodies {
			*replies = append(*replies, &golang.Reply{Status: a.status, Failure: true, Media: b.Media, Body: line, XML: s.xmlFormat(b, want)})
		}
	}
	return statusDigits(a.status) + " " + strings.Join(types, " or ")
}

// detail holds the body of a failure, which is small enough not to be a stream.
func (s *service) detail(f *form, want string) *held {
	switch f.class {
	case jsonClass, xmlClass:
		return s.hold(orAny(f.bodies[0].Schema), want)
	case textClass:
		return s.scalar(&contract.Scalar{Kind: contract.String})
	}
	return s.scalar(&contract.Scalar{Kind: contract.Binary})
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
	for _, a := range r.good {
		w.headersOf(a)
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

// A shaped is a field of the result, which the replies with a body of its type share.
type shaped struct {
	held  *held
	name  string
	flags []string
}

// bodies adds a field for every distinct body, and a reply for every status and media type.
func (w *responder) bodies() {
	r := w.op.shape
	fields, some, all := map[string]*shaped{}, 0, true
	helds := make([][]*held, len(r.good))
	for i, forms := range r.forms {
		for n, f := range forms {
			if f.class == itemsClass {
				helds[i] = append(helds[i], nil)
				continue
			}
			h := w.body(f, i, n)
			helds[i] = append(helds[i], h)
			fields[typeText(h.ref)] = nil
		}
		some += min(len(forms), 1)
		all = all && len(forms) > 0
	}
	single := len(fields) == 1
	all = all && !slices.ContainsFunc(forms(r), (*form).sequence)
	for i, a := range r.good {
		if len(helds[i]) == 0 {
			w.op.method.Op.Replies = append(w.op.method.Op.Replies, &golang.Reply{Status: a.status})
		}
		for n, h := range helds[i] {
			f := r.forms[i][n]
			if f.class == itemsClass {
				w.items(a, f, some == 1)
				continue
			}
			key := typeText(h.ref)
			if fields[key] == nil {
				fields[key] = w.bodyField(h, bodyName(a, f, n, single || some == 1), single && all)
			}
			w.replies(a, f, h, fields[key])
		}
	}
	if slices.ContainsFunc(forms(r), (*form).opaque) {
		w.op.method.Op.OutMedia = w.fields.name("ContentType", "MediaType")
		contentType(w.st, w.op.method.Op.OutMedia, "media type of the body")
	}
}

// forms are those of all successes.
func forms(r results) (all []*form) {
	for _, f := range r.forms {
		all = append(all, f...)
	}
	return all
}

// replies adds a reply for each media type of a form.
func (w *responder) replies(a *answer, f *form, h *held, to *shaped) {
	for _, b := range f.bodies {
		w.op.method.Op.Replies = append(w.op.method.Op.Replies, &golang.Reply{
			Status: a.status, Media: b.Media, Body: h.line("", w.st.Name, to.name, to.flags), XML: w.xmlFormat(b, w.op.method.Name),
		})
	}
}

// bodyName names the field of a body: Body where one status has one, else by the status;
// what is another form of the same answer says so.
func bodyName(a *answer, f *form, n int, alone bool) string {
	name := "Body"
	if !alone {
		name = statusName(a.status)
	}
	if n > 0 {
		name += f.class.word()
	}
	return name
}

func (w *responder) bodyField(h *held, name string, always bool) *shaped {
	name = w.fields.name(name, "Body")
	ref, flags := h.field(always, false)
	if always && len(flags) > 0 && flags[0] == "Req" && h.kind == "Reader" {
		flags = nil
	}
	w.st.Fields = append(w.st.Fields, &golang.Field{Name: name, Type: ref})
	return &shaped{h, name, flags}
}

// body holds the n-th form of the i-th success.
func (w *responder) body(f *form, i, n int) *held {
	switch f.class {
	case jsonClass, xmlClass:
		want := w.op.reply + "Body"
		if len(w.op.shape.good) > 1 {
			want = w.op.method.Name + statusName(w.op.shape.good[i].status)
		}
		if n > 0 {
			want += f.class.word()
		}
		return w.hold(orAny(f.bodies[0].Schema), want)
	case textClass:
		return w.scalar(&contract.Scalar{Kind: contract.String})
	}
	return &held{ref: golang.Ref{Pkg: "io", Name: "ReadCloser"}, kind: "Reader", base: "Reader"}
}

// headersOf adds the headers that an answer declares.
func (w *responder) headersOf(a *answer) {
	for _, f := range declared(a) {
		key := strings.ToLower(f.Name)
		line := w.headers[key]
		if line == nil {
			w.within(f.Span, func() { line = w.header(f) })
			w.headers[key] = line
		}
		for _, reply := range w.op.method.Op.Replies {
			if reply.Status == a.status && !reply.Failure {
				reply.Headers = append(reply.Headers, &golang.Param{Place: "Header", Field: line})
			}
		}
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
