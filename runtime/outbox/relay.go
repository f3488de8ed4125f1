package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// An Item is a message on its way out, and what became of it.
type Item struct {
	Seq      int64 // the order in which messages were written
	Message  *broker.Message
	Attempts int    // how often it was refused while others were confirmed
	Error    string // why, the last time

	Outcome Outcome       // what is to become of it
	After   time.Duration // for Later: how long to wait, those of the same key behind it
}

// An Outcome says what becomes of an item.
type Outcome uint8

// The outcomes.
const (
	Kept  Outcome = iota // it stays as it is, and is due
	Sent                 // confirmed: it is deleted
	Later                // it was refused; Attempts, Error and After are noted
	Dead                 // given up; it is kept aside, with Attempts and Error, until it is revived
)

// A Store keeps messages between their transaction and their publication.
type Store interface {
	// Batch takes up to limit messages that are due, in order, hands them to send, and notes
	// what became of them. While it does so no other relay has a message with one of their
	// keys, and none has one whose earlier one waits. It returns how many there were. When a
	// relay dies meanwhile, its messages are due again.
	Batch(ctx context.Context, limit int, send func(context.Context, []*Item)) (int, error)
	// Wait returns when something was written, as far as the database tells, at the latest
	// after d or when ctx is done.
	Wait(ctx context.Context, d time.Duration)
	// Rest gives up what Wait holds; a relay calls it when it ends.
	Rest()
	// Backlog counts the messages that were not published, and those that were given up.
	Backlog(ctx context.Context) (due, dead int64, err error)
	// Dead returns up to limit messages that were given up, the oldest first.
	Dead(ctx context.Context, limit int) ([]*Item, error)
	// Revive makes the messages of those numbers due again, all that are dead where none is
	// named, and returns how many. They come behind what was written with their key since.
	Revive(ctx context.Context, seq ...int64) (int64, error)
}

// The defaults of a Relay.
const (
	DefaultBatch      = 256
	DefaultAttempts   = 10
	DefaultPoll       = time.Second
	DefaultTimeout    = 10 * time.Second
	DefaultMaxBackoff = time.Minute
)

// A Relay publishes what is in a store. Several may run, in one program or in many.
type Relay struct {
	Store  Store         // required
	Broker broker.Broker // required; not an outbox's own

	// Batch is how many messages are on their way at a time; 0 is DefaultBatch.
	Batch int
	// Attempts is how often a message is refused, while the broker confirms others, until it
	// is given up; 0 is DefaultAttempts. What the broker calls permanent is given up at once.
	// A broker that confirms nothing is away: that counts against no message.
	Attempts int
	// Poll is how often to look where the database does not tell; 0 is DefaultPoll.
	Poll time.Duration
	// Timeout is how long a broker may take to confirm a message; 0 is DefaultTimeout.
	Timeout time.Duration
	// Backoff is how long a message waits that was refused once, then twice that, up to
	// MaxBackoff; 0 is a second, and DefaultMaxBackoff.
	Backoff, MaxBackoff time.Duration
	Log                 *slog.Logger // nil is slog.Default()
}

// Run publishes until ctx is done, lets what is on its way finish, and returns nil. A
// database or broker that is away is waited for.
func (r *Relay) Run(ctx context.Context) error {
	if r.Store == nil || r.Broker == nil {
		return errors.New("outbox: a Relay needs a Store and a Broker")
	}
	if _, own := r.Broker.(*writer); own {
		return errors.New("outbox: the Relay's Broker is an outbox itself; give it the one that carries messages")
	}
	run := &run{Relay: *r, stop: ctx.Done()}
	run.fill()
	defer r.Store.Rest()
	for ctx.Err() == nil {
		run.once(ctx)
	}
	return nil
}

// A run is a relay at work.
type run struct {
	Relay
	stop  <-chan struct{}
	alive bool // something was confirmed since all failed
	idle  int  // how often in a row nothing could be done
}

func (r *run) fill() {
	r.Batch = orElse(r.Batch, DefaultBatch)
	r.Attempts = orElse(r.Attempts, DefaultAttempts)
	r.Poll = orElse(r.Poll, DefaultPoll)
	r.Timeout = orElse(r.Timeout, DefaultTimeout)
	r.Backoff = orElse(r.Backoff, time.Second)
	r.MaxBackoff = orElse(r.MaxBackoff, DefaultMaxBackoff)
	if r.Log == nil {
		r.Log = slog.Default()
	}
}

func orElse[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// once does one batch, or waits.
func (r *run) once(ctx context.Context) {
	stuck := false
	// What the broker has confirmed must be noted, though the program ends.
	n, err := r.Store.Batch(context.WithoutCancel(ctx), r.Batch, func(ctx context.Context, items []*Item) { stuck = r.send(ctx, items) })
	switch {
	case err != nil:
		r.Log.Warn("the outbox cannot be read; it is tried again", "error", err)
		r.pause(ctx)
	case stuck:
		r.pause(ctx)
	case n == 0:
		r.idle = 0
		r.Store.Wait(ctx, r.Poll)
	default:
		r.idle = 0
	}
}

// pause waits longer each time, up to two seconds.
func (r *run) pause(ctx context.Context) {
	r.idle++
	d := min(2*time.Second, 20*time.Millisecond<<min(r.idle, 10))
	t := time.NewTimer(d/2 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// send publishes a batch: those of one key one after the other, until one fails. It returns
// whether all that were tried failed.
func (r *run) send(ctx context.Context, items []*Item) (stuck bool) {
	lanes := broker.NewLanes(r.Batch)
	var mu sync.Mutex
	held := map[string]bool{} // keys of which one failed
	errs := make([]error, len(items))
	for i, it := range items {
		lanes.Go(ctx, it.Message.Key, func() {
			mu.Lock()
			skip := held[it.Message.Key]
			mu.Unlock()
			if skip || r.stopped(ctx) {
				return
			}
			if errs[i] = r.publish(ctx, it.Message); errs[i] == nil {
				it.Outcome = Sent
			} else if it.Message.Key != "" {
				mu.Lock()
				held[it.Message.Key] = true
				mu.Unlock()
			}
		})
	}
	lanes.Wait()
	return r.judge(items, errs)
}

func (r *run) stopped(ctx context.Context) bool {
	select {
	case <-r.stop:
		return true
	default:
		return ctx.Err() != nil
	}
}

func (r *run) publish(ctx context.Context, m *broker.Message) error {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	return r.Broker.Publish(ctx, m)
}

// judge decides on those that failed.
func (r *run) judge(items []*Item, errs []error) (stuck bool) {
	sent, failed := 0, 0
	for i, it := range items {
		if it.Outcome == Sent {
			sent++
		} else if errs[i] != nil {
			failed++
		}
	}
	r.alive = r.alive || sent > 0
	var last error
	for i, it := range items {
		if errs[i] == nil {
			continue
		}
		last = errs[i]
		if r.alive || broker.IsPermanent(errs[i]) {
			r.refused(it, errs[i], sent > 0)
		}
	}
	if failed > 0 && sent == 0 {
		if r.alive = false; last != nil {
			r.Log.Warn("the broker confirms nothing; messages wait in the outbox", "broker", r.Broker.Name(), "failed", failed, "error", last)
		}
		return true
	}
	return false
}

// maxErrorText is how many bytes of an error are kept.
const maxErrorText = 1024

// refused counts against an item that the broker did not take; alone says that it took
// others at that time.
func (r *run) refused(it *Item, err error, alone bool) {
	it.Attempts++
	it.Error = clean(err.Error())
	if it.Attempts >= r.Attempts || broker.IsPermanent(err) {
		it.Outcome = Dead
		r.Log.Error("a message is given up; it is kept in the outbox, and Revive sends it again",
			"seq", it.Seq, "id", it.Message.ID, "address", it.Message.Address, "attempts", it.Attempts, "error", err)
		return
	}
	it.Outcome, it.After = Later, min(r.MaxBackoff, r.Backoff<<min(it.Attempts-1, 20))
	level := slog.LevelDebug // all failed, which is told once
	if alone {
		level = slog.LevelWarn
	}
	r.Log.Log(context.Background(), level, "the broker did not take a message", "seq", it.Seq, "id", it.Message.ID, "address", it.Message.Address,
		"attempt", it.Attempts, "next", it.After, "error", err)
}

// clean makes a text that every database takes.
func clean(text string) string {
	if len(text) > maxErrorText {
		text = text[:maxErrorText]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
}
