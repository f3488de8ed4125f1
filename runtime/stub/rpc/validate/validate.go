// Package validate holds Protobuf messages to the rules that their contract declares by
// protovalidate (buf/validate/validate.proto). Generated code wraps the implementations
// of such contracts, so that a server never sees a message that breaks them; a client does
// the same before it sends, by option:
//
//	conn, err := concordat.NewConn(target, concordat.WithInterceptors(validate.Outgoing()))
//
// A message that breaks rules fails with InvalidArgument, and the detail says how:
//
//	if v, ok := concordat.Detail[validatepb.Violations](err); ok { … }
//
// Rules are compiled when a message type is first seen. The package links protovalidate
// and its expression language, some megabytes, so that only programs that need it have it.
//
// It imports runtime, protovalidate, protobuf-go and the standard library.
package validate

import (
	"context"
	"errors"
	"iter"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// Message returns nil where msg holds to its rules. Otherwise the error is InvalidArgument
// and says which do not hold; its Detail is a *validatepb.Violations
// (buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate). Rules that
// cannot be compiled, which is the contract's fault, are Internal.
func Message(msg proto.Message) error {
	err := protovalidate.Validate(msg)
	if err == nil {
		return nil
	}
	broken, ok := errors.AsType[*protovalidate.ValidationError](err)
	if !ok {
		return concordat.Errorf(concordat.Internal, "the rules of %s cannot be checked: %w", msg.ProtoReflect().Descriptor().FullName(), err)
	}
	return concordat.Errorf(concordat.InvalidArgument, "%s breaks the rules of its contract: %s",
		msg.ProtoReflect().Descriptor().FullName(), spelled(broken)).With(broken.ToProto())
}

// maxSpelled is how many violations the message of an error spells; the detail has all.
const maxSpelled = 5

func spelled(e *protovalidate.ValidationError) string {
	var texts []string
	for i, v := range e.Violations {
		if i == maxSpelled {
			texts = append(texts, "…")
			break
		}
		texts = append(texts, v.String())
	}
	return strings.Join(texts, "; ")
}

// held is Message for whatever v is. What is no message is not ours to judge.
func held(v any) error {
	if msg, ok := v.(proto.Message); ok && msg.ProtoReflect().IsValid() {
		return Message(msg)
	}
	return nil
}

// Unary is impl for requests that hold to their rules.
func Unary[In, Out any](impl func(context.Context, *In) (*Out, error)) func(context.Context, *In) (*Out, error) {
	return func(ctx context.Context, in *In) (*Out, error) {
		if err := held(in); err != nil {
			return nil, err
		}
		return impl(ctx, in)
	}
}

// ServerStream is Unary for a method whose replies are a stream.
func ServerStream[In, Out any](impl func(context.Context, *In) iter.Seq2[*Out, error]) func(context.Context, *In) iter.Seq2[*Out, error] {
	return func(ctx context.Context, in *In) iter.Seq2[*Out, error] {
		if err := held(in); err != nil {
			return func(yield func(*Out, error) bool) { yield(nil, err) }
		}
		return impl(ctx, in)
	}
}

// ClientStream is impl for a stream whose messages hold to their rules. The first that
// does not ends the call, whatever impl makes of it.
func ClientStream[In, Out any](impl func(context.Context, iter.Seq2[*In, error]) (*Out, error)) func(context.Context, iter.Seq2[*In, error]) (*Out, error) {
	return func(ctx context.Context, in iter.Seq2[*In, error]) (*Out, error) {
		var broken error
		out, err := impl(ctx, each(in, &broken))
		if broken != nil {
			return nil, broken
		}
		return out, err
	}
}

// Bidi is ServerStream and ClientStream at once. The first message that breaks rules is
// an error of the requests; what impl makes of it is up to impl, since replies may be
// under way.
func Bidi[In, Out any](impl func(context.Context, iter.Seq2[*In, error]) iter.Seq2[*Out, error]) func(context.Context, iter.Seq2[*In, error]) iter.Seq2[*Out, error] {
	return func(ctx context.Context, in iter.Seq2[*In, error]) iter.Seq2[*Out, error] {
		return impl(ctx, each(in, new(error)))
	}
}

// each yields the messages of a stream that hold, and the error of the first that does
// not, which it keeps, too.
func each[T any](in iter.Seq2[*T, error], broken *error) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for msg, err := range in {
			if err == nil {
				if err = held(msg); err != nil {
					*broken = err
					yield(nil, err)
					return
				}
			}
			if !yield(msg, err) {
				return
			}
		}
	}
}
