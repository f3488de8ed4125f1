package validate

import (
	"context"
	"reflect"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// Outgoing holds what a client sends to its rules: requests before they leave, and each
// message of a stream.
func Outgoing() concordat.Interceptor {
	return func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
		if call.Side == concordat.Outgoing {
			if err := held(in); err != nil {
				return nil, err
			}
			in = checked(in)
		}
		return next(ctx, in)
	}
}

// Replies holds what comes back to its rules: on a client what the server sent, on a
// server what the handler returned, which then fails with Internal.
func Replies() concordat.Interceptor {
	return func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
		out, err := next(ctx, in)
		if err != nil {
			return nil, err
		}
		if err := held(out); err != nil {
			return nil, concordat.Errorf(concordat.Internal, "the reply: %w", err)
		}
		return checked(out), nil
	}
}

// checked is a stream whose messages are held to their rules, and anything else as it is.
// Only reflection knows the type of an iter.Seq2[*T, error].
func checked(v any) any {
	seq := reflect.ValueOf(v)
	if !stream(seq) {
		return v
	}
	yieldType := seq.Type().In(0)
	return reflect.MakeFunc(seq.Type(), func(args []reflect.Value) []reflect.Value {
		over := false
		yield := reflect.MakeFunc(yieldType, func(pair []reflect.Value) []reflect.Value {
			if pair[1].IsNil() {
				if err := held(pair[0].Interface()); err != nil {
					over = true
					pair = []reflect.Value{reflect.Zero(pair[0].Type()), reflect.ValueOf(&err).Elem()}
				}
			}
			more := args[0].Call(pair)[0].Bool()
			return []reflect.Value{reflect.ValueOf(more && !over)}
		})
		seq.Call([]reflect.Value{yield})
		return nil
	}).Interface()
}

// stream says whether v is an iter.Seq2[*T, error].
func stream(v reflect.Value) bool {
	if v.Kind() != reflect.Func || v.IsNil() || v.Type().NumIn() != 1 || v.Type().NumOut() != 0 {
		return false
	}
	y := v.Type().In(0)
	return y.Kind() == reflect.Func && y.NumIn() == 2 && y.NumOut() == 1 && y.Out(0).Kind() == reflect.Bool &&
		y.In(0).Kind() == reflect.Pointer && y.In(1) == reflect.TypeFor[error]()
}
