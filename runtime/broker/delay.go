package broker

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"
)

// A Delayer is a broker that can keep a message for a while and hand it to the group again,
// whatever becomes of the program meanwhile.
type Delayer interface {
	// Delay returns when the broker has confirmed m, which the group of s gets again in d.
	Delay(ctx context.Context, s Subscription, m *Message, d time.Duration) error
}

// giveUp puts m off where policy and broker allow that, or else moves it away.
func (c *consumer) giveUp(ctx context.Context, m *Message, attempts int, cause error) error {
	n, _ := strconv.Atoi(m.Headers[HeaderDelays])
	later, ok := c.broker.(Delayer)
	if !ok || n < 0 || n >= len(c.Delays) {
		return c.bury(ctx, m, ReasonExhausted, attempts, cause)
	}
	again := *m
	again.Headers = make(map[string]string, len(m.Headers)+1)
	maps.Copy(again.Headers, m.Headers)
	again.Headers[HeaderDelays] = strconv.Itoa(n + 1)
	if err := later.Delay(ctx, c.sub, &again, c.Delays[n]); err != nil {
		err = errors.Join(cause, err)
		c.Report(m, attempts, "redeliver", err)
		return err
	}
	c.Report(m, attempts, "delay", cause)
	return nil
}
