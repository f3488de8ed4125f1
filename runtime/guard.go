package runtime

import (
	"context"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/balance"
	"github.com/concordat-dev/concordat/runtime/policy/breaker"
	"github.com/concordat-dev/concordat/runtime/policy/bulkhead"
	"github.com/concordat-dev/concordat/runtime/policy/rate"
)

// A Guard bounds what calls of an operation may do to this program and to the other side.
// Each operation is bounded on its own. What is zero does nothing.
type Guard struct {
	// Rate is how many calls may begin: others fail with ResourceExhausted.
	Rate rate.Config
	// InFlight is how many calls may run at a time, where they do not stream: others fail
	// with ResourceExhausted.
	InFlight int
	// Breaker stops calls that nearly always fail: they fail with Unavailable. On a server
	// it does nothing.
	Breaker *breaker.Config
	// Fallback answers in place of a call that failed or was not made for the reasons
	// above, with what the operation gives (*T), or with the error that the caller is to
	// see. Statistics count what it returns. It is not asked when the caller gave up, nor,
	// on a server, when the call was refused here.
	Fallback func(ctx context.Context, call *Call, in any, err error) (out any, _ error)
}

// WithGuard guards every operation that WithGuardOf does not name.
func WithGuard(g Guard) Option { return both(func(k *common) { k.guard().all = &g }) }

// WithGuardOf guards the operation of that name: Spec.Name, "users.Users/GetCustomer".
func WithGuardOf(operation string, g Guard) Option {
	return both(func(k *common) { k.guard().of[operation] = &g })
}

func (k *common) guard() *guards {
	if k.guards == nil {
		k.guards = &guards{of: map[string]*Guard{}, state: new(sync.Map)}
	}
	return k.guards
}

// guards are those of a connection or server.
type guards struct {
	all   *Guard // nil: none
	of    map[string]*Guard
	state keyed // *guarded, by *Spec
}

// guarded is the state of one operation.
type guarded struct {
	*Guard   // nil: none
	rate     rate.Limiter
	bulkhead bulkhead.Bulkhead
	breaker  breaker.Breaker
}

func (g *guards) find(spec *Spec) *guarded {
	if s, ok := g.state.Load(spec); ok {
		return s.(*guarded)
	}
	fresh := &guarded{Guard: g.all}
	if own, ok := g.of[spec.Name]; ok {
		fresh.Guard = own
	}
	s, _ := g.state.LoadOrStore(spec, fresh)
	return s.(*guarded)
}

// run is run within the guard of the operation.
func (s *guarded) run(ctx context.Context, k *common, call *Call, in any, last Next) (out any, err error) {
	refused := s.refuse(k.now(), call)
	if refused != nil {
		err = refused
	} else {
		out, err = s.pass(ctx, k, call, in, last)
	}
	if err == nil || s.Fallback == nil || ctx.Err() == context.Canceled || refused != nil && call.Side == Incoming {
		return out, err
	}
	return s.Fallback(ctx, call, in, err)
}

// refuse says why a call may not be made, or counts it and returns nil.
func (s *guarded) refuse(now time.Duration, call *Call) error {
	if s.InFlight > 0 && !call.Kind.Streams() && !s.bulkhead.Enter(s.InFlight) {
		return Errorf(ResourceExhausted, "%s: %d calls are in flight already; WithGuard sets how many may be", call.Name, s.InFlight)
	}
	if s.Rate.PerSecond > 0 {
		if wait, ok := s.rate.Take(s.Rate, now); !ok {
			s.leave(call)
			if call.Side == Incoming { // RFC 9110, 10.2.3: whole seconds
				call.SetReply("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			}
			return Errorf(ResourceExhausted, "%s: more than %v calls per second; the next may be made in %v", call.Name, s.Rate.PerSecond, wait.Round(time.Millisecond))
		}
	}
	if s.breaks(call) && !s.breaker.Allow(*s.Breaker, now) {
		s.leave(call)
		return Errorf(Unavailable, "%s was not called: nearly all calls failed lately; it is tried again %v after that", call.Name, s.Breaker.Open)
	}
	return nil
}

func (s *guarded) breaks(call *Call) bool { return s.Breaker != nil && call.Side == Outgoing }

func (s *guarded) leave(call *Call) {
	if s.InFlight > 0 && !call.Kind.Streams() {
		s.bulkhead.Leave()
	}
}

// pass makes a call that refuse let pass.
func (s *guarded) pass(ctx context.Context, k *common, call *Call, in any, last Next) (out any, err error) {
	returned := false
	defer func() {
		s.leave(call)
		if s.breaks(call) {
			s.learn(ctx, k, call, err, returned)
		}
	}()
	out, err = run(ctx, k.chain, call, in, last)
	returned = true
	return out, err
}

// learn tells the breaker how a call ended.
func (s *guarded) learn(ctx context.Context, k *common, call *Call, err error, returned bool) {
	if !returned || ctx.Err() == context.Canceled {
		s.breaker.Void()
		return
	}
	ok := err == nil
	if !ok {
		o, _ := blame(ErrorOf(err))
		ok = o == balance.Good
	}
	if s.breaker.Done(*s.Breaker, k.now(), ok) {
		k.log.Warn("nearly all calls of an operation fail; it is not called for a while", "operation", call.Name, "for", s.Breaker.Open, "error", err)
	}
}
