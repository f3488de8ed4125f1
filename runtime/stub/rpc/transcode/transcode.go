// Package transcode answers the REST routes that a Protobuf service declares by
// google.api.http (google/api/http.proto), beside gRPC and from the same implementation:
// same interceptors, statistics, deadlines and admission. Generated code calls it;
// programs import it for WithJSON alone.
//
// Bodies are Protobuf's JSON mapping. A stream travels as one JSON text per line. Failures
// are a google.rpc.Status as JSON, with the HTTP status that stands for its code.
//
// It imports runtime, runtime/stub/rpc, protobuf-go and the standard library.
package transcode

import (
	"context"
	"iter"
	"net/http"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

// A Rule is one google.api.HttpRule, or one of its additional_bindings.
type Rule struct {
	Method string // "GET", upper case; "*" for every method
	Path   string // "/v1/{name=shelves/*/books/*}:archive"
	Body   string // "*", the field that is the body, or "" for none
	Reply  string // the field of the reply that is the body (response_body), or "" for all of it
}

// Unary answers m by impl on the routes of rules.
func Unary[In, Out any](s *concordat.Server, m *rpc.Method[In, Out], impl func(context.Context, *In) (*Out, error), rules ...Rule) {
	run := func(ctx context.Context, in any) (any, error) {
		msg, ok := in.(*In)
		if !ok {
			return nil, swapped("request", in)
		}
		return impl(ctx, msg)
	}
	mount[In, Out](s, &m.Spec, rules, func(h *handler) {
		h.run, h.serve = run, h.unary
	})
}

// ServerStream is Unary for a method whose replies are a stream.
func ServerStream[In, Out any](s *concordat.Server, m *rpc.Method[In, Out], impl func(context.Context, *In) iter.Seq2[*Out, error], rules ...Rule) {
	run := func(ctx context.Context, in any) (any, error) {
		msg, ok := in.(*In)
		if !ok {
			return nil, swapped("request", in)
		}
		return opened(ctx, impl(ctx, msg))
	}
	mount[In, Out](s, &m.Spec, rules, func(h *handler) {
		h.run, h.serve, h.replies = run, h.serverStream, untyped[Out]
	})
}

// ClientStream is Unary for a method whose requests are a stream: the JSON texts of the
// body, one after the other. Each may be as large as a body.
func ClientStream[In, Out any](s *concordat.Server, m *rpc.Method[In, Out], impl func(context.Context, iter.Seq2[*In, error]) (*Out, error), rules ...Rule) {
	run := func(ctx context.Context, in any) (any, error) {
		seq, ok := in.(iter.Seq2[*In, error])
		if !ok {
			return nil, swapped("request stream", in)
		}
		return impl(ctx, seq)
	}
	mount[In, Out](s, &m.Spec, rules, func(h *handler) {
		h.run, h.serve, h.requests = run, h.clientStream, typed[In]
	})
}

// Bidi is ServerStream and ClientStream at once. Over HTTP/1.1 many clients send all
// before they read.
func Bidi[In, Out any](s *concordat.Server, m *rpc.Method[In, Out], impl func(context.Context, iter.Seq2[*In, error]) iter.Seq2[*Out, error], rules ...Rule) {
	run := func(ctx context.Context, in any) (any, error) {
		seq, ok := in.(iter.Seq2[*In, error])
		if !ok {
			return nil, swapped("request stream", in)
		}
		return opened(ctx, impl(ctx, seq))
	}
	mount[In, Out](s, &m.Spec, rules, func(h *handler) {
		h.run, h.serve, h.requests, h.replies = run, h.bidi, typed[In], untyped[Out]
	})
}

// A handler answers one route. Only its functions know the Go types.
type handler struct {
	server  *concordat.Server
	spec    *concordat.Spec
	in, out protoreflect.MessageType
	route   *route
	json    JSON

	run      concordat.Next
	serve    func(w http.ResponseWriter, r *http.Request, path []string)
	requests func(receive func() (proto.Message, error)) any
	replies  func(any) (iter.Seq2[proto.Message, error], bool)
}

// mount compiles rules and routes them. What cannot work Run reports.
func mount[In, Out any](s *concordat.Server, spec *concordat.Spec, rules []Rule, finish func(*handler)) {
	in, ok := any(new(In)).(proto.Message)
	out, fits := any(new(Out)).(proto.Message)
	if !ok || !fits {
		s.Misuse(concordat.Errorf(concordat.InvalidArgument, "%s: its messages are not Protobuf's", spec.Name))
		return
	}
	options, _ := s.Setting(settingKey{}).(JSON)
	for _, rule := range rules {
		h := &handler{server: s, spec: spec, in: in.ProtoReflect().Type(), out: out.ProtoReflect().Type(), json: options}
		finish(h)
		var err error
		if h.route, err = compile(rule, h.in.Descriptor(), h.out.Descriptor()); err != nil {
			s.Misuse(concordat.Errorf(concordat.InvalidArgument, "%s: %s %s: %w", spec.Name, rule.Method, rule.Path, err))
			continue
		}
		place := s.Mount
		if spec.Kind.Streams() {
			place = s.MountStream
		}
		for _, method := range methods(rule.Method) {
			place(spec, method, h.route.template, h.serve)
		}
	}
}

func methods(m string) []string {
	if m == "*" {
		return []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	}
	return []string{m}
}

// swapped is the error of an interceptor that passed on something else.
func swapped(what string, v any) error {
	return concordat.Errorf(concordat.Internal, "an interceptor passed on a %T, which is no %s of this method; pass on what it was given", v, what)
}
