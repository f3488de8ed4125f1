package runtime

import (
	"context"
	"net/http"
	"strings"
)

// Asked is what a context asks of the REST calls that are made with it, beyond what their
// contract says. Stubs read it; programs make it by [WithAccept], [WithReply] and
// [WithRawResponse]. Calls by gRPC and messages ignore it.
type Asked struct {
	Accept string // the Accept header; "": what the contract declares
	Reply  *Reply // filled with what came beside the result; may be nil
	Raw    func(*http.Response) error
}

// A Reply is what came beside the result of a call.
type Reply struct {
	Status int         // 0: no reply came
	Header http.Header // shared with the reply: not to be changed
}

type askedKey struct{}

// AskedOf returns what ctx asks; nil where it asks nothing.
func AskedOf(ctx context.Context) *Asked {
	a, _ := ctx.Value(askedKey{}).(*Asked)
	return a
}

func asking(ctx context.Context, set func(*Asked)) context.Context {
	a := new(Asked)
	if old := AskedOf(ctx); old != nil {
		*a = *old
	}
	set(a)
	return context.WithValue(ctx, askedKey{}, a)
}

// WithAccept returns a context whose REST calls ask for replies in these media types (RFC
// 9110, section 12.5.1), instead of the ones that the contract prefers. Types without a q
// are liked equally; the server chooses, and declines with 406 what it cannot do. The
// generated result has a field for each form of the answer, of which one is set.
//
//	report, err := reports.GetReport(concordat.WithAccept(ctx, "text/csv"), in)
func WithAccept(ctx context.Context, media ...string) context.Context {
	return asking(ctx, func(a *Asked) { a.Accept = strings.Join(media, ", ") })
}

// WithReply returns a context whose REST calls write to reply which status and headers
// their last attempt brought, whether the call succeeds or fails. Calls that are made side
// by side need a reply each.
//
//	var reply concordat.Reply
//	customer, err := users.GetCustomer(concordat.WithReply(ctx, &reply), in)
//	etag := reply.Header.Get("ETag")
func WithReply(ctx context.Context, reply *Reply) context.Context {
	return asking(ctx, func(a *Asked) { a.Reply = reply })
}

// WithRawResponse returns a context whose REST calls hand every response to f, as it came
// and whatever its status, instead of reading it by the contract: for what the contract
// does not say, such as a partial reply (206) to a Range header. The call returns what f
// does, and an empty result. f may read the body, to which no limit of the connection
// applies, until it returns; the body is closed then. It is called once for each attempt
// that brought a response: there is a second one only where f's error asks for it, as a
// *Error with the code Unavailable does.
func WithRawResponse(ctx context.Context, f func(*http.Response) error) context.Context {
	return asking(ctx, func(a *Asked) { a.Raw = f })
}

// Accepts returns which of media types the caller of the handler that ctx belongs to likes
// best, by its Accept header and q-values; the first where it says nothing, "" where it
// wants none of them. Handlers that can answer in several forms ask it before they make
// one; where one value is written as JSON or XML, the stub has chosen by itself.
func Accepts(ctx context.Context, media ...string) string {
	if len(media) == 0 {
		return ""
	}
	call := CallOf(ctx)
	if call == nil || len(call.Meta["Accept"]) == 0 {
		return media[0]
	}
	best, q := "", 0
	for _, m := range media {
		if got := quality(call.Meta["Accept"], m); got > q {
			best, q = m, got
		}
	}
	return best
}

// ReplyWith lets a handler of a REST operation write its reply itself: what the handler
// returns is not written, once it returns no error, but f is called. It is for what a
// contract cannot say: ranges and conditional requests (http.ServeContent), hijacked
// connections, a reply in a form of its own. Headers that were set by [Call.SetReply] are
// in w already. It does nothing to no call at all.
//
//	concordat.CallOf(ctx).ReplyWith(func(w http.ResponseWriter, r *http.Request) {
//		http.ServeContent(w, r, name, changed, file)
//	})
//	return nil, nil
func (c *Call) ReplyWith(f func(w http.ResponseWriter, r *http.Request)) {
	if c != nil {
		c.Raw = f
	}
}
