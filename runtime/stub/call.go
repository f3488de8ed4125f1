package stub

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// Call runs op over conn. A nil in stands for an empty one. Errors are *concordat.Error;
// a failure that the contract declares has its body in Detail.
func Call[In, Out any](ctx context.Context, conn *concordat.Conn, op *Op[In, Out], in *In) (*Out, error) {
	out, err := call(ctx, conn, (*operation)(op), in, (*Out)(nil))
	return (*Out)(out), err
}

// call is Call; the pointers in in and zero say which types In and Out are.
func call(ctx context.Context, conn *concordat.Conn, op *operation, in, zero any) (pointer, error) {
	x := &exchange{op: op, plan: planOf(op), conn: conn, in: in, out: zero, call: concordat.Call{Spec: &op.Spec}}
	out, err := conn.Invoke(ctx, &x.call, in, x.last)
	if err != nil {
		return nil, err
	}
	if !same(out, zero) {
		return nil, swapped("reply", out)
	}
	return address(out), nil
}

// last is what the interceptors surround.
func (x *exchange) last(ctx context.Context, in any) (any, error) {
	if !same(in, x.in) {
		return nil, swapped("request", in)
	}
	base := address(in)
	if base == nil {
		_, base = fresh(in)
	}
	out, to := fresh(x.out)
	if err := x.run(ctx, base, to); err != nil {
		return nil, err
	}
	return out, nil
}

// Exec is Call for an operation that returns nothing.
func Exec[In any](ctx context.Context, conn *concordat.Conn, op *Op[In, None], in *In) error {
	_, err := call(ctx, conn, (*operation)(op), in, (*None)(nil))
	return err
}

// swapped is the error of an interceptor that passed on something else.
func swapped(what string, v any) error {
	return concordat.Errorf(concordat.Internal, "an interceptor passed on a %T, which is no %s of this operation; pass on what it was given", v, what)
}

// An exchange is one call of a client.
type exchange struct {
	op      *operation
	plan    *plan
	conn    *concordat.Conn
	in, out any // pointers of these types
	call    concordat.Call

	asked       concordat.Asked // by the caller's context
	path, query string
	header      http.Header
	sent        payload
}

// run sends in, as often as the connection's policy says, and fills out.
func (x *exchange) run(ctx context.Context, in, out pointer) error {
	if asked := concordat.AskedOf(ctx); asked != nil {
		x.asked = *asked
	}
	if err := x.prepare(in); err != nil {
		return err
	}
	defer x.sent.release()
	var before error
	err := x.conn.Try(ctx, &x.op.Spec, func(ctx context.Context, a *concordat.Attempt) error {
		if before != nil && x.sent.spent() {
			return before // there is nothing left to send, and this says why it failed
		}
		before = x.attempt(ctx, a, out)
		return before
	})
	return x.sent.blame(err)
}

// prepare encodes everything that all attempts send.
func (x *exchange) prepare(in pointer) error {
	buf := newBuffer()
	defer buf.release()
	var err error
	if buf.b, err = param.AppendPath(buf.b, x.plan.template, x.op.Params, in); err != nil {
		return refused(err)
	}
	x.path = string(buf.b)
	if x.plan.has[Query] {
		if buf.b, err = param.AppendQuery(buf.b[:0], x.op.Params, in); err != nil {
			return refused(err)
		}
		x.query = string(buf.b)
	}
	if err = x.headers(in); err != nil {
		return refused(err)
	}
	i, media, ok, err := x.choose(in)
	if err != nil {
		return refused(err)
	}
	if ok {
		p, declared := x.plan.bodies[i].as(media), x.op.Bodies[i].Media
		if media != "" {
			declared = media
		}
		if items := x.op.Bodies[i].Items; items != nil {
			x.sent = sequence(p, items, in)
		} else if x.sent, err = encode(p, declared, x.op.Bodies[i].Form, in, codec.Request); err != nil {
			return refused(err)
		}
		x.header["Content-Type"] = x.sent.media
	}
	return nil
}

// headers collects what interceptors and the contract say.
func (x *exchange) headers(in pointer) error {
	x.header = make(http.Header, len(x.call.Meta)+4)
	for k, v := range x.call.Meta {
		x.header[k] = v
	}
	switch {
	case x.asked.Accept != "":
		x.header["Accept"] = []string{x.asked.Accept}
	case x.plan.accept != nil && x.header["Accept"] == nil: // or an interceptor knows better
		x.header["Accept"] = x.plan.accept
	}
	if x.plan.has[Header] {
		if err := param.WriteHeader(x.header, x.op.Params, in); err != nil {
			return err
		}
	}
	if x.plan.has[Cookie] {
		line, err := param.AppendCookie(nil, x.op.Params, in)
		if err != nil {
			return err
		}
		if len(line) > 0 {
			x.header["Cookie"] = []string{strings.Join(append(x.header["Cookie"], string(line)), "; ")}
		}
	}
	return nil
}

// refused is the error of a request that the contract does not allow.
func refused(err error) error {
	if _, ok := errors.AsType[*concordat.Error](err); ok {
		return err
	}
	return concordat.Errorf(concordat.InvalidArgument, "the request is not what the contract allows: %w", err)
}

func (x *exchange) attempt(ctx context.Context, a *concordat.Attempt, out pointer) error {
	x.call.Peer = a.Endpoint.Addr
	if x.plan.streams {
		return x.stream(ctx, a, out)
	}
	req, err := x.request(ctx, a)
	if err != nil {
		return err
	}
	resp, err := a.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if raw, err := x.arrived(resp); raw {
		return err
	}
	return x.read(resp, out, nil)
}

// stream is attempt for replies that are read after the call has returned.
func (x *exchange) stream(ctx context.Context, a *concordat.Attempt, out pointer) error {
	req, err := x.request(ctx, a)
	if err != nil {
		return err
	}
	resp, err := a.DoStream(req)
	if err != nil {
		return err
	}
	if raw, err := x.arrived(resp); raw {
		resp.Body.Close()
		return err
	}
	var kept *callBody
	err = x.read(resp, out, func() *callBody {
		call, attempt := x.call.Stream(), a.Stream()
		kept = &callBody{ReadCloser: resp.Body, end: func(err error) { call(err); attempt(err) }}
		return kept
	})
	if kept == nil || err != nil {
		resp.Body.Close()
	}
	return err
}

// arrived tells who asked what came beside the reply, and hands the reply to the caller's
// own function where there is one: then there is no more to be read.
func (x *exchange) arrived(resp *http.Response) (raw bool, err error) {
	x.call.ReplyMeta = resp.Header
	if r := x.asked.Reply; r != nil {
		r.Status, r.Header = resp.StatusCode, resp.Header
	}
	if x.asked.Raw == nil {
		return false, nil
	}
	return true, x.asked.Raw(resp)
}

// A callBody ends its call when it is read to its end or closed.
type callBody struct {
	io.ReadCloser
	end func(error)
}

func (b *callBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.end(nil)
	} else if err != nil {
		b.end(err)
	}
	return n, err
}

func (b *callBody) Close() error {
	b.end(nil)
	return b.ReadCloser.Close()
}

func (x *exchange) request(ctx context.Context, a *concordat.Attempt) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, x.plan.method, "", nil)
	if err != nil {
		return nil, concordat.Errorf(concordat.Internal, "%s: %w", x.op.Route, err)
	}
	raw := x.path
	if base := strings.Trim(a.Base.EscapedPath(), "/"); base != "" {
		raw = "/" + base + raw
	}
	path, err := url.PathUnescape(raw)
	if err != nil {
		return nil, concordat.Errorf(concordat.Internal, "%s: %w", x.op.Route, err)
	}
	req.URL = &url.URL{Scheme: a.Base.Scheme, Host: a.Base.Host, Path: path, RawPath: raw, RawQuery: x.query}
	if hook := x.conn.Hook(); hook != nil {
		req.URL.Path, req.URL.RawPath = hook.Path, hook.RawPath
		req.URL.RawQuery = strings.Trim(hook.RawQuery+"&"+x.query, "&")
	}
	req.Host = "" // the connection knows the target's name
	if req.Header = x.header; a.N > 0 {
		req.Header = x.header.Clone() // the one before may still be in use
	}
	x.sent.attach(req)
	return req, nil
}
