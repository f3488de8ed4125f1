// Package dedup lets the effect of a message happen once, though brokers deliver it at
// least once: a store remembers which messages were handled. The stores lie in packages
// beside this one, each with its one SDK.
//
// It takes two steps: a message is claimed for a while before it is handled, and marked as
// done behind that. A program that dies in between loses its claim, not the message, which
// somebody else handles then. What is left is the moment between the effect and the mark:
// where the effect is written to PostgreSQL, dedup/postgres marks it in the effect's own
// transaction, which leaves none.
//
// It imports runtime/broker and the standard library.
package dedup

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// A State says what a store knows of a message.
type State uint8

// The states.
const (
	Claimed State = iota // it is the caller's to handle
	Busy                 // somebody else handles it
	Done                 // it was handled
)

// ErrLost says that a claim ran out, or was somebody else's all along.
var ErrLost = errors.New("the claim of the message is lost")

// A Claim is the right to handle one message. Keys have 43 characters of base64url; owners
// have 26, and differ for each attempt to claim.
type Claim struct{ Key, Owner string }

// A Store remembers messages. Its methods are safe for concurrent use, also by several
// programs where the store is shared. Times are at least milliseconds.
type Store interface {
	// Claim takes the message for lease, unless it is done or somebody else's. Whose lease
	// ran out has no claim any more.
	Claim(ctx context.Context, c Claim, lease time.Duration) (State, error)
	// Extend makes a claim last for lease from now on; ErrLost if it is not c's any more.
	Extend(ctx context.Context, c Claim, lease time.Duration) error
	// Done says that the message was handled, which is remembered for keep. Where c's claim
	// was lost it is ErrLost, unless the message is done already.
	Done(ctx context.Context, c Claim, keep time.Duration) error
	// Release gives back a claim that is c's and not done; otherwise it does nothing.
	Release(ctx context.Context, c Claim) error
}

// The defaults of Options.
const (
	DefaultLease = 30 * time.Second
	DefaultKeep  = 24 * time.Hour
)

// Options tune Handler. The zero value means the defaults.
type Options struct {
	// Lease is how long the claim of a program that died holds up its message; one that
	// lives renews it. 0 is DefaultLease.
	Lease time.Duration
	// Keep is for how long duplicates are recognised; 0 is DefaultKeep. It must be longer
	// than the broker keeps a message that nobody fetches, and than an outbox may stand still.
	Keep time.Duration
	Log  *slog.Logger // nil is slog.Default()
}

func (o Options) filled() Options {
	if o.Lease <= 0 {
		o.Lease = DefaultLease
	}
	if o.Keep <= 0 {
		o.Keep = DefaultKeep
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Around returns what [broker.Policy.Around] takes: each message that a group receives is
// handled once, all its attempts and its way to the dead letters included. A duplicate is
// acknowledged and not handled. One whose original is being handled right now waits, and is
// handled if that fails. While the store cannot be asked nothing is handled: messages wait,
// and go back to the broker when the subscription ends. A message without an ID is handled
// as often as it comes; generated publishers give each one.
func Around(store Store, o Options) func(context.Context, broker.Subscription, broker.Handler) broker.Handler {
	o = o.filled()
	return func(ctx context.Context, s broker.Subscription, next broker.Handler) broker.Handler {
		scope := s.Group
		if scope == "" {
			scope = rand.Text() // it sees every message on its own
		}
		h := &handler{Options: o, store: store, scope: scope, next: next, stop: ctx.Done()}
		return h.handle
	}
}

// key names a message in a group. What was put off, or came back from the dead letters, is
// to be handled again, so it is another.
func key(scope string, m *broker.Message) string {
	sum := sha256.New()
	for _, part := range []string{scope, m.Address, m.ID, m.Headers[broker.HeaderDelays], m.Headers[broker.HeaderReplays]} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}

type claimKey struct{}

// held is a claim in the context of a handler.
type held struct {
	store Store
	claim Claim
	keep  time.Duration
}

// ClaimOf returns the claim under which a handler runs, how long its mark is to be kept, and
// by which store: for stores that mark it together with the handler's effect. false: the
// message is not claimed.
func ClaimOf(ctx context.Context) (c Claim, keep time.Duration, store Store, ok bool) {
	h, ok := ctx.Value(claimKey{}).(*held)
	if !ok {
		return Claim{}, 0, nil, false
	}
	return h.claim, h.keep, h.store, true
}
