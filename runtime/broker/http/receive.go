package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
)

type groupKey struct {
	address, name string
	own           *int // of a subscription without a group
}

// A group shares messages among its members.
type group struct {
	pattern broker.Pattern
	members []*member
	turn    int
}

// A member is one subscription.
type member struct {
	ctx    context.Context // until it ends
	lanes  *broker.Lanes
	handle broker.Handler
	in     sync.WaitGroup // messages on their way to it; joined with the broker's lock held
}

// Mount receives, at POST /address of the server, the messages of one address, which may be
// a template with slashes: before the server runs. security says who may send; a server
// needs a verifier for what it names (concordat.WithVerifier). The sender is answered 204
// when every group that subscribes has handled the message, and 503, with which it sends it
// again, when one failed or none subscribes.
func (b *Broker) Mount(s *concordat.Server, address string, security auth.Requirements) {
	spec := &concordat.Spec{Name: "http.Receive/" + address, Route: "POST /" + address, Security: security}
	s.Mount(spec, http.MethodPost, "/"+strings.TrimPrefix(address, "/"), func(w http.ResponseWriter, r *http.Request, path []string) {
		at, err := refill(address, path)
		if err == nil {
			call := concordat.Call{Spec: spec, Side: concordat.Incoming, Meta: r.Header, Peer: r.RemoteAddr}
			_, err = s.Intercept(r.Context(), &call, nil, func(ctx context.Context, _ any) (any, error) { return nil, b.receive(ctx, r, at) })
		}
		if err != nil {
			if concordat.ErrorOf(err).Code == concordat.Unavailable {
				w.Header().Set("Retry-After", "1")
			}
			s.WriteError(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// refill puts the values of a path into the template.
func refill(template string, values []string) (string, error) {
	var out strings.Builder
	for _, v := range values {
		literal, rest, _ := strings.Cut(template, "{")
		_, template, _ = strings.Cut(rest, "}")
		if v == "" || strings.Contains(v, "/") {
			return "", concordat.Errorf(concordat.InvalidArgument, "a parameter of an address is one segment, and not empty")
		}
		out.WriteString(literal + v)
	}
	return out.String() + template, nil
}

// receive hands a request to every group, and waits for all.
func (b *Broker) receive(ctx context.Context, r *http.Request, address string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			e := concordat.Errorf(concordat.ResourceExhausted, "the message is larger than this server takes: %w", err)
			e.Status = http.StatusRequestEntityTooLarge // or it would be sent again
			return e
		}
		return concordat.Errorf(concordat.InvalidArgument, "the message broke off: %w", err)
	}
	takers := b.takers(address)
	if len(takers) == 0 {
		return concordat.Errorf(concordat.Unavailable, "nobody subscribes to %s here now", address)
	}
	done := make(chan error, len(takers))
	for _, t := range takers {
		m := messageOf(r.Header, address, slices.Clone(body))
		go func() { done <- t.take(ctx, m) }()
	}
	for range takers {
		select {
		case e := <-done:
			err = errors.Join(err, e)
		case <-ctx.Done():
			return concordat.Errorf(concordat.Unavailable, "the message is still being handled; send it again")
		}
	}
	if err != nil {
		return concordat.Errorf(concordat.Unavailable, "the message was not handled; send it again")
	}
	return nil
}

// errEnded says that a subscription ended before it took a message.
var errEnded = errors.New("the subscription ended")

// take handles m in its lane. The handler goes on though the sender does not wait any more.
func (t *member) take(ctx context.Context, m *broker.Message) error {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(t.ctx, stop)()
	defer t.in.Done()
	done := make(chan error, 1)
	if t.ctx.Err() != nil || !t.lanes.Go(waiting, m.Key, func() { done <- t.handle(context.WithoutCancel(t.ctx), m) }) {
		return errEnded
	}
	return <-done
}

// takers are one member of each group that wants what comes to address.
func (b *Broker) takers(address string) []*member {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*member
	for _, g := range b.groups {
		if len(g.members) > 0 && g.pattern.Match(address) {
			g.turn++
			t := g.members[g.turn%len(g.members)]
			t.in.Add(1)
			out = append(out, t)
		}
	}
	return out
}

// Subscribe handles what comes to the routes of Mount until ctx is done.
func (b *Broker) Subscribe(ctx context.Context, s broker.Subscription, handle broker.Handler) error {
	ctx, leave, err := b.life.Enter(ctx)
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	defer leave()
	t := &member{ctx: ctx, lanes: broker.NewLanes(s.Concurrency), handle: handle}
	k := groupKey{address: s.Address, name: s.Group}
	if s.Group == "" {
		k.own = new(int)
	}
	b.join(k, t)
	s.Confirm()
	<-ctx.Done()
	b.part(k, t)
	t.in.Wait()
	return nil
}

func (b *Broker) join(k groupKey, t *member) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.groups[k]
	if g == nil {
		g = &group{pattern: broker.ParsePattern(k.address)}
		b.groups[k] = g
	}
	g.members = append(g.members, t)
}

func (b *Broker) part(k groupKey, t *member) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.groups[k]
	g.members = slices.DeleteFunc(g.members, func(o *member) bool { return o == t })
	if len(g.members) == 0 {
		delete(b.groups, k)
	}
}
