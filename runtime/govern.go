package runtime

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/hedge"
	"github.com/concordat-dev/concordat/runtime/policy/retry"
)

// WithPolicies treats calls as p says, which wins over WithTimeout, WithRetries,
// WithHedging and WithGuard, where it says something. Given twice, the later one is laid
// over the earlier. Generated packages have what concordat.yaml states:
//
//	conn, err := concordat.NewConn(target, concordat.WithPolicies(users.Policies()))
//
// A server's Run fails where p names an operation that the server does not have; of
// connections nobody knows which operations they will carry.
func WithPolicies(p *Policies) Option {
	return both(func(k *common) { k.rules.given = k.rules.policies().with(p) })
}

// WithPolicy is WithPolicies for one operation: Spec.Name, "users.Users/GetCustomer", or
// what follows its slash.
func WithPolicy(operation string, p Policy) Option {
	return WithPolicies(&Policies{Operations: map[string]Policy{operation: p}})
}

// governing is how a connection or server treats calls. The zero value leaves all to the
// options.
type governing struct {
	given *Policies    // by options
	live  atomic.Value // *rules
}

// rules are one state of the policies; another takes its place as a whole.
type rules struct {
	*Policies
	of     keyed // *rule, by *Spec
	before keyed // those that these replaced; nil: none
}

// A rule is what holds for one operation.
type rule struct {
	Policy
	*guarded // nil: none
	hedge    *hedge.Config
	retry    retry.Policy
}

func (g *governing) now() *rules {
	r, _ := g.live.Load().(*rules)
	return r
}

func (g *governing) policies() *Policies {
	if r := g.now(); r != nil {
		return r.Policies
	}
	if g.given != nil {
		return g.given
	}
	return new(Policies)
}

// Policies returns how calls are treated now, as far as WithPolicies or SetPolicies said.
func (k *common) Policies() *Policies { return k.rules.policies() }

// SetPolicies replaces all that WithPolicies or an earlier SetPolicies said, for calls that
// begin from now on. Breakers, rates and numbers of calls in flight go on where nothing
// changes for an operation, and begin anew elsewhere.
func (k *common) SetPolicies(p *Policies) error {
	if err := p.check(""); err != nil {
		return Errorf(InvalidArgument, "policies: %w", err)
	}
	fresh := &rules{Policies: p, of: new(sync.Map)}
	if old := k.rules.now(); old != nil {
		fresh.before = old.of
	}
	k.rules.live.Store(fresh)
	return nil
}

// govern puts into force what the options said.
func (k *common) govern() error {
	if k.rules.given == nil {
		return nil
	}
	return k.SetPolicies(k.rules.given)
}

// rule returns what holds for an operation; nil where options alone say that.
func (k *common) rule(spec *Spec) *rule {
	all := k.rules.now()
	if all == nil {
		return nil
	}
	if r, ok := all.of.Load(spec); ok {
		return r.(*rule)
	}
	r, _ := all.of.LoadOrStore(spec, k.newRule(all, spec))
	return r.(*rule)
}

func (k *common) newRule(all *rules, spec *Spec) *rule {
	p := all.Policies.of(spec.Name)
	if all.before != nil {
		if old, ok := all.before.Load(spec); ok && same(old.(*rule).Policy, p) {
			return old.(*rule)
		}
	}
	r := &rule{Policy: p, hedge: p.Hedging.config(), retry: retry.Default}
	g := Guard{}
	if k.guards != nil {
		if own := k.guards.find(spec).Guard; own != nil {
			g = *own
		}
	}
	if p.Breaker != nil {
		g.Breaker = p.Breaker.config()
	}
	if p.MaxInFlight != nil {
		g.InFlight = *p.MaxInFlight
	}
	if p.Rate != nil {
		g.Rate = p.Rate.config()
	}
	if g.Breaker != nil || g.InFlight > 0 || g.Rate.PerSecond > 0 || g.Fallback != nil {
		r.guarded = &guarded{Guard: &g}
	}
	return r
}

// same reports whether two policies say the same.
func same(a, b Policy) bool {
	return equal(a.Timeout, b.Timeout) && equal(a.Retries, b.Retries) && equal(a.Hedging, b.Hedging) && equal(a.Breaker, b.Breaker) &&
		equal(a.MaxInFlight, b.MaxInFlight) && equal(a.Rate, b.Rate) && a.Priority == b.Priority
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// limitOf is the deadline of calls that have none.
func (k *common) limitOf(spec *Spec) time.Duration {
	if r := k.rule(spec); r != nil && r.Timeout != nil {
		return time.Duration(*r.Timeout)
	}
	return k.timeout
}

// guardOf is what guards an operation; nil: nothing.
func (k *common) guardOf(spec *Spec) *guarded {
	if r := k.rule(spec); r != nil {
		return r.guarded
	}
	if k.guards == nil {
		return nil
	}
	return k.guards.find(spec)
}

// retryOf is how an operation is repeated.
func (c *Conn) retryOf(spec *Spec) retry.Policy {
	p := c.retry
	if r := c.rule(spec); r != nil && r.Retries != nil {
		p.Max = *r.Retries
	}
	return p
}

// hedgeOf is how an operation is hedged; nil: not at all.
func (c *Conn) hedgeOf(spec *Spec) *hedge.Config {
	if r := c.rule(spec); r != nil && r.Hedging != nil {
		return r.hedge
	}
	if c.hedging == nil {
		return nil
	}
	return c.hedging
}

// ranked is ctx with the priority that the policies give an operation, unless it has one.
func (c *Conn) ranked(ctx context.Context, spec *Spec) context.Context {
	r := c.rule(spec)
	if r == nil || r.Priority == "" || ctx.Value(priorityKey{}) != nil {
		return ctx
	}
	p, _ := r.priority()
	return WithPriority(ctx, p)
}

// governed puts the server's policies into force, and checks that they name operations
// that it has.
func (s *Server) governed() error {
	return errors.Join(s.unknown(s.Policies()), s.govern())
}

// unknown says which operations p names that s does not have. It is asked once all are
// registered.
func (s *Server) unknown(p *Policies) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(p.Operations)) {
		if slices.ContainsFunc(s.names, func(k string) bool { return k == name || strings.HasSuffix(k, "/"+name) }) {
			continue
		}
		errs = append(errs, Errorf(InvalidArgument, "policies: there is no operation %q; there are: %s", name, strings.Join(slices.Sorted(slices.Values(s.names)), ", ")))
	}
	return errors.Join(errs...)
}
