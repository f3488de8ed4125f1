package stub

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// HeaderDeadline is the message header after whose time (RFC 3339) nobody waits for the
// answer to a request any more.
const HeaderDeadline = "concordat-deadline"

// DefaultConcurrency is how many messages of one subscription are handled at a time.
const DefaultConcurrency = 16

// An envelope is what can be said of an event before its first message.
type envelope struct {
	header, address bool // it has parameters there
	bodies          []part
}

func (e *Event[M]) envelope() *envelope {
	if p, ok := e.prepared.Load().(*envelope); ok {
		return p
	}
	p := new(envelope)
	for i := range e.Params {
		p.header = p.header || e.Params[i].In == Header
		p.address = p.address || e.Params[i].In == Address
	}
	for i := range e.Bodies {
		b := &e.Bodies[i]
		p.bodies = append(p.bodies, newPart(b.Media, codec.Field{T: b.T, R: b.R, Off: b.Off, Kind: b.Kind, Flag: b.Flag}, b.Format))
		if b.Value != nil {
			p.bodies[i].form, p.bodies[i].value = asValue, b.Value
		}
	}
	e.prepared.Store(p)
	return p
}

// plain returns e without its type, which also has no KeyOf.
func (e *Event[M]) plain() *plainEvent {
	return &plainEvent{spec: &e.Spec, params: e.Params, bodies: e.Bodies, cloud: e.Cloud, envelope: e.envelope()}
}

// A plainEvent is what writing and reading messages needs of an Event.
type plainEvent struct {
	spec   *concordat.Spec
	params []Param
	bodies []Body
	cloud  *Cloud
	*envelope
}

// Publish sends m by the connection's broker and returns when the broker has confirmed
// it. The message gets a random ID, by which brokers and consumers tell duplicates.
func Publish[M any](ctx context.Context, conn *concordat.Conn, e *Event[M], m *M) error {
	call := concordat.Call{Spec: &e.Spec}
	_, err := conn.Invoke(ctx, &call, m, func(ctx context.Context, in any) (any, error) {
		m, ok := in.(*M)
		if !ok || m == nil {
			return nil, swapped("message", in)
		}
		out, err := message(e, m, &call, conn)
		if err != nil {
			return nil, err
		}
		return nil, send(ctx, conn.Broker(), out)
	})
	return err
}

// message writes m for the wire.
func message[M any](e *Event[M], m *M, call *concordat.Call, conn *concordat.Conn) (*broker.Message, error) {
	out := &broker.Message{ID: codec.NewUUID().String(), Time: time.Now(), Settings: e.Settings}
	if e.KeyOf != nil {
		out.Key = e.KeyOf(m)
	}
	plain := e.plain()
	if err := plain.write(out, pointer(m), call.Meta); err != nil {
		return nil, err
	}
	if e.Cloud != nil {
		if err := e.Cloud.wrap(out, pointer(m), protocolOf(conn.Broker())); err != nil {
			return nil, err
		}
	}
	if conn.ValidatesPublished() {
		if wrong := plain.read(out, pointer(new(M))); wrong != nil {
			return nil, concordat.Errorf(concordat.InvalidArgument, "the message was not published, since it does not hold to the contract: %w", wrong)
		}
	}
	return out, nil
}

func protocolOf(b broker.Broker) string {
	if b == nil {
		return ""
	}
	return b.Name()
}

func (e *plainEvent) write(out *broker.Message, base pointer, meta concordat.Meta) error {
	out.Headers = headersOf(meta)
	out.Address = e.spec.Route
	if e.address {
		address, err := param.AppendAddress(nil, e.spec.Route, e.params, base)
		if err != nil {
			return refused(err)
		}
		out.Address = string(address)
	}
	if e.header {
		if err := param.WriteMeta(out.Headers, e.params, base); err != nil {
			return refused(err)
		}
	}
	for i := range e.envelope.bodies {
		b := &e.envelope.bodies[i]
		if _, ok := b.Value(base); !ok && i < len(e.envelope.bodies)-1 {
			continue
		}
		body, err := appendBody(nil, b, e.bodies[i].Form, base, 0)
		if err != nil {
			return refused(err)
		}
		out.Body, out.Media = body, b.media
		break
	}
	return nil
}

// headersOf spells what travels beside a message as brokers carry it, with room for more.
func headersOf(meta concordat.Meta) map[string]string {
	out := make(map[string]string, len(meta)+4)
	for k, v := range meta {
		out[strings.ToLower(k)] = strings.Join(v, ", ")
	}
	return out
}

// send publishes by b and gives failures a code.
func send(ctx context.Context, b broker.Broker, m *broker.Message) error {
	if b == nil {
		return concordat.Errorf(concordat.FailedPrecondition, "no broker to publish to; give the connection one by WithBroker or NewBrokerConn")
	}
	err := b.Publish(ctx, m)
	if err == nil {
		return nil
	}
	if e := concordat.ErrorOf(err); e.Code != concordat.Unknown {
		return e
	}
	return concordat.Errorf(concordat.Unavailable, "publish to %s: %w", m.Address, err)
}

// read fills the value at base from m. An error is a *codec.Error.
func (e *plainEvent) read(m *broker.Message, base pointer) error {
	var wrong codec.Error
	if e.cloud != nil {
		m = e.cloud.unwrap(m, base, &wrong)
	}
	if e.address {
		param.ParseAddress(e.params, e.spec.Route, m.Address, base, 0, &wrong)
	}
	if e.header {
		param.ParseMeta(e.params, m.Headers, base, 0, &wrong)
	}
	if len(e.bodies) > 0 {
		i := e.bodyOf(m.Media)
		decodeBody(m.Body, &e.envelope.bodies[i], e.bodies[i].Form, base, 0, &wrong)
	}
	return wrong.Err()
}

// bodyOf takes the first body where the media type tells nothing: many publishers name none.
func (e *plainEvent) bodyOf(media string) int {
	given := parseMedia(media).essence
	return max(0, slices.IndexFunc(e.bodies, func(b Body) bool { return covers(b.Media, given) > 0 }))
}

// Consume handles the messages of e for as long as the server runs. A message that does
// not hold to the contract goes to the dead letter address at once, and so does one for
// which impl returns an error that repeating cannot mend: one marked by
// broker.Permanent, or with code InvalidArgument, OutOfRange or Unimplemented. After any
// other error impl sees the message again.
//
// Servers of the same group share the messages. What the group is says, in this order:
// concordat.WithGroup; the contract's setting for the broker (nats.queue) or for us
// (concordat.group); the operation's name. Two programs that consume the same contract for
// different ends need WithGroup. The contract's settings of protocol "concordat" also say
// how many messages are handled at a time (concurrency, 16 by default), and how often one
// that fails is tried (attempts, 5).
func Consume[M any](s *concordat.Server, e *Event[M], impl func(context.Context, *M) error) {
	subscribe(s, e, func(ctx context.Context, _ *broker.Message, m *M) error { return impl(ctx, m) })
}

// subscribe is Consume with the message beside its value.
func subscribe[M any](s *concordat.Server, e *Event[M], impl func(context.Context, *broker.Message, *M) error) {
	plain := e.plain()
	handle := func(ctx context.Context, in *broker.Message) error {
		m := new(M)
		wrong := plain.read(in, pointer(m))
		call := concordat.Call{Spec: &e.Spec, Side: concordat.Incoming, Meta: metaOf(in), Peer: s.Broker().Name()}
		_, err := s.Intercept(ctx, &call, m, func(ctx context.Context, v any) (any, error) {
			if wrong != nil {
				return nil, concordat.Errorf(concordat.InvalidArgument, "the message does not hold to the contract: %w", wrong)
			}
			m, ok := v.(*M)
			if !ok {
				return nil, swapped("message", v)
			}
			return nil, impl(ctx, in, m)
		})
		return classify(err)
	}
	s.Background(e.Name, func(ctx context.Context) error {
		b := s.Broker()
		if b == nil {
			return concordat.Errorf(concordat.FailedPrecondition, "no broker to receive %s from; give the server one by WithBroker", e.Name)
		}
		sub, policy := e.subscription(s, b), e.policy(s)
		return broker.Consume(ctx, b, sub, policy, handle)
	})
}

// metaOf shows the headers of a message as interceptors know them.
func metaOf(m *broker.Message) concordat.Meta {
	meta := make(concordat.Meta, len(m.Headers))
	for k, v := range m.Headers {
		meta[http.CanonicalHeaderKey(k)] = []string{v}
	}
	return meta
}

// classify marks the errors that repeating cannot mend.
func classify(err error) error {
	if e, ok := errors.AsType[*concordat.Error](err); ok {
		switch e.Code {
		case concordat.InvalidArgument, concordat.OutOfRange, concordat.Unimplemented:
			return broker.Permanent(err)
		}
	}
	return err
}

// subscription says what to receive.
func (e *Event[M]) subscription(s *concordat.Server, b broker.Broker) broker.Subscription {
	return broker.Subscription{
		Address: e.Route, Group: e.group(s.Group(), b.Name()), Settings: e.Settings, Concurrency: e.number("concurrency", DefaultConcurrency),
	}
}

// group says with whom the messages are shared. The program's word wins, since a contract
// cannot know all programs that consume it. The operation is part of that group: two
// operations at one address would take each other's messages otherwise.
func (e *Event[M]) group(program, protocol string) string {
	if program != "" {
		return program + "." + e.Name
	}
	own := broker.Get(e.Settings, "concordat", "group", e.Name)
	return broker.Get(e.Settings, protocol, "queue", broker.Get(e.Settings, protocol, "groupId", own))
}

func (e *Event[M]) number(name string, fallback int) int {
	n, err := strconv.Atoi(broker.Get(e.Settings, "concordat", name, ""))
	if err != nil || n < 1 {
		return fallback
	}
	return n
}

func (e *Event[M]) policy(s *concordat.Server) broker.Policy {
	log := s.Logger().With("operation", e.Name)
	return broker.Policy{
		Attempts:   e.number("attempts", 0),
		DeadLetter: e.DeadLetter,
		Around:     s.Dedup(),
		Report: func(m *broker.Message, attempt int, next string, err error) {
			log.Warn("concordat: a message was not handled", "id", m.ID, "attempt", attempt, "next", next, "error", err)
		},
	}
}
