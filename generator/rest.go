package generator

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// reserveCall takes the name of a request, and that of a reply where one is needed.
func (s *service) reserveCall(op *operation) {
	op.request = s.names.name(op.method.Name+"Request", "Input", "In")
	op.shape = s.results(op)
	if op.shape.kind == made {
		op.reply = s.names.name(op.method.Name+"Response", "Output", "Out")
	}
}

// call gives a method its request, its results and its description.
func (s *service) call(op *operation) {
	m := op.method
	m.In = golang.Ref{Name: op.request}
	m.Op.Kind = restKind(op)
	st := &golang.Struct{Name: op.request, Doc: []string{op.request + " is the argument of " + m.Name + "."}}
	s.place(st, nil)
	fields := fieldScope()
	wire, _ := op.Wire.(*contract.HTTP)
	if wire == nil {
		wire = &contract.HTTP{Method: http.MethodPost, Path: "/" + op.Name}
	}
	m.Op.Route = wire.Method + " " + wire.Path
	if len(wire.Servers) > 0 && !slices.EqualFunc(wire.Servers, s.c.Servers, sameServer) && !s.elsewhere[wire.Servers[0].URL] {
		s.elsewhere[wire.Servers[0].URL] = true // said once
		s.warn("operation-server", wire.Servers[0].Span, "%s is on servers of its own, such as %s; its client goes where its connection does", m.Name, oneLine(wire.Servers[0].URL)).
			Help = "call it by a second client, whose connection goes there"
	}
	if op.In != nil && len(op.In.Bodies) > 0 {
		fields.take("Body")
	}
	for _, param := range s.params(op, wire) {
		s.param(op, param, st, fields)
	}
	s.bodies(op, st)
	failures := s.reply(op)
	m.Doc = methodDoc(m.Name, op.Doc, m.Name+" calls "+m.Op.Route+".", append([]string{m.Op.Route}, failures...))
}

func sameServer(a, b *contract.Server) bool { return a.URL == b.URL }

// params are the parameters that travel: those of the path's template, whether the
// contract declares them or not, and the others, each once.
func (s *service) params(op *operation, wire *contract.HTTP) []*contract.Param {
	var out []*contract.Param
	missing := templateNames(wire.Path)
	seen := map[[2]string]bool{}
	for _, q := range wire.Params {
		key := [2]string{q.In, q.Name}
		i := slices.Index(missing, q.Name)
		switch {
		case seen[key]:
			continue
		case q.In == "path" && i < 0:
			s.warn("unused-path-parameter", q.Span, "the path %q has no {%s}; the parameter is left out", wire.Path, q.Name)
			continue
		case q.In == "header" && slices.Contains([]string{"accept", "content-type", "authorization"}, strings.ToLower(q.Name)):
			s.remark("header-not-a-parameter", q.Span, "the header %s is set by the transport, not by a parameter (OpenAPI 3.1, 4.8.12.1)", q.Name)
			continue
		case q.In == "path":
			missing = slices.Delete(missing, i, i+1)
		}
		seen[key] = true
		out = append(out, q)
	}
	for _, name := range missing {
		if seen[[2]string{"path", name}] {
			continue
		}
		seen[[2]string{"path", name}] = true
		s.warn("undeclared-path-parameter", op.Span, "the path %q has {%s}, which is not declared; it is taken for a string", wire.Path, name)
		f := contract.Field{Name: name, Required: true, Schema: &contract.Scalar{Kind: contract.String}, Span: op.Span}
		out = append(out, &contract.Param{Field: f, In: "path"})
	}
	return out
}

// templateNames are the names in braces, in order.
func templateNames(path string) []string {
	var out []string
	for {
		_, after, ok := strings.Cut(path, "{")
		if !ok {
			return out
		}
		name, rest, ok := strings.Cut(after, "}")
		if !ok {
			return out
		}
		out, path = append(out, name), rest
	}
}

// param adds a field that travels outside the body.
func (s *service) param(op *operation, q *contract.Param, st *golang.Struct, fields *scope) {
	s.within(q.Span, func() {
		f := q.Field
		f.Required = f.Required || q.In == "path" || q.In == "address"
		name := fields.name(exported(f.Name), exported(q.In))
		h := s.paramHeld(q, op.method.Name+name)
		field, line := s.member(&f, name, h, st.Name)
		field.Comment = strings.TrimSuffix(q.In+", "+field.Comment, ", ")
		st.Fields = append(st.Fields, field)
		op.method.Op.Params = append(op.method.Op.Params, &golang.Param{
			Place: exported(q.In), Style: styleOf(q), Explode: q.Explode, Reserved: q.AllowReserved, Default: defaultOf(&f, h), Field: line,
		})
	})
}

func (s *service) paramHeld(q *contract.Param, want string) *held {
	if q.Media != "" && classOf(q.Media, q.Schema) != jsonClass {
		return s.scalar(&contract.Scalar{Kind: contract.String})
	}
	h := s.hold(q.Schema, want)
	if h.kind == "Reader" {
		return s.scalar(&contract.Scalar{Kind: contract.String})
	}
	return h
}

// styles are the constants of the runtime for styles that are not their place's default.
var styles = map[string]string{
	"label": "Label", "matrix": "Matrix", "spaceDelimited": "SpaceDelimited", "pipeDelimited": "PipeDelimited", "deepObject": "DeepObject",
}

func styleOf(q *contract.Param) string {
	switch {
	case q.Media != "" && classOf(q.Media, q.Schema) == jsonClass:
		return "JSON"
	case q.Style == "form" && (q.In == "path" || q.In == "header"):
		return "Form"
	case q.Style == "simple" && (q.In == "query" || q.In == "cookie"):
		return "Simple"
	}
	return styles[q.Style]
}

// statusOf is the number of a declared status: 404, 4 for "4XX", 0 for "default".
func statusOf(status string) (int, bool) {
	switch {
	case status == "default" || status == "":
		return 0, true
	case len(status) == 3 && strings.EqualFold(status[1:], "xx") && status[0] >= '1' && status[0] <= '5':
		return int(status[0] - '0'), true
	}
	n, err := strconv.Atoi(status)
	return n, err == nil && n >= 100 && n <= 599
}

// hundreds is the class of a status: 2 of 204 and of 2 ("2XX"); 0 of the default.
func hundreds(status int) int {
	if status >= 100 {
		return status / 100
	}
	return status
}

// An answer is one declared response.
type answer struct {
	status int
	doc    contract.Doc
	body   *contract.Message
	span   contract.Span
}

// answers divides the declared responses: 2xx is a success, and 3xx where there is no
// 2xx, and the default where there is neither. Beside a 2xx, a 3xx says that the caller
// has not got what it asked for: a failure with its status.
func (s *service) answers(op *operation) (good, bad []*answer) {
	var all []*answer
	add := func(status string, doc contract.Doc, body *contract.Message, span contract.Span) {
		n, ok := statusOf(status)
		if !ok {
			s.warn("unknown-status", span, "%q is no status of a response; it is left out", status)
		} else if hundreds(n) == 1 {
			s.remark("interim-response", span, "the interim response %s is left to the transport", status)
		} else if !slices.ContainsFunc(all, func(a *answer) bool { return a.status == n }) {
			all = append(all, &answer{n, doc, body, span})
		}
	}
	for _, o := range op.Out {
		add(o.Status, o.Doc, o.Body, o.Span)
	}
	for _, f := range op.Failures {
		add(f.Status, f.Doc, f.Body, f.Span)
	}
	slices.SortStableFunc(all, func(a, b *answer) int { return cmp.Compare(order(a.status), order(b.status)) })
	for _, class := range []int{2, 3, 0} {
		if slices.ContainsFunc(all, func(a *answer) bool { return hundreds(a.status) == class }) {
			for _, a := range all {
				if hundreds(a.status) == class {
					good = append(good, a)
				} else {
					bad = append(bad, a)
				}
			}
			return good, bad
		}
	}
	return nil, all
}

// order puts 404 before 4XX before default.
func order(status int) int {
	switch {
	case status == 0:
		return 1000
	case status < 10:
		return status*100 + 99
	}
	return status
}

// statusName is a status as part of a Go name: OK, NotFound, ClientError, Default.
func statusName(status int) string {
	switch status {
	case 0:
		return "Default"
	case 2:
		return "Success"
	case 3:
		return "Redirect"
	case 4:
		return "ClientError"
	case 5:
		return "ServerError"
	}
	if text := http.StatusText(status); text != "" {
		return exported(text)
	}
	return "Status" + strconv.Itoa(status)
}
