package rpc_test

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

	"github.com/concordat-dev/concordat/internal/interop/rpc/echo"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// service is Echo. Calls that the client ended are told to ended, where that is not nil.
type service struct{ ended chan string }

var _ echo.Echo = service{}

func (s service) tell(ctx context.Context, method string) {
	if ctx.Err() != nil && s.ended != nil {
		s.ended <- method
	}
}

func (service) Say(ctx context.Context, in *echo.Phrase) (*echo.Phrase, error) {
	call := concordat.CallOf(ctx)
	if v := call.Meta.Get("X-Interop"); v != "" {
		call.SetReply("X-Reply", v)
		call.SetReplyTrailer("X-Trailer", v)
	}
	if v := call.Meta.Get("X-Interop-Bin"); v != "" {
		call.SetReplyTrailer("X-Trailer-Bin", v)
	}
	return in, nil
}

func (service) Fail(_ context.Context, in *echo.Failure) (*echo.Phrase, error) {
	var details []any
	for _, d := range in.GetDetails() {
		details = append(details, &echo.Phrase{Text: d})
	}
	details = append(details, &echo.Number{Value: int64(len(in.GetDetails()))})
	return nil, concordat.Errorf(concordat.Code(in.GetCode()), "%s", in.GetMessage()).With(details[0], details[1:]...)
}

func (s service) Wait(ctx context.Context, _ *echo.Phrase) (*echo.Phrase, error) {
	defer s.tell(ctx, "Wait")
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s service) Count(ctx context.Context, in *echo.CountRequest) iter.Seq2[*echo.Number, error] {
	return func(yield func(*echo.Number, error) bool) {
		defer s.tell(ctx, "Count")
		for n := int64(1); in.GetLast() == 0 || n <= in.GetLast(); n++ {
			if !yield(&echo.Number{Value: n}, nil) {
				return
			}
		}
	}
}

func (service) Sum(_ context.Context, in iter.Seq2[*echo.Number, error]) (*echo.Number, error) {
	sum := &echo.Number{}
	for n, err := range in {
		if err != nil {
			return nil, err
		}
		sum.Value += n.GetValue()
	}
	return sum, nil
}

func (service) Chat(_ context.Context, in iter.Seq2[*echo.Phrase, error]) iter.Seq2[*echo.Phrase, error] {
	return func(yield func(*echo.Phrase, error) bool) {
		for m, err := range in {
			if !yield(proto.CloneOf(m), err) {
				return
			}
		}
	}
}
