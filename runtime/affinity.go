package runtime

import (
	"context"

	"github.com/concordat-dev/concordat/runtime/policy/pick"
)

type affinityKey struct{}

// WithAffinity returns a context whose calls go to the endpoint that key belongs to, on
// connections made with WithBalancing(balance.Ring): one key finds the same endpoint for
// as long as that is live and not overloaded. Other connections ignore it.
func WithAffinity(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, affinityKey{}, pick.Hash(key))
}
