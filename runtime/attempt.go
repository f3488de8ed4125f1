package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/policy/admit"
	"github.com/concordat-dev/concordat/runtime/policy/deadline"
	"github.com/concordat-dev/concordat/runtime/policy/retry"
)

// An Attempt is one try at one endpoint. It is valid until the function that it was
// given to returns, or as long as the context of [Attempt.Context] is.
type Attempt struct {
	N        int                // 0 for the first
	Endpoint discovery.Endpoint // shared: not to be changed
	Base     *url.URL           // scheme, address and base path; shared: copy before changing

	conn  *Conn
	at    *endpoint
	spec  *Spec
	begun time.Duration // later than the attempt where a hedge won
	limit time.Time     // zero: the call's deadline is the attempt's
	kept  bool          // Context gave it away
	phase atomic.Uint32 // of a stream: see Stream

	// What the transport learnt; it may run beside the function.
	verdict atomic.Uint32 // 0: nothing, otherwise a retry.Verdict + 1
	after   atomic.Int64
	// rejected says that the server refused the request before it looked at it.
	rejected atomic.Bool
	silent   atomic.Bool // the time was over before an answer
}

// attempts are reused: the function that got one has returned, and did not keep it.
var attempts = sync.Pool{New: func() any { return new(Attempt) }}

// errLate is the cause when an attempt, not the call, ran out of time.
var errLate = errors.New("the attempt ran out of its share of the deadline")

// Deadline returns when the attempt must be over; the zero time means that only the
// context's deadline counts.
func (a *Attempt) Deadline() time.Time { return a.limit }

// bound returns ctx with the attempt's deadline.
func (a *Attempt) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.limit.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, a.limit, errLate)
}

// Context returns ctx with the attempt's deadline, and with the attempt in it for
// [Conn.Transport]. Operations that stream get no deadline. The caller calls cancel when
// the exchange, body included, is over.
func (a *Attempt) Context(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	a.kept = true
	ctx = context.WithValue(ctx, attemptKey{}, a)
	if a.limit.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, a.limit, errLate)
}

// Stream says that the exchange goes on after the attempt's function has returned nil, as
// that of a stream does. The endpoint counts as busy until end is called, once, with the
// error that ended the stream or nil: what breaks off late speaks against an endpoint,
// too. Where the function returns an error, or calls end itself, the attempt ends with it.
func (a *Attempt) Stream() (end func(error)) {
	a.kept = true
	a.phase.Store(opening)
	return func(err error) {
		if a.phase.Swap(over) == open {
			a.conn.streamed(a.at, err)
		}
	}
}

// The phases of an attempt that opens a stream.
const (
	over    uint32 = iota // or none
	opening               // the function has not returned
	open                  // it has
)

type attemptKey struct{}

// Do sends req to the endpoint and returns its reply, whatever the status. req, with its
// header, belongs to Do, and its URL must begin with Base. The reply's body is limited to
// WithMaxBody and to the attempt's deadline; the caller closes it. Errors, those of
// reading the body included, are *Error and say what to do next.
//
// Do sets Grpc-Timeout to what is left of the deadline, and Host to the target's name.
func (a *Attempt) Do(req *http.Request) (*http.Response, error) {
	ctx, cancel := a.bound(req.Context())
	announce(ctx, req)
	prioritize(ctx, req.Header)
	var resp *http.Response
	var err error
	if a.hedged(req) {
		var stop func()
		resp, stop, err = a.sendHedged(ctx, req)
		cancel = after(stop, cancel)
	} else {
		resp, err = a.send(ctx, a.conn.wires().rest, req)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &replyBody{ReadCloser: resp.Body, a: a, ctx: ctx, cancel: cancel, left: a.conn.maxBody}
	return resp, nil
}

// DoStream is Do for a reply whose body outlives the call: no limit on its size, no
// deadline but the caller's own. The call's default deadline, and the attempt's, bound
// the wait for the headers only.
func (a *Attempt) DoStream(req *http.Request) (*http.Response, error) {
	short, done := a.bound(req.Context())
	defer done()
	caller := callerOf(req.Context())
	long, end := context.WithCancelCause(context.WithoutCancel(req.Context()))
	stop := context.AfterFunc(caller, func() { end(context.Cause(caller)) })
	wait := context.AfterFunc(short, func() { end(context.Cause(short)) })
	cancel := func() { stop(); end(nil) }
	announce(caller, req)
	prioritize(caller, req.Header)
	resp, err := a.send(long, a.conn.wires().rest, req)
	if err == nil && !wait() {
		resp.Body.Close()
		err = a.failed(long, context.Cause(short))
	}
	if err != nil {
		wait()
		cancel()
		return nil, err
	}
	a.kept = true
	resp.Body = &replyBody{ReadCloser: resp.Body, a: a, ctx: long, cancel: cancel, left: -1}
	return resp, nil
}

// announce tells the server how much time is left.
func announce(ctx context.Context, req *http.Request) {
	if t, ok := ctx.Deadline(); ok && req.Header != nil {
		req.Header[deadline.Header] = []string{deadline.Format(time.Until(t))}
	}
}

func (a *Attempt) send(ctx context.Context, w wire, req *http.Request) (*http.Response, error) {
	req = req.WithContext(ctx)
	signer := a.conn.signerOf(ctx)
	if err := signer.sign(req); err != nil {
		a.verdict.Store(uint32(retry.Final) + 1)
		return nil, err
	}
	if req.Host == "" || req.Host == a.Endpoint.Addr {
		req.Host = a.at.authority
	}
	resp, err := w.RoundTrip(req)
	if err != nil {
		return nil, a.failed(ctx, err)
	}
	if !a.at.answered.Load() {
		a.at.answered.Store(true)
	}
	signer.heard(resp)
	if resp.Header[admit.Header] != nil {
		a.rejected.Store(true)
	}
	if s := resp.StatusCode; s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable {
		a.after.Store(int64(retry.After(resp.Header, time.Now())))
	}
	return resp, nil
}

// failed notes what err means for the next attempt, and says it in words.
func (a *Attempt) failed(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return a.stopped(ctx, err)
	}
	if end, ok := ctx.Deadline(); ok && canceledByPeer(err) && time.Until(end) < 5*time.Millisecond {
		return a.late() // the server's clock was first
	}
	if !a.at.answered.Load() && !unsent(err) {
		err = a.conn.refusal(ctx, a.Endpoint.Addr, err)
	}
	e, repeat := explain(a.Endpoint.Addr, err)
	switch {
	case !repeat:
		a.verdict.Store(uint32(retry.Final) + 1)
	case unsent(err):
		a.verdict.Store(uint32(retry.Unsent) + 1)
	}
	return e
}

// canceledByPeer reports whether the server gave the stream up, as those of gRPC do when
// the deadline is over. net/http has no type for that.
func canceledByPeer(err error) bool {
	return strings.HasSuffix(err.Error(), "; CANCEL; received from peer")
}

func (a *Attempt) late() *Error {
	a.silent.Store(true)
	return &Error{Code: DeadlineExceeded, Message: fmt.Sprintf("%s did not answer within the call's deadline", a.Endpoint.Addr), cause: context.DeadlineExceeded, inner: true}
}

// stopped says why the context ended the exchange.
func (a *Attempt) stopped(ctx context.Context, err error) *Error {
	switch cause := context.Cause(ctx); {
	case cause == errLate:
		a.silent.Store(true)
		return &Error{Code: DeadlineExceeded, Message: fmt.Sprintf("%s did not answer in time", a.Endpoint.Addr), cause: errLate, inner: true}
	case errors.Is(cause, context.DeadlineExceeded):
		a.silent.Store(true)
		return &Error{Code: DeadlineExceeded, Message: fmt.Sprintf("%s did not answer within the call's deadline", a.Endpoint.Addr), cause: cause, inner: true}
	default:
		return &Error{Code: Canceled, Message: "the caller gave up", cause: errors.Join(cause, err), inner: true}
	}
}

// A replyBody is the body of a reply, limited in size and bound to its attempt.
type replyBody struct {
	io.ReadCloser
	a      *Attempt
	ctx    context.Context
	cancel func()
	left   int64 // negative: no limit
}

// Read reads on. Its errors are those of Do.
func (b *replyBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left >= 0 {
		if b.left -= int64(n); b.left < 0 {
			return 0, &Error{Code: ResourceExhausted, Message: fmt.Sprintf("the reply of %s is larger than %d bytes; WithMaxBody sets the limit", b.a.Endpoint.Addr, b.a.conn.maxBody)}
		}
	}
	if err != nil && err != io.EOF {
		err = b.a.failed(b.ctx, err)
	}
	return n, err
}

// Close releases the connection, which is reused where the body was read to its end.
func (b *replyBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}

// Transport returns a client that sends each request to the endpoint of the attempt in
// the request's context (see [Attempt.Context]), whatever host the request names, by
// HTTP/2 in plaintext, too, since gRPC needs it. The path stays as it is. It sets no
// timeout header and no deadline: protocols that use it have their own.
func (c *Conn) Transport() Doer { return rpcDoer{c} }

// A Doer sends HTTP requests, as http.Client does.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

type rpcDoer struct{ conn *Conn }

// Do implements Doer.
func (d rpcDoer) Do(req *http.Request) (*http.Response, error) {
	a, ok := req.Context().Value(attemptKey{}).(*Attempt)
	if !ok {
		return nil, Errorf(Internal, "a request outside an attempt; use the context of Attempt.Context")
	}
	d.conn.spokeRPC.Store(true)
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = a.Base.Scheme, a.Base.Host
	req.Host = ""
	prioritize(req.Context(), req.Header)
	resp, err := a.send(req.Context(), d.conn.wires().rpc, req)
	if err != nil {
		return nil, err
	}
	resp.Body = &replyBody{ReadCloser: resp.Body, a: a, ctx: req.Context(), cancel: func() {}, left: -1}
	return resp, nil
}
