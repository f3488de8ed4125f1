package runtime

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/admit"
	"github.com/concordat-dev/concordat/runtime/policy/breaker"
	"github.com/concordat-dev/concordat/runtime/policy/hedge"
	"github.com/concordat-dev/concordat/runtime/policy/rate"
)

// Policies say how calls are treated, as data: what concordat.yaml states of a contract,
// what [WithPolicies] takes, and what the admin listener shows and changes at /policies.
type Policies struct {
	Policy // of every operation
	// Operations are those that differ, by name: "users.Users/GetCustomer", or
	// "GetCustomer". What one of them leaves out is as above.
	Operations map[string]Policy `json:"operations,omitempty"`
	// Profiles are further policies by name, such as "production", each laid over the rest
	// by [Policies.Profile].
	Profiles map[string]Policies `json:"profiles,omitempty"`
}

// A Policy says how calls of one operation are treated. What is nil, or "", is left as the
// options of the connection or server have it, or else as the runtime's defaults.
type Policy struct {
	// Timeout is the deadline of calls that have none: see [WithTimeout]. 0 means none.
	Timeout *Duration `json:"timeout,omitempty"`
	// Retries is how many times a call may be repeated: see [WithRetries]. Clients only.
	Retries *int `json:"retries,omitempty"`
	// Hedging sends a late call a second time: see [WithHedging]. Clients only.
	Hedging *HedgingPolicy `json:"hedging,omitempty"`
	// Breaker stops calls that nearly always fail. Clients only.
	Breaker *BreakerPolicy `json:"breaker,omitempty"`
	// MaxInFlight is how many calls may run at a time; 0 means any number.
	MaxInFlight *int `json:"max-in-flight,omitempty"`
	// Rate is how many calls may begin; PerSecond 0 means any number.
	Rate *RatePolicy `json:"rate,omitempty"`
	// Priority is what admission goes by: "sheddable", "normal" or "critical". A client
	// sends it, unless [WithPriority] says otherwise; a server goes by it whatever the
	// client sends.
	Priority string `json:"priority,omitempty"`
}

// A HedgingPolicy is a [hedge.Config]; what is zero is as hedge.Default.
type HedgingPolicy struct {
	Off      bool     `json:"off,omitempty"`
	Quantile float64  `json:"quantile,omitempty"`
	Least    Duration `json:"least,omitempty"`
}

// A BreakerPolicy is a [breaker.Config]; what is zero is as breaker.Default.
type BreakerPolicy struct {
	Off     bool     `json:"off,omitempty"`
	Rate    float64  `json:"rate,omitempty"` // share of failures
	Samples int      `json:"samples,omitempty"`
	Window  Duration `json:"window,omitempty"`
	Open    Duration `json:"open,omitempty"`
	Trials  int      `json:"trials,omitempty"`
}

// A RatePolicy is a [rate.Config].
type RatePolicy struct {
	PerSecond float64 `json:"per-second"`
	Burst     int     `json:"burst,omitempty"`
}

// A Duration is a time.Duration that JSON has as text: "1.5s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	t, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration, such as 250ms or 1.5s", text)
	}
	*d = Duration(t)
	return nil
}

// ParsePolicies reads Policies from JSON, and checks them. Unknown members are errors.
func ParsePolicies(text []byte) (*Policies, error) {
	p := new(Policies)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(p)
	if err == nil && d.More() {
		err = errors.New("there is something after them")
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("there is nothing")
	}
	if err == nil {
		err = p.check("")
	}
	if err != nil {
		return nil, Errorf(InvalidArgument, "policies: %w", err)
	}
	return p, nil
}

// MustPolicies is ParsePolicies for text that was checked before: generated code calls it.
// It panics where the text is at fault.
func MustPolicies(text string) *Policies {
	p, err := ParsePolicies([]byte(text))
	if err != nil {
		panic(err)
	}
	return p
}

// Profile returns p with the profile of that name laid over it; "" means none.
func (p *Policies) Profile(name string) (*Policies, error) {
	base := Policies{Policy: p.Policy, Operations: p.Operations}
	if name == "" {
		return &base, nil
	}
	over, ok := p.Profiles[name]
	if !ok {
		return nil, Errorf(InvalidArgument, "there is no profile %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(p.Profiles)), ", "))
	}
	return base.with(&over), nil
}

// with returns p with over laid over it.
func (p *Policies) with(over *Policies) *Policies {
	out := &Policies{Policy: p.Policy.with(over.Policy), Operations: map[string]Policy{}}
	maps.Copy(out.Operations, p.Operations)
	for name, o := range over.Operations {
		out.Operations[name] = out.Operations[name].with(o)
	}
	return out
}

// with returns p with what over states.
func (p Policy) with(over Policy) Policy {
	lay(&p.Timeout, over.Timeout)
	lay(&p.Retries, over.Retries)
	lay(&p.Hedging, over.Hedging)
	lay(&p.Breaker, over.Breaker)
	lay(&p.MaxInFlight, over.MaxInFlight)
	lay(&p.Rate, over.Rate)
	if over.Priority != "" {
		p.Priority = over.Priority
	}
	return p
}

func lay[T any](to **T, over *T) {
	if over != nil {
		*to = over
	}
}

// of returns what holds for an operation.
func (p *Policies) of(operation string) Policy {
	if own, ok := p.Operations[operation]; ok {
		return p.Policy.with(own)
	}
	return p.Policy.with(p.Operations[operation[strings.LastIndexByte(operation, '/')+1:]])
}

// check says what is wrong.
func (p *Policies) check(at string) error {
	errs := []error{p.Policy.check(at)}
	for _, name := range slices.Sorted(maps.Keys(p.Operations)) {
		errs = append(errs, p.Operations[name].check(at+"operation "+name+": "))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Profiles)) {
		inner := p.Profiles[name]
		if len(inner.Profiles) > 0 {
			errs = append(errs, fmt.Errorf("%sprofile %s: a profile has no profiles", at, name))
		}
		errs = append(errs, inner.check(at+"profile "+name+": "))
	}
	return errors.Join(errs...)
}

func (p Policy) check(at string) error {
	var errs []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(at+format, args...))
		}
	}
	must(p.Timeout == nil || *p.Timeout >= 0, "timeout is negative")
	must(p.Retries == nil || *p.Retries >= 0 && *p.Retries <= maxRetries, "retries must be from 0 to %d", maxRetries)
	must(p.MaxInFlight == nil || *p.MaxInFlight >= 0, "max-in-flight is negative")
	if h := p.Hedging; h != nil {
		must(h.Quantile >= 0 && h.Quantile < 1, "hedging.quantile must be below 1, such as 0.95")
		must(h.Least >= 0, "hedging.least is negative")
	}
	if b := p.Breaker; b != nil {
		must(b.Rate >= 0 && b.Rate <= 1, "breaker.rate must be from 0 to 1")
		must(b.Samples >= 0 && b.Trials >= 0 && b.Window >= 0 && b.Open >= 0, "nothing of breaker may be negative")
	}
	if r := p.Rate; r != nil {
		must(r.PerSecond >= 0 && r.PerSecond <= 1e9 && r.Burst >= 0, "rate must not be negative, nor above 1e9 per second")
	}
	must(slices.Contains(priorities, p.Priority), "priority must be one of sheddable, normal and critical, not %q", p.Priority)
	return errors.Join(errs...)
}

// maxRetries bounds what may be asked for: more is an outage made worse.
const maxRetries = 10

var priorities = []string{"", "sheddable", "normal", "critical"}

func (h *HedgingPolicy) config() *hedge.Config {
	if h == nil || h.Off {
		return nil
	}
	c := hedge.Default
	override(&c.Quantile, h.Quantile)
	override(&c.Least, time.Duration(h.Least))
	return &c
}

func (b *BreakerPolicy) config() *breaker.Config {
	if b.Off {
		return nil
	}
	c := breaker.Default
	override(&c.Rate, b.Rate)
	override(&c.Samples, b.Samples)
	override(&c.Window, time.Duration(b.Window))
	override(&c.Open, time.Duration(b.Open))
	override(&c.Trials, b.Trials)
	return &c
}

func (r *RatePolicy) config() rate.Config {
	return rate.Config{PerSecond: r.PerSecond, Burst: r.Burst}
}

func override[T comparable](to *T, with T) {
	var zero T
	if with != zero {
		*to = with
	}
}

// priority is what p says, and whether it says something.
func (p *Policy) priority() (admit.Priority, bool) {
	return admit.ParsePriority(p.Priority), p.Priority != ""
}
