package broker

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Headers of a dead letter. The message's own headers stay beside them.
const (
	HeaderReason          = "concordat-reason"           // "refused" or "attempts-exhausted"
	HeaderError           = "concordat-error"            // the last error's text
	HeaderAttempts        = "concordat-attempts"         // how often it was handled, in decimal
	HeaderOriginalAddress = "concordat-original-address" // where it was received
	HeaderGroup           = "concordat-group"            // by which group
	HeaderDelays          = "concordat-delays"           // how often it was put off, in decimal; see Policy.Delays
)

// Values of HeaderReason.
const (
	ReasonRefused   = "refused"            // it can never be handled: see Permanent
	ReasonExhausted = "attempts-exhausted" // every attempt failed
)

// DefaultDeadLetter is where messages go that cannot be handled, if the contract does not
// say.
const DefaultDeadLetter = "dead-letter"

// A Policy says what Consume does with a message whose handling fails. The zero value
// means the defaults.
type Policy struct {
	Attempts   int           // handlings before a message is given up; 0 is 5
	Backoff    time.Duration // upper bound of the first wait, which doubles each time; 0 is 100 ms
	MaxBackoff time.Duration // upper bound of every wait; 0 is 5 s
	DeadLetter string        // address, with the {parameters} of the subscription's; "" is DefaultDeadLetter
	// Delays say for how long a message is put off when all attempts have failed, the first
	// time, the second time, and so on, before it is given up. It needs a broker that is a
	// Delayer; the message then leaves its lane, so that later ones with its key overtake it.
	Delays []time.Duration
	// Around, if set, makes the handler that handles each message once, all its attempts and
	// where it goes in the end included, out of the one that does: what package dedup needs.
	// ctx is the subscription's.
	Around func(ctx context.Context, s Subscription, next Handler) Handler
	// Report, if set, is told of every handling that failed, and whether the message
	// is handled again ("retry"), was put off ("delay"), was moved ("dead-letter"), or goes
	// back to the broker ("redeliver").
	Report func(m *Message, attempt int, next string, err error)
}

func (p Policy) filled() Policy {
	p.Attempts = orDefault(p.Attempts, 5)
	p.Backoff = orDefault(p.Backoff, 100*time.Millisecond)
	p.MaxBackoff = orDefault(p.MaxBackoff, 5*time.Second)
	if p.DeadLetter == "" {
		p.DeadLetter = DefaultDeadLetter
	}
	if p.Report == nil {
		p.Report = func(*Message, int, string, error) {}
	}
	return p
}

func orDefault[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// Consume subscribes handle to s until ctx is done. A handler's error leads to another
// attempt after a random wait (full jitter), in which the message keeps its lane: later
// ones with the same key wait behind it. A permanent error, or the last attempt's, moves
// the message to the dead letter address. It is acknowledged only when it was handled or
// moved: if moving fails, or ctx ends while it waits, it goes back to the broker. Errors
// are those of Subscribe.
func Consume(ctx context.Context, b Broker, s Subscription, p Policy, handle Handler) error {
	c := &consumer{Policy: p.filled(), broker: b, sub: s, handle: handle, stop: ctx.Done()}
	s.DeadLetter = c.DeadLetter
	h := Handler(c.message)
	if p.Around != nil {
		h = p.Around(ctx, s, h)
	}
	return b.Subscribe(ctx, s, h)
}

// A consumer is one subscription under a policy.
type consumer struct {
	Policy
	broker Broker
	sub    Subscription
	handle Handler
	stop   <-chan struct{}
}

func (c *consumer) message(ctx context.Context, m *Message) error {
	for attempt := 1; ; attempt++ {
		err := c.handle(ctx, m)
		switch {
		case err == nil:
			return nil
		case IsPermanent(err):
			return c.bury(ctx, m, ReasonRefused, attempt, err)
		case attempt >= c.Attempts:
			return c.giveUp(ctx, m, attempt, err)
		case !c.wait(ctx, attempt):
			c.Report(m, attempt, "redeliver", err)
			return err
		}
		c.Report(m, attempt, "retry", err)
	}
}

// wait sleeps before the next attempt; false says that there shall be none.
func (c *consumer) wait(ctx context.Context, attempt int) bool {
	bound := c.MaxBackoff
	if shift := attempt - 1; shift < 20 {
		bound = min(bound, c.Backoff<<shift)
	}
	timer := time.NewTimer(rand.N(bound + 1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.stop:
	case <-ctx.Done():
	}
	return false
}

// bury moves m to the dead letter address.
func (c *consumer) bury(ctx context.Context, m *Message, reason string, attempts int, cause error) error {
	dead := *m
	dead.Address = Refill(c.DeadLetter, c.sub.Address, m.Address)
	dead.Headers = make(map[string]string, len(m.Headers)+5)
	for k, v := range m.Headers {
		dead.Headers[k] = v
	}
	if dead.ID != "" {
		dead.ID += ".dead" // or a broker that drops duplicates would drop it
	}
	dead.Headers[HeaderReason] = reason
	dead.Headers[HeaderError] = oneLine(cause.Error())
	dead.Headers[HeaderAttempts] = strconv.Itoa(attempts)
	dead.Headers[HeaderOriginalAddress] = m.Address
	if c.sub.Group != "" {
		dead.Headers[HeaderGroup] = c.sub.Group
	}
	if err := c.broker.Publish(ctx, &dead); err != nil {
		err = errors.Join(cause, err)
		c.Report(m, attempts, "redeliver", err)
		return err
	}
	c.Report(m, attempts, "dead-letter", cause)
	return nil
}

// maxErrorText is how many bytes of an error's text a header carries.
const maxErrorText = 1024

// oneLine makes text fit for a header of any protocol.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "")
	}
	return text
}

// Permanent says of err that handling the message again cannot help, so that Consume
// moves the message to the dead letter address at once. nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// IsPermanent reports whether Permanent marked an error in err's tree.
func IsPermanent(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok
}
