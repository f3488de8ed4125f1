package roundtrip

import (
	"io"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/concordattest"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// An operation is what all stub.Op have in common.
type operation struct {
	concordat.Spec
	Params    []stub.Param
	Bodies    []stub.Body
	Replies   []stub.Reply
	HasStatus bool
	StatusOff uintptr

	BodyRequired            bool
	HasInMedia, HasOutMedia bool
	InMediaOff, OutMediaOff uintptr
}

func operationOf(op any) *operation {
	v := reflect.ValueOf(op).Elem()
	o := new(operation)
	for name, to := range map[string]any{"Spec": &o.Spec, "Params": &o.Params, "Bodies": &o.Bodies, "Replies": &o.Replies,
		"HasStatus": &o.HasStatus, "StatusOff": &o.StatusOff,
		"BodyRequired": &o.BodyRequired, "HasInMedia": &o.HasInMedia, "HasOutMedia": &o.HasOutMedia, "InMediaOff": &o.InMediaOff, "OutMediaOff": &o.OutMediaOff} {
		reflect.ValueOf(to).Elem().Set(v.FieldByName(name))
	}
	return o
}

// REST calls every operation of a service over mutual TLS, with what its contract allows
// and with what it does not.
func REST(t *testing.T, svc Service) {
	s := newSubject(svc)
	server, conn := s.credentials()
	tls, quiet := concordat.WithTLS(concordattest.TLS(t)), concordat.WithLogger(slog.New(slog.DiscardHandler))
	if len(svc.Document) > 0 {
		s.filter = newFilter(t, svc.Document)
	}
	if s.filter != nil {
		server = append(server, concordat.WithMiddleware(s.filter.tape))
	}
	srv := concordat.NewServer(append(server, tls, quiet)...)
	s.register(srv)
	addr := concordattest.Run(t, srv)
	s.dial(concordattest.Dial(t, addr, append(conn, tls, quiet, concordat.WithRetries(0))...))
	s.stranger = s.clientOf(concordattest.Dial(t, addr, tls, quiet, concordat.WithRetries(0), concordat.WithoutAuthentication()))
	s.each(t, func(t *testing.T, method string, r *rand.Rand) {
		c := &restCase{subject: s, t: t, method: method, op: operationOf(s.Ops[method]), r: r}
		f := s.client.MethodByName(method).Type()
		c.in = f.In(1).Elem()
		if f.NumOut() == 2 {
			c.out = f.Out(0).Elem()
		}
		if c.op.Kind.Streams() {
			c.streams()
			return
		}
		for range s.Draws {
			c.succeed()
		}
		for i := range c.op.Replies {
			if c.op.Replies[i].Failure {
				c.failWith(i)
			}
		}
		c.refuse()
		c.refuseStranger()
	})
}

// A restCase is one operation under test.
type restCase struct {
	*subject
	t       *testing.T
	method  string
	op      *operation
	in, out reflect.Type // out is nil where nothing comes back
	r       *rand.Rand
}

// request draws a request; nil where none could be drawn.
func (c *restCase) request() (in reflect.Value) {
	in = reflect.New(c.in)
	d := &drawer{Rand: c.r, drop: codec.ReadOnly, fill: !strings.HasPrefix(c.op.Route, "PATCH ")}
	d.params(in.Elem(), c.op.Params)
	if len(c.op.Bodies) > 0 {
		b := c.op.Bodies[c.r.IntN(len(c.op.Bodies))]
		if c.op.HasInMedia {
			name(in.Elem(), c.op.InMediaOff, b.Media)
		} else {
			for _, first := range c.op.Bodies { // of several for one field the first is sent
				if first.Off == b.Off {
					b = first
					break
				}
			}
		}
		f := codec.Field{Kind: b.Kind, T: b.T, R: b.R, Off: b.Off, Flag: b.Flag}
		if c.op.BodyRequired {
			f.Flag |= codec.Req
		}
		d.body(in.Elem(), b.Media, f)
		if _, ok := f.Value(in.UnsafePointer()); !ok && c.op.HasInMedia {
			name(in.Elem(), c.op.InMediaOff, "")
		}
	}
	if d.err != nil {
		c.t.Logf("no request: %v", d.err)
		return reflect.Value{}
	}
	return in
}

// name sets the field that says which media type a body has.
func name(v reflect.Value, off uintptr, media string) {
	f := codec.Field{Off: off}
	cell(v, &f).SetString(strings.NewReplacer("image/*", "image/png", "*/*", "application/octet-stream", "/*", "/x").Replace(media))
}

func (d *drawer) params(in reflect.Value, ps []stub.Param) {
	for _, p := range ps {
		d.where = map[stub.Place]where{stub.Path: inPath, stub.Query: inQuery, stub.Header: inHeader, stub.Cookie: inCookie, stub.Address: inAddress}[p.In]
		d.avoid = avoided(&p)
		if p.Style == stub.JSON && p.In != stub.Address {
			d.where = inJSON
		}
		f := codec.Field{Kind: p.Kind, T: p.T, R: p.R, Off: p.Off, Flag: p.Flag}
		if p.In == stub.Path || p.In == stub.Address {
			f.Flag |= codec.Req
		}
		if p.Style == stub.JSON {
			f.Flag &^= codec.Null // as a whole
		}
		d.place(cell(in, &f), f)
	}
	d.where, d.avoid = inJSON, ""
}

// avoided are the characters that a style cannot tell from its own.
func avoided(p *stub.Param) string {
	f := codec.Field{Kind: p.Kind, T: p.T}
	if k, _ := f.Resolve(); k < codec.Object {
		return ""
	}
	switch {
	case p.In == stub.Header:
		return `,="`
	case p.Style == stub.Label:
		return "." // which no escape protects: RFC 3986, 2.3
	case p.Style == stub.SpaceDelimited:
		return " +"
	case p.Style == stub.PipeDelimited:
		return "|"
	}
	return ""
}

// body draws what travels as a body.
func (d *drawer) body(in reflect.Value, media string, f codec.Field) {
	media, _, _ = strings.Cut(strings.ToLower(media), ";")
	k, _ := f.Resolve()
	switch {
	case k == codec.Reader, k == codec.Bytes && !isJSON(media):
	case isJSON(media), strings.Contains(media, "*"):
	case strings.HasPrefix(media, "multipart/"), media == "application/x-www-form-urlencoded":
		d.where = inForm
	case isXML(media) && k != codec.String:
		d.where = inXML
	default:
		d.where = inText
	}
	d.place(cell(in, &f), f)
	d.where = inJSON
}

func isXML(media string) bool {
	return media == "application/xml" || media == "text/xml" || strings.HasSuffix(media, "+xml")
}

func isJSON(media string) bool {
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// result draws what the server returns, as the success at i.
func (c *restCase) result(i int) (out reflect.Value) {
	if c.out == nil {
		return out
	}
	out = reflect.New(c.out)
	if c.out == reflect.TypeFor[stub.None]() {
		return out
	}
	reply := c.op.Replies[i]
	d := &drawer{Rand: c.r, drop: codec.WriteOnly}
	if c.op.HasStatus {
		f := codec.Field{Off: c.op.StatusOff}
		cell(out.Elem(), &f).SetInt(int64(statusOf(c.op, reply.Status, 200)))
	}
	d.params(out.Elem(), reply.Headers)
	unset(out, reply.Headers)
	if reply.Items != nil {
		f := cell(out.Elem(), &codec.Field{Off: reply.Off})
		items, _ := draw(d, c.r.IntN(4), f.Type().In(0).In(0).Elem(), codec.Field{T: reply.T, R: reply.R, Kind: reply.Kind, Flag: reply.Flag | codec.Req})
		f.Set(sequence(f.Type(), items, nil))
	} else if reply.Media != "" && !strings.HasPrefix(c.op.Route, "HEAD ") {
		f := codec.Field{Kind: reply.Kind, T: reply.T, R: reply.R, Off: reply.Off, Flag: reply.Flag}
		if f.Flag&codec.Null == 0 {
			f.Flag |= codec.Req // or it would be another reply, or an empty one
		}
		d.body(out.Elem(), reply.Media, f)
		if c.op.HasOutMedia {
			name(out.Elem(), c.op.OutMediaOff, reply.Media)
		}
	}
	if d.err != nil {
		c.t.Logf("no reply: %v", d.err)
		return reflect.Value{}
	}
	return out
}

// unset forgets the declared headers that are HTTP's own, whatever a server says.
func unset(out reflect.Value, headers []stub.Param) {
	for _, h := range headers {
		if strings.HasPrefix(strings.ToLower(h.Name), "content-") {
			f := codec.Field{Off: h.Off, Kind: h.Kind}
			cell(out.Elem(), &f).SetZero()
		}
	}
}

// statusOf returns a status that a declared one, a class or default covers, and that no
// more exact one does. base is 200 for successes and 400 for failures.
func statusOf(op *operation, declared, base int) int {
	switch {
	case declared >= 100:
		return declared
	case declared > 0:
		base = declared * 100
	}
	for s := base + 18; ; s++ {
		exact := false
		for _, r := range op.Replies {
			exact = exact || r.Status == s || declared == 0 && r.Status == s/100
		}
		if !exact {
			return s
		}
		if s == base+60 {
			s, base = base+117, base+100
		}
	}
}

// succeed makes one call that the contract allows.
func (c *restCase) succeed() {
	c.t.Helper()
	in := c.request()
	var successes []int
	for i := range c.op.Replies {
		if !c.op.Replies[i].Failure {
			successes = append(successes, i)
		}
	}
	var out reflect.Value
	ctx, streamed := c.t.Context(), false
	if len(successes) > 0 {
		i := successes[c.r.IntN(len(successes))]
		out, streamed = c.result(i), c.op.Replies[i].Items != nil
		if media := c.op.Replies[i].Media; media != "" && !strings.Contains(media, "*") {
			ctx = concordat.WithAccept(ctx, media, "*/*;q=0.1") // or the server would take the first for one value
		}
	}
	if !in.IsValid() || c.out != nil && !out.IsValid() {
		return
	}
	want, wanted := show(c.received(in)), ""
	if out.IsValid() {
		wanted = flat(out.Elem())
	}
	seen, calls := "", 0
	c.answer(func(args []reflect.Value) []reflect.Value {
		calls++
		seen = show(args[1].Elem().Interface())
		return results(c.impl.MethodByName(c.method).Type(), out, nil)
	})
	got, err := call(ctx, c.client, c.method, in)
	switch {
	case err != nil:
		c.t.Errorf("the call failed: %v\nrequest %.600s\nreply %.600s", err, want, wanted)
	case calls != 1:
		c.t.Errorf("the server was called %d times", calls)
	case seen != want:
		c.t.Errorf("the server saw another request, %s", differ(want, seen))
	}
	if err == nil && c.filter != nil && !streamed {
		c.filter.judge(c.t, c.method, c.op.Route)
	}
	if err == nil && wanted != "" {
		for i := range c.op.Replies {
			unset(got, c.op.Replies[i].Headers)
		}
		if shown := flat(got.Elem()); shown != wanted {
			c.t.Errorf("the client got another reply, %s", differ(wanted, shown))
		}
	}
}

// failWith makes one call that ends in the declared failure at i.
func (c *restCase) failWith(i int) {
	reply := c.op.Replies[i]
	status := statusOf(c.op, reply.Status, 400)
	failure := &concordat.Error{Code: concordat.CodeOf(status), Status: status, Message: "no"}
	in := c.request()
	if !in.IsValid() {
		return
	}
	detail := c.detail(reply)
	if detail.IsValid() {
		failure.Detail = detail.Interface()
	}
	c.answer(func([]reflect.Value) []reflect.Value {
		return results(c.impl.MethodByName(c.method).Type(), reflect.Value{}, failure)
	})
	_, err := call(c.t.Context(), c.client, c.method, in)
	e := concordat.ErrorOf(err)
	if err != nil && c.filter != nil {
		c.filter.judge(c.t, c.method, c.op.Route)
	}
	switch {
	case err == nil:
		c.t.Errorf("failure %d did not arrive", status)
	case e.Status != status:
		c.t.Errorf("failure %d arrived as %d: %v", status, e.Status, err)
	case detail.IsValid() && e.Detail == nil:
		c.t.Errorf("failure %d arrived without its detail %s: %v", status, show(detail.Elem().Interface()), err)
	case detail.IsValid():
		want, got := show(detail.Interface()), show(e.Detail)
		if want != got {
			c.t.Errorf("failure %d arrived with another detail, %s", status, differ(want, got))
		}
	}
}

// detail draws the body of a failure, as a pointer; an invalid value where it has none.
func (c *restCase) detail(r stub.Reply) reflect.Value {
	f := codec.Field{Kind: r.Kind, T: r.T, R: r.R}
	_, t := f.Resolve()
	if r.Media == "" || strings.HasPrefix(c.op.Route, "HEAD ") || t == nil || t.Go == nil || t.Kind == codec.Reader {
		return reflect.Value{}
	}
	fresh, _ := t.New()
	v := reflect.ValueOf(fresh)
	d := &drawer{Rand: c.r, drop: codec.WriteOnly}
	f.Flag = codec.Req
	d.body(v.Elem(), r.Media, f)
	if d.err != nil {
		c.t.Logf("no detail: %v", d.err)
		return reflect.Value{}
	}
	return v
}

var _ io.ReadCloser = (*content)(nil)
