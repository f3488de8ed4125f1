package stub

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/codec"
)

// Headers of an answer that is a failure: the code's name and the message.
const (
	HeaderCode    = "concordat-code"
	HeaderMessage = "concordat-message"
)

// Ask sends m and waits for the answer until ctx is done. Answers come to the address
// that the contract names, or to one of this program's own.
func Ask[M, R any](ctx context.Context, conn *concordat.Conn, q *Request[M, R], m *M) (*R, error) {
	call := concordat.Call{Spec: &q.Spec}
	out, err := conn.Invoke(ctx, &call, m, func(ctx context.Context, in any) (any, error) {
		m, ok := in.(*M)
		if !ok || m == nil {
			return nil, swapped("message", in)
		}
		out, err := message(&q.Event, m, &call, conn)
		if err != nil {
			return nil, err
		}
		answer, err := q.inboxes.ask(ctx, conn.Broker(), q.Reply.Route, out)
		if answer != nil {
			call.ReplyMeta = metaOf(answer)
		}
		if err != nil {
			return nil, err
		}
		r := new(R)
		if err := q.Reply.plain().read(answer, pointer(r)); err != nil {
			return nil, concordat.Errorf(concordat.Internal, "the answer does not hold to the contract: %w", err)
		}
		return r, nil
	})
	if err != nil {
		return nil, err
	}
	if r, ok := out.(*R); ok {
		return r, nil
	}
	return nil, swapped("reply", out)
}

// Answer handles requests as Consume does messages, and sends what impl returns to where
// the asker waits, or else to the address that the contract names. An error of impl is
// the answer, too, so that nobody waits in vain; a request that nobody waits for any
// more is dropped.
func Answer[M, R any](s *concordat.Server, q *Request[M, R], impl func(context.Context, *M) (*R, error)) {
	subscribe(s, &q.Event, func(ctx context.Context, in *broker.Message, m *M) error {
		ctx, cancel, live := within(ctx, in)
		defer cancel()
		if !live {
			return nil
		}
		r, err := impl(ctx, m)
		out := &broker.Message{ID: codec.NewUUID().String(), Time: time.Now(), Key: in.Key, CorrelationID: in.CorrelationID, Settings: q.Reply.Settings}
		var beside concordat.Meta
		if call := concordat.CallOf(ctx); call != nil {
			beside = call.ReplyMeta
		}
		if err == nil && r == nil {
			err = concordat.Errorf(concordat.Internal, "the handler returned neither an answer nor an error")
		}
		if err == nil {
			err = q.Reply.plain().write(out, pointer(r), beside)
		}
		if err != nil {
			failed(out, s.Public(ctx, q.Name, err), beside)
		}
		if out.Address = replyAddress(in, q.Reply.Route, out.Address); out.Address == "" {
			return err
		}
		if err = send(ctx, s.Broker(), out); errors.Is(err, broker.ErrUnroutable) {
			return nil // nobody waits any more
		}
		return err
	})
}

// replyAddress prefers where the asker waits over the contract's address, whose
// parameters may be unknown.
func replyAddress(in *broker.Message, route, written string) string {
	switch {
	case in.ReplyTo != "":
		return in.ReplyTo
	case written != "":
		return written
	case strings.Contains(route, "{"):
		return ""
	}
	return route
}

// failed makes out the answer that says what went wrong.
func failed(out *broker.Message, e *concordat.Error, beside concordat.Meta) {
	out.Headers = headersOf(beside)
	out.Headers[HeaderCode], out.Headers[HeaderMessage] = e.Code.String(), clip(strings.ReplaceAll(e.Message, "\n", " "))
	out.Body, out.Media = nil, ""
}

// within bounds ctx by the deadline that the message carries; false: it has passed.
func within(ctx context.Context, in *broker.Message) (context.Context, context.CancelFunc, bool) {
	t, err := time.Parse(time.RFC3339Nano, in.Headers[HeaderDeadline])
	if err != nil {
		return ctx, func() {}, true
	}
	ctx, cancel := context.WithDeadline(ctx, t)
	return ctx, cancel, ctx.Err() == nil
}

// inboxes are where answers arrive: one subscription per broker, which ends when nobody
// has asked for a while.
type inboxes struct {
	mu  sync.Mutex
	all map[broker.Broker]*inbox
}

// An inbox hands answers to those who wait for them.
type inbox struct {
	address string
	ready   chan struct{} // closed when it receives
	failed  chan struct{} // closed, with err set, when it never will again
	err     error
	cancel  context.CancelFunc
	idle    *time.Timer

	mu      sync.Mutex
	waiting map[string]chan *broker.Message // by correlation ID
}

// linger is how long an inbox is kept after the last answer.
const linger = time.Minute

func (s *inboxes) ask(ctx context.Context, b broker.Broker, route string, m *broker.Message) (*broker.Message, error) {
	if b == nil {
		return nil, send(ctx, b, m)
	}
	m.CorrelationID = m.ID
	if d, ok := ctx.Deadline(); ok {
		m.Headers[HeaderDeadline] = d.UTC().Format(time.RFC3339Nano)
	}
	box, got := s.enter(b, route, m.CorrelationID)
	defer s.leave(b, box, m.CorrelationID)
	m.ReplyTo = box.address
	select {
	case <-box.ready:
	case <-box.failed:
		return nil, concordat.Errorf(concordat.Unavailable, "subscribe to %s for answers: %w", box.address, box.err)
	case <-ctx.Done():
		return nil, late(ctx, "the broker did not confirm the subscription to %s, for answers, in time", box.address)
	}
	if err := send(ctx, b, m); err != nil {
		return nil, err
	}
	select {
	case answer := <-got:
		return answer, failure(answer)
	case <-box.failed:
		return nil, concordat.Errorf(concordat.Unavailable, "waiting at %s for the answer: %w", box.address, box.err)
	case <-ctx.Done():
		return nil, late(ctx, "the request was sent to %s, but no answer came in time; does a server handle it there?", m.Address)
	}
}

// late says what did not happen before ctx was done, unless its owner gave up.
func late(ctx context.Context, format, address string) error {
	e := concordat.ErrorOf(ctx.Err())
	if e.Code != concordat.DeadlineExceeded {
		return e
	}
	return concordat.Errorf(e.Code, format+" (%w)", address, ctx.Err())
}

// failure is the error that an answer is.
func failure(m *broker.Message) error {
	name := m.Headers[HeaderCode]
	if name == "" {
		return nil
	}
	for c := concordat.Canceled; c <= concordat.Unauthenticated; c++ {
		if c.String() == name {
			return concordat.Errorf(c, "%s", m.Headers[HeaderMessage])
		}
	}
	return concordat.Errorf(concordat.Unknown, "%s", m.Headers[HeaderMessage])
}

// enter registers one who waits, and opens the inbox for the first.
func (s *inboxes) enter(b broker.Broker, route, id string) (*inbox, chan *broker.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	box := s.all[b]
	if box == nil || box.over() {
		if s.all == nil {
			s.all = map[broker.Broker]*inbox{}
		}
		box = openInbox(b, route)
		s.all[b] = box
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	if box.idle != nil {
		box.idle.Stop()
	}
	got := make(chan *broker.Message, 1)
	box.waiting[id] = got
	return box, got
}

func (s *inboxes) leave(b broker.Broker, box *inbox, id string) {
	box.mu.Lock()
	defer box.mu.Unlock()
	if delete(box.waiting, id); len(box.waiting) > 0 {
		return
	}
	box.idle = time.AfterFunc(linger, func() { s.close(b, box) })
}

// close ends an inbox unless somebody waits again.
func (s *inboxes) close(b broker.Broker, box *inbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	box.mu.Lock()
	defer box.mu.Unlock()
	if len(box.waiting) > 0 {
		return
	}
	if s.all[b] == box {
		delete(s.all, b)
	}
	box.cancel()
}

func (b *inbox) over() bool {
	select {
	case <-b.failed:
		return true
	default:
		return false
	}
}

// openInbox subscribes to the contract's address for answers, where it is one address,
// or to one of its own.
func openInbox(b broker.Broker, route string) *inbox {
	box := &inbox{address: route, ready: make(chan struct{}), failed: make(chan struct{}), waiting: map[string]chan *broker.Message{}}
	if route == "" || strings.Contains(route, "{") {
		box.address = broker.Inbox + codec.NewUUID().String()
	}
	ctx, cancel := context.WithCancel(context.Background())
	box.cancel = cancel
	go func() {
		defer cancel()
		s := broker.Subscription{Address: box.address, Concurrency: 1, Ready: func() { close(box.ready) }}
		if box.err = b.Subscribe(ctx, s, box.receive); box.err == nil {
			box.err = context.Canceled
		}
		close(box.failed)
	}()
	return box
}

// receive hands an answer to who waits for it. One that comes too late, or again, is
// dropped, and so is what others asked for at the same address.
func (b *inbox) receive(_ context.Context, m *broker.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := b.waiting[m.CorrelationID]; got != nil {
		select {
		case got <- m:
		default: // a second answer
		}
	}
	return nil
}
