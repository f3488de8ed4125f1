package stub

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/internal/sse"
)

// Stream runs an operation that answers with a stream of items. The call is made when the
// stream is ranged over, which can be done once; breaking out ends the call. An error is
// the last thing that it yields.
func Stream[In, Out any](ctx context.Context, conn *concordat.Conn, op *Op[In, Out], in *In) iter.Seq2[*Out, error] {
	var used atomic.Bool
	return func(yield func(*Out, error) bool) {
		if used.Swap(true) {
			yield(nil, errUsed())
			return
		}
		out, err := open(ctx, conn, (*operation)(op), in, func(s *subscription) any { return items[Out](s) })
		if err != nil {
			yield(nil, err)
			return
		}
		seq, ok := out.(iter.Seq2[*Out, error])
		if !ok {
			yield(nil, swapped("reply stream", out))
			return
		}
		seq(yield)
	}
}

// open makes the call. in says which type In is.
func open(ctx context.Context, conn *concordat.Conn, op *operation, in any, items func(*subscription) any) (any, error) {
	x := &exchange{op: op, plan: planOf(op), conn: conn, in: in, call: concordat.Call{Spec: &op.Spec}}
	return conn.Invoke(ctx, &x.call, in, func(ctx context.Context, in any) (any, error) {
		if !same(in, x.in) {
			return nil, swapped("request", in)
		}
		base := address(in)
		if base == nil {
			_, base = fresh(in)
		}
		s := &subscription{exchange: x, ctx: ctx}
		if err := s.begin(base); err != nil {
			return nil, err
		}
		return items(s), nil
	})
}

// items yields what s receives.
func items[Out any](s *subscription) iter.Seq2[*Out, error] {
	return func(yield func(*Out, error) bool) {
		pour(yield, s.next, s.over)
	}
}

// A subscription is the client's end of a stream.
type subscription struct {
	*exchange
	ctx  context.Context
	body io.ReadCloser
	end  func(error)
	from source

	events *events // of from, where it is one
	broken int     // how often in a row the stream broke off
}

// begin prepares the request and opens the stream.
func (s *subscription) begin(in pointer) error {
	if asked := concordat.AskedOf(s.ctx); asked != nil {
		s.asked = *asked
	}
	if err := s.prepare(in); err != nil {
		s.sent.release()
		return err
	}
	if err := s.open(); err != nil {
		s.sent.release()
		return s.sent.blame(err)
	}
	return nil
}

// open makes the attempts to open the stream.
func (s *subscription) open() error {
	var before error
	return s.conn.Try(s.ctx, &s.op.Spec, func(ctx context.Context, a *concordat.Attempt) error {
		if before != nil && s.sent.spent() {
			return before
		}
		before = s.attempt(ctx, a)
		return before
	})
}

func (s *subscription) attempt(ctx context.Context, a *concordat.Attempt) error {
	s.call.Peer = a.Endpoint.Addr
	req, err := s.request(ctx, a)
	if err != nil {
		return err
	}
	if s.events != nil && s.events.LastID() != "" {
		req.Header = req.Header.Clone()
		req.Header.Set("Last-Event-ID", s.events.LastID())
	}
	resp, err := a.DoStream(req)
	if err != nil {
		return err
	}
	s.call.ReplyMeta = resp.Header
	if err := s.accept(resp); err != nil {
		resp.Body.Close()
		return err
	}
	call, attempt := s.call.Stream(), a.Stream()
	s.body, s.end = resp.Body, func(err error) { call(err); attempt(err) }
	return nil
}

// accept looks at the head of a reply, and makes its body the source.
func (s *subscription) accept(resp *http.Response) error {
	if resp.StatusCode == http.StatusNoContent {
		s.from = nothing{} // nothing follows, and to ask again is not wanted
		return nil
	}
	i, ok := replyFor(s.op, resp.StatusCode, parseMedia(resp.Header.Get("Content-Type")).essence)
	switch {
	case !ok:
		return s.undeclared(resp)
	case s.op.Replies[i].Failure:
		return s.failure(resp, i)
	case s.op.Replies[i].Media == "":
		s.from = nothing{}
		return nil
	}
	r, p := &s.op.Replies[i], &s.plan.replies[i]
	if err := s.content(resp, r, p); err != nil {
		return err
	}
	s.from = s.source(resp, r, p)
	if e, ok := s.from.(*events); ok {
		if s.events != nil {
			e.Continue(s.events.LastID())
		}
		s.events = e
	}
	return nil
}

// source gives the items that the body of a reply consists of.
func (x *exchange) source(resp *http.Response, r *Reply, p *part) source {
	wrong := func(err error) error {
		return mismatch(resp, "%s sent an item that is not as the contract says: %w", x.op.Name, err)
	}
	most := x.conn.MaxBody()
	if p.form != asEvents {
		return newTexts(resp.Body, p, x.mode(), most, wrong)
	}
	return &events{Reader: sse.NewReader(resp.Body, most), part: p, whole: r.Events, end: r.End, mode: x.mode(), limit: most, wrong: wrong, fails: x.failed}
}

// nothing is a source that is at its end.
type nothing struct{}

func (nothing) next(pointer) error { return io.EOF }

// next receives one item. A stream of events that breaks off is opened again, where the
// connection's option allows it.
func (s *subscription) next(item pointer) error {
	for {
		err := s.from.next(item)
		if err == nil {
			s.broken = 0
			return nil
		}
		if err == io.EOF {
			return err
		}
		err = broken(s.op.Name, err)
		if !s.again(err) || concordat.ErrorOf(err).Status != 0 { // the server's own word
			return s.sent.blame(err)
		}
		s.end(err)
		s.body.Close()
		s.broken++
		if err := s.wait(); err != nil {
			return err
		}
		for err := s.open(); err != nil; err = s.open() {
			if !s.again(err) {
				s.body, s.end = nil, nil
				return err
			}
			s.broken++
			if err := s.wait(); err != nil {
				return err
			}
		}
	}
}

// again says whether a stream that ended by err may be opened once more.
func (s *subscription) again(err error) bool {
	e, ok := errors.AsType[*concordat.Error](err)
	return ok && e.Code == concordat.Unavailable && s.events != nil && s.op.Idempotent && s.broken < s.conn.Reconnects() && s.ctx.Err() == nil
}

// How long to wait before a stream is opened again, unless its server says it.
const (
	firstWait = time.Second
	mostWait  = 30 * time.Second
)

// wait waits before the stream is opened again, longer each time, and not for exactly as
// long as all the others whose streams broke off with this one.
func (s *subscription) wait() error {
	d := s.events.Retry()
	if d < 0 {
		d = firstWait
	}
	if d > 0 {
		d = max(d, min(d<<min(s.broken-1, 10), mostWait))
		d += rand.N(d/4 + 1)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.ctx.Done():
		return concordat.ErrorOf(s.ctx.Err())
	}
}

// over ends the call, with the error that the stream ended with or nil.
func (s *subscription) over(err error) {
	s.sent.release()
	if s.end != nil {
		s.end(err)
	}
	if s.body != nil {
		s.body.Close()
	}
}
