package stub_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub"
)

const aTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// What a handler sets beside its reply arrives, on failures and streams, too; what the
// contract declares and HTTP needs stays theirs.
func TestReplyMeta(t *testing.T) {
	var call *concordat.Call
	next := "declared"
	w := start(t, (&PetsServer{
		list: func(ctx context.Context, _ *ListPetsRequest) (*ListPetsResponse, error) {
			concordat.CallOf(ctx).SetReply("X-Next", "undeclared")
			concordat.CallOf(ctx).SetReply("Content-Length", "1")
			concordat.CallOf(ctx).SetReply("Content-Type", "text/plain")
			concordat.CallOf(ctx).SetReply("ETag", "list")
			return &ListPetsResponse{Body: Pets{{1, "Rex", nil, nil}}, Next: &next}, nil
		},
		get: func(ctx context.Context, in *GetPetRequest) (*Pet, error) {
			concordat.CallOf(ctx).SetReply("ETag", in.Name)
			switch in.Name {
			case "none":
				return nil, concordat.Errorf(concordat.NotFound, "none").With(&Problem{Title: "none"})
			case "broken":
				return nil, errors.New("broken")
			}
			return &Pet{1, in.Name, nil, nil}, nil
		},
		remove: func(ctx context.Context, _ *GetPetRequest) error {
			concordat.CallOf(ctx).SetReply("ETag", "removed")
			return nil
		},
		echo: func(ctx context.Context, in *EchoRequest) (*EchoResponse, error) {
			concordat.CallOf(ctx).SetReply("ETag", "echo")
			return &EchoResponse{io.NopCloser(in.Body)}, nil
		},
	}).register, concordat.WithInterceptors(func(ctx context.Context, c *concordat.Call, in any, next concordat.Next) (any, error) {
		call = c
		return next(ctx, in)
	}))
	etag := func(want string) {
		t.Helper()
		if got := call.ReplyMeta.Get("ETag"); got != want {
			t.Errorf("got %q in place of %q", got, want)
		}
	}
	out, err := stub.Call(t.Context(), w.conn, &listPets, &ListPetsRequest{})
	if err != nil || *out.Next != "declared" || len(out.Body) != 1 {
		t.Fatal(out, err)
	}
	etag("list")
	for _, name := range []string{"Rex", "none", "broken"} {
		if _, err := stub.Call(t.Context(), w.conn, &getPet, &GetPetRequest{name}); (err == nil) != (name == "Rex") {
			t.Error(err)
		}
		etag(name)
	}
	if err := stub.Exec(t.Context(), w.conn, &deletePet, &GetPetRequest{"Rex"}); err != nil {
		t.Error(err)
	}
	etag("removed")
	echoed, err := stub.Call(t.Context(), w.conn, &echo, &EchoRequest{strings.NewReader("hi")})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(echoed.Body); err != nil || string(b) != "hi" {
		t.Error(string(b), err)
	}
	echoed.Body.Close()
	etag("echo")
}

// A call made by a handler belongs to the trace of the call that it handles.
func TestTraceTravels(t *testing.T) {
	var traces []string
	var inner *world
	note := func(ctx context.Context) { traces = append(traces, concordat.TraceParent(ctx)) }
	inner = start(t, (&PetsServer{get: func(ctx context.Context, in *GetPetRequest) (*Pet, error) {
		note(ctx)
		return &Pet{1, in.Name, nil, nil}, nil
	}}).register)
	outer := start(t, (&PetsServer{get: func(ctx context.Context, in *GetPetRequest) (*Pet, error) {
		note(ctx)
		return stub.Call(ctx, inner.conn, &getPet, in)
	}}).register)
	for _, trace := range []string{aTrace, ""} {
		traces = nil
		ctx := t.Context()
		if trace != "" {
			var err error
			if ctx, err = concordat.WithTraceParent(ctx, trace); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := stub.Call(ctx, outer.conn, &getPet, &GetPetRequest{"Rex"}); err != nil {
			t.Fatal(err)
		}
		if trace == "" {
			if traces[0] != "" || traces[1] != "" {
				t.Errorf("without a trace, there is %q", traces)
			}
			continue
		}
		for _, s := range traces {
			if !strings.HasPrefix(s, trace[:36]) || s == trace {
				t.Errorf("spans %q of %s", traces, trace)
			}
		}
		if traces[0] == traces[1] {
			t.Errorf("two hops in one span: %q", traces)
		}
	}
}
