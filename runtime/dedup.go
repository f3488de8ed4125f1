package runtime

import (
	"context"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/dedup"
)

// once is what WithDedup was given.
type once struct {
	store   dedup.Store
	options dedup.Options
}

// WithDedup handles each message that the server consumes once, though brokers deliver it at
// least once: store remembers their IDs. Duplicates are acknowledged and not handled; a
// message whose handling failed, or whose program died, is handled again. The stores are
// memory, redis, postgres and natskv below runtime/broker/dedup. At most one Options.
//
// A handler whose effect is written to PostgreSQL marks the message in the effect's own
// transaction by the InTx of that store, so that nothing can come between the two.
func WithDedup(store dedup.Store, o ...dedup.Options) ServerOption {
	return serverOption(func(s *Server) {
		switch {
		case store == nil:
			s.Misuse(Errorf(InvalidArgument, "WithDedup: the store is nil"))
		case len(o) > 1:
			s.Misuse(Errorf(InvalidArgument, "WithDedup: %d Options were given, at most one counts", len(o)))
		default:
			s.dedup = &once{store: store}
			if len(o) == 1 {
				s.dedup.options = o[0]
			}
		}
	})
}

// Dedup returns what WithDedup makes of handlers, for [broker.Policy], or nil. Stubs ask.
func (s *Server) Dedup() func(context.Context, broker.Subscription, broker.Handler) broker.Handler {
	if s.dedup == nil {
		return nil
	}
	o := s.dedup.options
	if o.Log == nil {
		o.Log = s.log
	}
	return dedup.Around(s.dedup.store, o)
}
