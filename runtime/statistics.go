package runtime

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/runtime/policy/stats"
)

// count runs a call within statistics and interceptors. A panic counts as Internal.
func (k *common) count(ctx context.Context, call *Call, in any, last Next) (out any, err error) {
	op, start, code := k.stats.Of(call.Spec, call.Name), time.Now(), Internal
	op.Begin()
	if call.Kind.Streams() {
		call.end = onEnd(op, start)
	}
	defer func() {
		switch {
		case call.end == nil:
			op.End(time.Since(start), uint8(code))
		case !call.held || code != OK:
			call.end(errOf(code, err))
		}
	}()
	out, err = run(ctx, k.chain, call, in, last)
	code = codeOf(err)
	return out, err
}

// errOf returns err, or an error of the code where a panic left none.
func errOf(code Code, err error) error {
	if err == nil && code != OK {
		return &Error{Code: code}
	}
	return err
}

// onEnd returns a function whose first call counts the end of a stream.
func onEnd(op *stats.Op, start time.Time) func(error) {
	var ended atomic.Bool
	return func(err error) {
		if !ended.Swap(true) {
			op.End(time.Since(start), uint8(codeOf(err)))
		}
	}
}
