package runtime

import "context"

// CallOf returns the incoming call that ctx belongs to: that of a handler, or of what it
// passes its context on to. It is nil elsewhere, as in a test that calls a handler itself;
// [Call.SetReply] does nothing then.
//
//	concordat.CallOf(ctx).SetReply("ETag", version)
func CallOf(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}

// A scope is the context of a call while it is handled. It lies in the Call, so that it
// costs no allocation.
type scope struct {
	context.Context
	call *Call
}

type (
	callKey  struct{}
	traceKey struct{}
)

// Value finds the call, and the trace that came with it.
func (s *scope) Value(key any) any {
	switch key.(type) {
	case callKey:
		return s.call
	case traceKey:
		if len(s.call.Meta[traceParent]) > 0 {
			return s.call
		}
	}
	return s.Context.Value(key)
}

// within returns ctx with c in it.
func (c *Call) within(ctx context.Context) context.Context {
	c.scope = scope{ctx, c}
	return &c.scope
}
