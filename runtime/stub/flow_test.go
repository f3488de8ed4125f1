package stub_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// FeedResponse is one pet or a stream of them, as the request asks.
type FeedResponse struct {
	Body   *Pet
	Events iter.Seq2[*Pet, error]
}

func feedOp(media string) *stub.Op[WatchRequest, FeedResponse] {
	return &stub.Op[WatchRequest, FeedResponse]{
		Spec:   concordat.Spec{Name: "pets.Pets/Feed", Route: "GET /feed", Idempotent: true},
		Params: watch[Pet](media, petReply).Params,
		Replies: []stub.Reply{
			{Status: 200, Media: "application/json", T: &petTable, Kind: codec.Object, Off: unsafe.Offsetof(FeedResponse{}.Body), Flag: codec.Ptr},
			{Status: 200, Media: media, T: &petTable, Kind: codec.Object, Off: unsafe.Offsetof(FeedResponse{}.Events), Items: stub.Items[Pet]{}, End: "[DONE]"},
			problemReply,
		},
	}
}

// feed answers by a stream where the request has a name, which is how the stream ends.
func feed(ctx context.Context, in *WatchRequest) (*FeedResponse, error) {
	if in.Name == nil {
		return &FeedResponse{Body: &Pet{ID: 9, Name: "one"}}, nil
	}
	return &FeedResponse{Events: func(yield func(*Pet, error) bool) {
		for i := int64(1); i <= 2 && yield(&Pet{ID: i, Name: "a"}, nil); i++ {
		}
		switch *in.Name {
		case "fail":
			yield(nil, &concordat.Error{Code: concordat.NotFound, Message: "no more", Detail: &Problem{Title: "gone"}})
		case "wait":
			<-ctx.Done()
		}
	}}, nil
}

func TestOneOrStream(t *testing.T) {
	for _, media := range []string{"text/event-stream", "application/x-ndjson"} {
		t.Run(media, func(t *testing.T) {
			op := feedOp(media)
			if err := stub.Check(op); err != nil {
				t.Fatal(err)
			}
			w := start(t, func(s *concordat.Server) { stub.Handle(s, op, feed) })
			out, err := stub.Call(t.Context(), w.conn, op, &WatchRequest{})
			if err != nil || out.Events != nil || out.Body == nil || out.Body.ID != 9 {
				t.Fatalf("%+v, %v", out, err)
			}
			if out, err = stub.Call(t.Context(), w.conn, op, &WatchRequest{Name: new("x")}); err != nil || out.Body != nil || out.Events == nil {
				t.Fatalf("%+v, %v", out, err)
			}
			pets, err := collect(out.Events)
			if err != nil || len(pets) != 2 || pets[1].ID != 2 {
				t.Errorf("%+v, %v", pets, err)
			}
			if _, err := collect(out.Events); concordat.ErrorOf(err).Code != concordat.FailedPrecondition {
				t.Errorf("ranged over again: %v", err)
			}
			status, header, body := w.raw(t, "GET", "/feed?name=x", "", "Accept", "*/*")
			if status != 200 || header.Get("Content-Type") != media || !strings.Contains(body, `{"id":2,"name":"a"}`) || strings.Contains(body, "[DONE]") != (media == "text/event-stream") {
				t.Errorf("%d %v %q", status, header, body)
			}
			if status, _, _ = w.raw(t, "GET", "/feed", "", "Accept", "text/html"); status != http.StatusNotAcceptable {
				t.Error(status)
			}
		})
	}
}

// A call that was answered by a stream ends with it: when it is at its end, fails, or is
// no longer wanted.
func TestOneOrStreamEnds(t *testing.T) {
	op := feedOp("text/event-stream")
	left := make(chan error, 1)
	w := start(t, func(s *concordat.Server) {
		stub.Handle(s, op, func(ctx context.Context, in *WatchRequest) (*FeedResponse, error) {
			out, err := feed(ctx, in)
			if err == nil && out.Events != nil {
				all := out.Events
				out.Events = func(yield func(*Pet, error) bool) { all(yield); left <- ctx.Err() }
			}
			return out, err
		})
	})
	out, err := stub.Call(t.Context(), w.conn, op, &WatchRequest{Name: new("fail")})
	if err != nil {
		t.Fatal(err)
	}
	pets, err := collect(out.Events)
	code(t, err, concordat.NotFound, 404)
	if p, ok := concordat.Detail[Problem](err); !ok || p.Title != "gone" || len(pets) != 2 {
		t.Errorf("%+v, detail %+v", pets, p)
	}
	<-left
	if out, err = stub.Call(t.Context(), w.conn, op, &WatchRequest{Name: new("wait")}); err != nil {
		t.Fatal(err)
	}
	for range out.Events {
		break
	}
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler's context: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err = stub.Call(ctx, w.conn, op, &WatchRequest{Name: new("wait")}); err != nil {
		t.Fatal(err)
	}
	cancel() // without ever ranging
	<-left
	for _, o := range w.conn.Stats() {
		for o.InFlight != 0 { // until what ends the call has run
			time.Sleep(time.Millisecond)
			o = w.conn.Stats()[0]
		}
	}
}

// The server's drain ends such a stream as any other.
func TestOneOrStreamDrains(t *testing.T) {
	op := feedOp("text/event-stream")
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithDrain(50*time.Millisecond), quiet)
	stub.Handle(s, op, feed)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	conn, err := concordat.NewConn("http://"+s.Addr(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out, err := stub.Call(t.Context(), conn, op, &WatchRequest{Name: new("wait")})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	pets, err := collect(out.Events)
	code(t, err, concordat.Unavailable, 0)
	if err := <-ended; err != nil || len(pets) != 2 {
		t.Errorf("%d pets; Run returned %v", len(pets), err)
	}
}

// HEAD of a stream is its headers, and does not run it.
func TestHeadOfStream(t *testing.T) {
	w := start(t, func(s *concordat.Server) {
		stub.Handle(s, feedOp("text/event-stream"), feed)
		stub.HandleStream(s, watch[Pet]("text/event-stream", petReply), endless)
	})
	for _, path := range []string{"/feed?name=wait", "/watch"} {
		req, _ := http.NewRequestWithContext(t.Context(), "HEAD", w.base+path, nil)
		resp, err := w.plain.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || len(b) > 0 {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
}
