package runtime

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"strings"
)

// Names of the W3C Trace Context headers, as Meta has them. On the wire of messages they
// are in lower case.
const (
	traceParent = "Traceparent"
	traceState  = "Tracestate"
)

// A trace is what WithTraceParent put into a context.
type trace struct{ parent string }

// WithTraceParent returns a context whose calls belong to the trace that header names, a
// traceparent of W3C Trace Context: "00-<trace id>-<span id>-<flags>". It takes precedence
// over the one of the incoming call. Nobody needs it to pass a trace on: every call and
// message that is made with a handler's context belongs to the handler's trace, with a
// span ID of its own. An interceptor that sets Traceparent in Meta has the last word.
func WithTraceParent(ctx context.Context, header string) (context.Context, error) {
	if !validTrace(header) {
		return ctx, Errorf(InvalidArgument, "%q is no traceparent; W3C Trace Context says 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, in lower case", header)
	}
	return context.WithValue(ctx, traceKey{}, &trace{header}), nil
}

// TraceParent returns the traceparent that ctx was given by [WithTraceParent] or by the
// incoming call, whose span is the caller's. It is "" where there is none, or an invalid
// one, or several, which count as none.
func TraceParent(ctx context.Context) string {
	parent, _ := traceOf(ctx)
	return parent
}

// traceOf finds the trace of ctx, and the tracestate that came with it.
func traceOf(ctx context.Context) (parent, state string) {
	switch v := ctx.Value(traceKey{}).(type) {
	case *trace:
		return v.parent, ""
	case *Call:
		if all := v.Meta[traceParent]; len(all) == 1 && validTrace(all[0]) {
			return all[0], strings.Join(v.Meta[traceState], ",")
		}
	}
	return "", ""
}

// follow makes call part of the trace that ctx belongs to, if any.
func (c *Call) follow(ctx context.Context) {
	parent, state := traceOf(ctx)
	if parent == "" {
		return
	}
	c.SetMeta(traceParent, nextSpan(parent))
	if state != "" {
		c.SetMeta(traceState, state)
	}
}

// Where the parts of a traceparent lie (W3C Trace Context, 3.2.2).
const (
	traceAt, spanAt, flagsAt, traceEnd = 3, 36, 53, 55
	flagsKnown                         = 0x03 // sampled, and random since level 2
)

// validTrace says whether h is a traceparent. A later version may say more behind a dash.
func validTrace(h string) bool {
	if len(h) < traceEnd || h[traceAt-1] != '-' || h[spanAt-1] != '-' || h[flagsAt-1] != '-' || h[:2] == "ff" {
		return false
	}
	if len(h) > traceEnd && (h[:2] == "00" || h[traceEnd] != '-') {
		return false
	}
	return lowerHex(h[:2]) && lowerHex(h[flagsAt:traceEnd]) && named(h[traceAt:spanAt-1]) && named(h[spanAt:flagsAt-1])
}

// named says whether id is hexadecimal and not all zero.
func named(id string) bool { return lowerHex(id) && strings.Trim(id, "0") != "" }

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// nextSpan returns the traceparent of a call made within parent: version 00, the same
// trace, a new span, and of the flags those that we know.
func nextSpan(parent string) string {
	var flags [1]byte
	_, _ = hex.Decode(flags[:], []byte(parent[flagsAt:traceEnd])) // validTrace has looked
	out := append(make([]byte, 0, traceEnd), "00-"...)
	out = append(append(out, parent[traceAt:spanAt-1]...), '-')
	span := rand.Uint64() | 1 // never zero
	for shift := 60; shift >= 0; shift -= 4 {
		out = append(out, "0123456789abcdef"[span>>shift&0xf])
	}
	out = append(out, '-')
	return string(hex.AppendEncode(out, []byte{flags[0] & flagsKnown}))
}
