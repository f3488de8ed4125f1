package runtime

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/stats"
)

// A counted is a call that statistics know to have begun.
type counted struct {
	k     *common
	op    *stats.Op
	start time.Duration
}

func (c *counted) end(code Code) { c.op.End(c.k.now()-c.start, uint8(code)) }

// once returns a function whose first call counts the end.
func (c counted) once() func(error) {
	if c.op == nil {
		return func(error) {}
	}
	var ended atomic.Bool
	return func(err error) {
		if !ended.Swap(true) {
			c.end(codeOf(err))
		}
	}
}

// count runs a call within statistics and interceptors. A panic counts as Internal.
func (k *common) count(ctx context.Context, call *Call, in any, last Next) (out any, err error) {
	op, code := k.stats.Of(call.Spec, call.Name), Internal
	op.Begin()
	call.end, call.counted = nil, counted{k, op, k.now()}
	defer func() {
		switch {
		case call.end == nil:
			call.counted.end(code)
		case code != OK:
			call.end(&Error{Code: code})
		}
	}()
	if g := k.guardOf(call.Spec); g != nil && g.Guard != nil {
		out, err = g.run(ctx, k, call, in, last)
	} else {
		out, err = run(ctx, k.chain, call, in, last)
	}
	code = codeOf(err)
	return out, err
}
