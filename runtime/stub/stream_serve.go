package stub

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/internal/sse"
)

// HandleStream answers op by what impl's stream yields. Each item is sent at once. When
// the client is gone, ctx is done and the stream is not continued.
//
// A stream that fails before its first item fails as a call does. Later the status is
// gone: then a stream of server-sent events ends with an event named "error", whose data
// are problem details (RFC 9457) with the body that the contract declares, and any other is broken off, so that nobody takes it for
// whole.
func HandleStream[In, Out any](s *concordat.Server, op *Op[In, Out], impl func(context.Context, *In) iter.Seq2[*Out, error]) {
	h := &handler{op: (*operation)(op), plan: planOf((*operation)(op)), server: s, in: (*In)(nil)}
	h.last = func(ctx context.Context, in any) (any, error) {
		if !same(in, h.in) {
			return nil, swapped("request", in)
		}
		seq := impl(ctx, (*In)(address(in)))
		if seq == nil {
			return nil, errors.New("the handler returned no stream")
		}
		return seq, nil
	}
	h.pump = func(out any, send func(pointer) error) error {
		seq, ok := out.(iter.Seq2[*Out, error])
		if !ok {
			return swapped("reply stream", out)
		}
		return pump(seq, send)
	}
	s.MountStream(&op.Spec, h.plan.method, h.plan.template, h.serve)
}

// respond sends the items that run gives, as the reply at i says.
func (h *handler) respond(w http.ResponseWriter, r *http.Request, i, status int, v *served, run func(send func(pointer) error) error) {
	reply := &h.op.Replies[i]
	o := &outlet{h: h, w: w, ctx: r.Context(), control: http.NewResponseController(w), status: status, part: &h.plan.replies[i]}
	if reply.Items != nil {
		o.part = o.part.ofItem()
	}
	if r.Method == http.MethodHead {
		o.start()
		v.end(nil)
		return
	}
	if h.op.Kind == concordat.Bidi {
		_ = o.control.EnableFullDuplex() // HTTP/2 is anyway, and others cannot
	}
	o.arm()
	err := h.pumped(run, func(item pointer) error { return o.send(item, reply.Events, &v.call) })
	if cause := ended(o.ctx); cause != nil && (err == nil || errors.Is(err, errGone) || errors.Is(err, o.ctx.Err())) {
		err = cause
	}
	v.end(err)
	o.finish(r, &v.call, reply, err)
}

// offer chooses among the media types of the stream the one that is wanted most.
func (h *handler) offer(wanted accept) int {
	best, score := -1, 0
	for i := range h.op.Replies {
		if r := &h.op.Replies[i]; !r.Failure && r.Media != "" {
			if q := wanted.quality(r.Media); best < 0 || q > score {
				best, score = i, q
			}
		}
	}
	return best
}

// pumped is run, with a panic turned into an error, as Intercept does it for calls.
func (h *handler) pumped(run func(func(pointer) error) error, send func(pointer) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			h.server.Logger().Error("concordat: a handler panicked", "operation", h.op.Name, "panic", p, "stack", string(debug.Stack()))
			err = concordat.Errorf(concordat.Internal, "internal error")
		}
	}()
	return run(send)
}

// How a stream is flushed.
const (
	// grace is how long the headers wait for the first item: a stream that fails at once
	// can then still fail with a status.
	grace = 25 * time.Millisecond
	// together is how long items that follow close on each other wait to be sent in one
	// piece.
	together = 2 * time.Millisecond
)

// errGone is the error of a client that reads no more.
var errGone = errors.New("the client is gone")

// An outlet is the server's end of a stream. Its timer writes beside the handler.
type outlet struct {
	h       *handler
	control *http.ResponseController
	ctx     context.Context
	status  int
	part    *part

	mu      sync.Mutex // of all that follows
	w       http.ResponseWriter
	started bool // the headers are written
	closed  bool // nobody may write any more
	dirty   bool // something is written, but not flushed
	flushed time.Time
	timer   *time.Timer
	buf     []byte
}

// arm begins to wait for the first item.
func (o *outlet) arm() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.timer = time.AfterFunc(grace, o.tick)
}

// tick sends what has waited long enough: headers, items, or a sign of life.
func (o *outlet) tick() {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return
	case !o.started:
		o.start()
	case !o.dirty && o.part.form == asEvents:
		_, _ = o.w.Write([]byte(sse.Comment)) // the next item will tell
	}
	o.flush()
}

// flush sends what is written, and sets the timer for the next sign of life.
func (o *outlet) flush() {
	_ = o.control.Flush() // not every writer can, and the next write tells
	o.dirty, o.flushed = false, time.Now()
	o.timer.Stop()
	if beat := o.h.server.Heartbeat(); beat > 0 && o.part.form == asEvents {
		o.timer.Reset(beat)
	}
}

// start writes the headers.
func (o *outlet) start() {
	header := o.w.Header()
	header["Content-Type"] = o.part.header
	if header["Cache-Control"] == nil {
		header.Set("Cache-Control", "no-cache")
	}
	header.Set("X-Accel-Buffering", "no") // nginx would wait for more otherwise
	o.w.WriteHeader(o.status)
	o.started = true
}

// send writes one item, and flushes it unless one before it was just flushed.
func (o *outlet) send(item pointer, whole bool, call *concordat.Call) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx.Err() != nil {
		return errGone
	}
	var err error
	if o.buf, err = appendItem(o.buf[:0], o.part, whole, item, codec.Response); err != nil {
		return fmt.Errorf("an item of the handler's stream is not what the contract allows: %w", err)
	}
	if !o.started {
		beside(o.w.Header(), call.ReplyMeta)
		o.start()
	}
	if _, err := o.w.Write(o.buf); err != nil {
		return errGone
	}
	if time.Since(o.flushed) >= together {
		o.flush()
	} else if !o.dirty {
		o.dirty = true
		o.timer.Reset(together)
	}
	return nil
}

// finish ends the stream: with the handler's error where there is one.
func (o *outlet) finish(r *http.Request, call *concordat.Call, reply *Reply, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.timer.Stop()
	switch {
	case err != nil && !o.started:
		beside(o.w.Header(), call.ReplyMeta)
		o.h.fail(o.w, r, err)
		return
	case !o.started:
		beside(o.w.Header(), call.ReplyMeta)
		o.start()
	}
	switch {
	case err == nil:
		if reply.End != "" && o.part.form == asEvents {
			_, _ = o.w.Write(sse.Append(nil, "", nil, -1, []byte(reply.End)))
		}
	case errors.Is(err, errGone) || o.ctx.Err() != nil && ended(o.ctx) == nil:
		panic(http.ErrAbortHandler)
	case o.part.form == asEvents:
		_, _ = o.w.Write(sse.Append(nil, "error", nil, -1, o.h.failing(r, err)))
	default:
		o.h.server.Public(r.Context(), o.h.op.Name, err) // logs what nobody else will see
		panic(http.ErrAbortHandler)
	}
	_ = o.control.Flush()
}
