package stub_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// endless yields one pet, and then nothing for as long as the client likes.
func endless(ctx context.Context, _ *WatchRequest) iter.Seq2[*Pet, error] {
	return func(yield func(*Pet, error) bool) {
		if yield(&Pet{ID: 1, Name: "a"}, nil) {
			<-ctx.Done()
		}
	}
}

// Streams that would never end do not hold up a shutdown, and their clients know that it
// was one. The drain time is longer than any test may take.
func TestDrainEndsStreams(t *testing.T) {
	for _, media := range streamMedia {
		for _, version := range []string{"http/1.1", "h2c"} {
			t.Run(media+" "+version, func(t *testing.T) {
				op := watch[Pet](media, petReply)
				s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithDrain(100*time.Millisecond), quiet)
				causes := make(chan error, 1)
				stub.HandleStream(s, op, func(ctx context.Context, in *WatchRequest) iter.Seq2[*Pet, error] {
					return func(yield func(*Pet, error) bool) {
						endless(ctx, in)(yield)
						causes <- context.Cause(ctx)
					}
				})
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				ended := make(chan error, 1)
				go func() { ended <- s.Run(ctx) }()
				<-s.Ready()
				opts := []concordat.ConnOption{quiet}
				if version == "http/1.1" {
					opts = append(opts, concordat.WithHTTP(concordat.HTTP1))
				}
				conn, err := concordat.NewConn("http://"+s.Addr(), opts...)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				var got error
				n := 0
				for _, err := range stub.Stream(t.Context(), conn, op, nil) {
					if n++; err == nil {
						stop()
					}
					got = err
				}
				code(t, got, concordat.Unavailable, 0)
				if media == "text/event-stream" && !strings.Contains(got.Error(), "open the stream again") {
					t.Errorf("the client is told %v", got)
				}
				if err := <-ended; n != 2 || err != nil {
					t.Errorf("%d items; Run returned %v", n, err)
				}
				if err := <-causes; !errors.Is(err, concordat.ErrDraining) {
					t.Errorf("the handler's context ended by %v", err)
				}
			})
		}
	}
}

// A client that may open a stream again does so when its server shuts down.
func TestStreamMovesToAnotherServer(t *testing.T) {
	op := watch[Pet]("text/event-stream", petReply)
	asked := make(chan func() error, 2)
	serve := func() string {
		s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithDrain(50*time.Millisecond), quiet)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		stub.HandleStream(s, op, func(ctx context.Context, in *WatchRequest) iter.Seq2[*Pet, error] {
			asked <- func() error { stop(); return <-ended }
			return endless(ctx, in)
		})
		go func() { ended <- s.Run(ctx) }()
		<-s.Ready()
		return s.Addr()
	}
	conn, err := concordat.NewConn("static:"+serve()+","+serve(), concordat.WithPlaintext(), concordat.WithReconnects(5), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n, first := 0, make(chan error, 1)
	for _, err := range stub.Stream(t.Context(), conn, op, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break
		}
		stop := <-asked
		go func() { first <- stop() }()
	}
	if err := <-first; n != 2 || err != nil {
		t.Errorf("%d items; the first server: %v", n, err)
	}
	if err := (<-asked)(); err != nil {
		t.Errorf("the second server: %v", err)
	}
}

// A client that does not read does not keep the handler of a stream.
func TestStalledReader(t *testing.T) {
	op := watch[TextItem]("application/jsonl", stub.Reply{})
	download := &stub.Op[WatchRequest, EchoResponse]{
		Spec:    concordat.Spec{Name: "pets.Pets/Download", Route: "GET /download", Idempotent: true},
		Replies: []stub.Reply{echo.Replies[0]},
	}
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithWriteTimeout(20*time.Millisecond), quiet)
	ended := make(chan bool, 1)
	stub.HandleStream(s, op, func(ctx context.Context, _ *WatchRequest) iter.Seq2[*TextItem, error] {
		return func(yield func(*TextItem, error) bool) {
			for item := (&TextItem{strings.Repeat("x", 1<<20)}); yield(item, nil); {
			}
			ended <- true
		}
	})
	stub.Handle(s, download, func(context.Context, *WatchRequest) (*EchoResponse, error) {
		return &EchoResponse{Body: endlessBody{ended}}, nil
	})
	run(t, s)
	for _, path := range []string{"/watch", "/download"} {
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-ended // and nothing is ever read

		p := new(http.Protocols)
		p.SetUnencryptedHTTP2(true)
		resp, err := (&http.Client{Transport: &http.Transport{Protocols: p}}).Get("http://" + s.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		<-ended
		resp.Body.Close()
	}
}

// A reader that pauses for longer than a write may take is no stalled one.
func TestPausesAreNoStalls(t *testing.T) {
	op := watch[Pet]("text/event-stream", petReply)
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithWriteTimeout(time.Millisecond), quiet)
	next := make(chan bool)
	stub.HandleStream(s, op, func(ctx context.Context, _ *WatchRequest) iter.Seq2[*Pet, error] {
		return func(yield func(*Pet, error) bool) {
			for i := int64(1); i <= 3 && yield(&Pet{ID: i, Name: "a"}, nil); i++ {
				<-next
			}
		}
	})
	run(t, s)
	conn, err := concordat.NewConn("http://"+s.Addr(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n := 0
	for _, err := range stub.Stream(t.Context(), conn, op, nil) {
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // ten times what one write may take
		n++
		next <- true
	}
	if n != 3 {
		t.Errorf("%d items", n)
	}
}

// An endlessBody says when it is closed.
type endlessBody struct{ closed chan<- bool }

func (endlessBody) Read(b []byte) (int, error) { return len(b), nil }

func (e endlessBody) Close() error {
	e.closed <- true
	return nil
}
