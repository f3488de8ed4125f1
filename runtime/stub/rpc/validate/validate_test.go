package validate_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	validatepb "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"

	"github.com/concordat-dev/concordat/internal/library"
	pb "github.com/concordat-dev/concordat/internal/library/library"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc/validate"
)

// dial returns a client, and the calls that reached the server.
func dial(t *testing.T, opts ...concordat.ConnOption) (*pb.LibraryClient, *[]string) {
	t.Helper()
	reached := new([]string)
	s := concordat.NewServer(concordat.WithLogger(slog.New(slog.DiscardHandler)), concordat.WithInterceptors(
		func(ctx context.Context, c *concordat.Call, in any, next concordat.Next) (any, error) {
			*reached = append(*reached, c.Name)
			return next(ctx, in)
		}))
	pb.RegisterLibrary(s, library.Echo{})
	h := httptest.NewUnstartedServer(s)
	h.Config.Protocols = new(http.Protocols)
	h.Config.Protocols.SetUnencryptedHTTP2(true)
	h.Start()
	t.Cleanup(h.Close)
	conn, err := concordat.NewConn(h.URL, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return pb.NewLibraryClient(conn), reached
}

// broken checks that err says which rule of which field does not hold.
func broken(t *testing.T, err error, field, rule string) {
	t.Helper()
	v, ok := concordat.Detail[validatepb.Violations](err)
	if !ok || concordat.ErrorOf(err).Code != concordat.InvalidArgument {
		t.Errorf("no violations in %v", err)
		return
	}
	e := v.GetViolations()[0].GetField().GetElements()
	if last := e[len(e)-1].GetFieldName(); len(v.GetViolations()) != 1 || last != field || v.GetViolations()[0].GetRuleId() != rule {
		t.Errorf("%v; want %s of %s", v, rule, field)
	}
	if !strings.Contains(err.Error(), field) {
		t.Errorf("%v does not name %s", err, field)
	}
}

func TestServerHoldsRequests(t *testing.T) {
	c, _ := dial(t)
	_, err := c.ListBooks(t.Context(), &pb.ListBooksRequest{PageSize: 101})
	broken(t, err, "page_size", "int32.gte_lte")
	_, err = c.CreateBook(t.Context(), &pb.CreateBookRequest{})
	broken(t, err, "book", "required")
	_, err = c.CreateBook(t.Context(), &pb.CreateBookRequest{Book: &pb.Book{Title: new(strings.Repeat("é", 41))}})
	broken(t, err, "title", "string.max_len")
	if _, err := c.CreateBook(t.Context(), &pb.CreateBookRequest{Book: &pb.Book{Title: new(strings.Repeat("é", 40))}}); err != nil {
		t.Error(err)
	}
}

func books(titles ...string) iter.Seq2[*pb.CreateBookRequest, error] {
	return func(yield func(*pb.CreateBookRequest, error) bool) {
		for _, title := range titles {
			if !yield(&pb.CreateBookRequest{Book: &pb.Book{Title: &title}}, nil) {
				return
			}
		}
	}
}

func events(numbers ...int32) iter.Seq2[*pb.Event, error] {
	return func(yield func(*pb.Event, error) bool) {
		for _, n := range numbers {
			if !yield(&pb.Event{Number: &n}, nil) {
				return
			}
		}
	}
}

// Each message of a stream is held, on its own.
func TestServerHoldsStreams(t *testing.T) {
	c, _ := dial(t)
	if out, err := c.ImportBooks(t.Context(), books("a", "b")); err != nil || out.GetCount() != 2 {
		t.Error(out, err)
	}
	_, err := c.ImportBooks(t.Context(), books("a", strings.Repeat("b", 41), "c"))
	broken(t, err, "title", "string.max_len")
}

// A stream whose handler swallows the error is refused all the same.
func TestSwallowedViolation(t *testing.T) {
	impl := validate.ClientStream(func(_ context.Context, in iter.Seq2[*pb.Event, error]) (*pb.Event, error) {
		for range in {
		}
		return &pb.Event{}, nil
	})
	_, err := impl(t.Context(), events(1, 1000))
	broken(t, err, "number", "int32.lt")
}

func TestBidi(t *testing.T) {
	var got []int32
	var failure error
	for e, err := range validate.Bidi(library.Echo{}.Echo)(t.Context(), events(1, 2, 1000, 3)) {
		if failure = err; err == nil {
			got = append(got, e.GetNumber())
		}
	}
	broken(t, failure, "number", "int32.lt")
	if !slices.Equal(got, []int32{1, 2}) {
		t.Error(got)
	}
}

func TestServerStream(t *testing.T) {
	called := false
	impl := validate.ServerStream(func(context.Context, *pb.Event) iter.Seq2[*pb.Event, error] {
		called = true
		return events(1)
	})
	for _, err := range impl(t.Context(), &pb.Event{Number: new(int32(1000))}) {
		broken(t, err, "number", "int32.lt")
	}
	if called {
		t.Error("the handler saw a message that breaks rules")
	}
}

// With the option nothing that breaks rules leaves.
func TestOutgoing(t *testing.T) {
	c, reached := dial(t, concordat.WithInterceptors(validate.Outgoing()))
	_, err := c.ListBooks(t.Context(), &pb.ListBooksRequest{PageSize: 101})
	broken(t, err, "page_size", "int32.gte_lte")
	if len(*reached) != 0 {
		t.Error(*reached)
	}
	_, err = c.ImportBooks(t.Context(), books("a", strings.Repeat("b", 41)))
	broken(t, err, "title", "string.max_len")
	if out, err := c.ImportBooks(t.Context(), books("a")); err != nil || out.GetCount() != 1 {
		t.Error(out, err)
	}
}

// A reply that breaks rules is the server's fault, not the caller's.
func TestReplies(t *testing.T) {
	call := &concordat.Call{Spec: &concordat.Spec{}}
	reply := func(out any, err error) concordat.Next {
		return func(context.Context, any) (any, error) { return out, err }
	}
	bad, good := &pb.Event{Number: new(int32(1000))}, &pb.Event{}
	if _, err := validate.Replies()(t.Context(), call, good, reply(bad, nil)); err == nil || concordat.ErrorOf(err).Code != concordat.Internal {
		t.Error(err)
	}
	if out, err := validate.Replies()(t.Context(), call, good, reply(good, nil)); err != nil || out != any(good) {
		t.Error(out, err)
	}
	own := errors.New("own")
	if _, err := validate.Replies()(t.Context(), call, good, reply(nil, own)); err != own {
		t.Error(err)
	}
	out, err := validate.Replies()(t.Context(), call, good, reply(events(1, 1000, 2), nil))
	seq, ok := out.(iter.Seq2[*pb.Event, error])
	if err != nil || !ok {
		t.Fatalf("%T %v", out, err)
	}
	n := 0
	for _, err := range seq {
		if n++; n == 2 {
			broken(t, err, "number", "int32.lt")
		}
	}
	if n != 2 {
		t.Error(n)
	}
}
