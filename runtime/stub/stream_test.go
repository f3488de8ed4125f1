package stub_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// A PetEvent is a whole server-sent event.
type PetEvent struct {
	Data  Pet
	Event string
	ID    *string
	Retry *int64
}

var petEventTable = codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(PetEvent{}), Go: (*PetEvent)(nil), Required: 2, Fields: []codec.Field{
	{Key: `,"data":`, Kind: codec.Object, T: &petTable, Off: unsafe.Offsetof(PetEvent{}.Data), Flag: codec.Req},
	{Key: `,"event":`, Kind: codec.String, Off: unsafe.Offsetof(PetEvent{}.Event), Flag: codec.Req},
	{Key: `,"id":`, Kind: codec.String, Off: unsafe.Offsetof(PetEvent{}.ID), Flag: codec.Ptr},
	{Key: `,"retry":`, Kind: codec.Int64, Off: unsafe.Offsetof(PetEvent{}.Retry), Flag: codec.Ptr},
}}

// A TextItem is an item that is no object.
type TextItem struct{ Value string }

type WatchRequest struct{ Name *string }

func watch[Out any](media string, r stub.Reply) *stub.Op[WatchRequest, Out] {
	r.Status, r.Media = 200, media
	return &stub.Op[WatchRequest, Out]{
		Spec:    concordat.Spec{Name: "pets.Pets/Watch", Route: "GET /watch", Idempotent: true, Kind: concordat.ServerStream},
		Params:  []stub.Param{{Name: "name", In: stub.Query, Explode: true, Off: unsafe.Offsetof(WatchRequest{}.Name), Flag: codec.Ptr}},
		Replies: []stub.Reply{r, problemReply},
	}
}

var petReply = stub.Reply{T: &petTable, Kind: codec.Object}

// seqOf yields items, and then err if there is one.
func seqOf[T any](items []T, err error) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for i := range items {
			if !yield(&items[i], nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func collect[T any](seq iter.Seq2[*T, error]) (all []T, err error) {
	for item, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, *item)
	}
	return all, nil
}

var streamMedia = []string{"text/event-stream", "application/jsonl", "application/x-ndjson", "application/json-seq"}

func TestStreams(t *testing.T) {
	pets := []Pet{{ID: 1, Name: "Rex"}, {ID: 2, Name: "a\nb", Tag: new("\r\n")}, {ID: 3, Name: "Ünal"}}
	for _, media := range streamMedia {
		t.Run(media, func(t *testing.T) {
			op := watch[Pet](media, petReply)
			w := start(t, func(s *concordat.Server) {
				stub.HandleStream(s, op, func(_ context.Context, in *WatchRequest) iter.Seq2[*Pet, error] { return seqOf(pets, nil) })
			})
			seq := stub.Stream(t.Context(), w.conn, op, &WatchRequest{Name: new("x")})
			got, err := collect(seq)
			if err != nil || fmt.Sprint(len(got), got[1].Name, *got[1].Tag, got[2].Name) != fmt.Sprint(3, "a\nb", "\r\n", "Ünal") {
				t.Fatalf("%+v, %v", got, err)
			}
			if _, err := collect(seq); concordat.ErrorOf(err).Code != concordat.FailedPrecondition {
				t.Errorf("ranged over again: %v", err)
			}
			status, header, body := w.raw(t, "GET", "/watch", "")
			if status != 200 || header.Get("Content-Type") != media || !strings.Contains(body, `{"id":1,"name":"Rex"}`) {
				t.Errorf("%d %v %q", status, header, body)
			}
		})
	}
}

func TestWholeEvents(t *testing.T) {
	op := watch[PetEvent]("text/event-stream", stub.Reply{T: &petEventTable, Kind: codec.Object, Events: true})
	sent := []PetEvent{{Data: Pet{ID: 1, Name: "a"}, Event: "born", ID: new("7")}, {Data: Pet{ID: 2, Name: "b"}, Event: "message", Retry: new(int64(50))}}
	w := start(t, func(s *concordat.Server) {
		stub.HandleStream(s, op, func(context.Context, *WatchRequest) iter.Seq2[*PetEvent, error] { return seqOf(sent, nil) })
	})
	got, err := collect(stub.Stream(t.Context(), w.conn, op, nil))
	if err != nil || len(got) != 2 || got[0].Event != "born" || *got[0].ID != "7" || got[0].Retry != nil || got[1].ID != nil || *got[1].Retry != 50 || got[1].Data.Name != "b" {
		t.Errorf("%+v, %v", got, err)
	}
	const want = "event: born\nid: 7\ndata: {\"id\":1,\"name\":\"a\"}\n\nevent: message\nretry: 50\ndata: {\"id\":2,\"name\":\"b\"}\n\n"
	if _, _, body := w.raw(t, "GET", "/watch", ""); body != want {
		t.Errorf("on the wire: %q", body)
	}
}

func TestStreamOfText(t *testing.T) {
	op := watch[TextItem]("text/event-stream", stub.Reply{Off: unsafe.Offsetof(TextItem{}.Value), End: "[DONE]"})
	w := start(t, func(s *concordat.Server) {
		stub.HandleStream(s, op, func(context.Context, *WatchRequest) iter.Seq2[*TextItem, error] {
			return seqOf([]TextItem{{"a"}, {""}, {"{"}}, nil)
		})
	})
	got, err := collect(stub.Stream(t.Context(), w.conn, op, nil))
	if err != nil || !slices.Equal(got, []TextItem{{"a"}, {""}, {"{"}}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, _, body := w.raw(t, "GET", "/watch", ""); body != "data: a\n\ndata: \n\ndata: {\n\ndata: [DONE]\n\n" {
		t.Errorf("on the wire: %q", body)
	}
}

// A stream that fails before its first item fails as a call does, later by an event, or by
// breaking off.
func TestStreamFails(t *testing.T) {
	for _, media := range streamMedia {
		t.Run(media, func(t *testing.T) {
			op := watch[Pet](media, petReply)
			var items []Pet
			var failure error
			w := start(t, func(s *concordat.Server) {
				stub.HandleStream(s, op, func(context.Context, *WatchRequest) iter.Seq2[*Pet, error] {
					if failure == nil {
						return func(yield func(*Pet, error) bool) { yield(nil, nil) }
					}
					return seqOf(items, failure)
				})
			})
			failure = &concordat.Error{Code: concordat.NotFound, Message: "no such pet", Detail: &Problem{Title: "gone"}}
			_, err := collect(stub.Stream(t.Context(), w.conn, op, nil))
			e := code(t, err, concordat.NotFound, 404)
			if p, ok := concordat.Detail[Problem](err); !ok || p.Title != "gone" {
				t.Errorf("detail %+v of %v", p, e)
			}
			items = []Pet{{ID: 1, Name: "Rex"}}
			got, err := collect(stub.Stream(t.Context(), w.conn, op, nil))
			want, status := concordat.Unavailable, 0
			if media == "text/event-stream" {
				want, status = concordat.NotFound, 404
				if p, ok := concordat.Detail[Problem](err); !ok || p.Title != "gone" {
					t.Errorf("detail %+v of %v", p, err)
				}
			}
			code(t, err, want, status)
			if len(got) != 1 {
				t.Errorf("got %+v before it failed", got)
			}
			failure = errors.New("secret")
			if _, err = collect(stub.Stream(t.Context(), w.conn, op, nil)); err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("an error of the program's own: %v", err)
			}
			failure = nil
			_, err = collect(stub.Stream(t.Context(), w.conn, op, nil))
			code(t, err, concordat.Internal, 500) // neither an item nor an error
		})
	}
}

func TestStreamPanics(t *testing.T) {
	op := watch[Pet]("text/event-stream", petReply)
	w := start(t, func(s *concordat.Server) {
		stub.HandleStream(s, op, func(context.Context, *WatchRequest) iter.Seq2[*Pet, error] {
			return func(yield func(*Pet, error) bool) {
				if yield(&Pet{ID: 1, Name: "a"}, nil) {
					panic("oops")
				}
			}
		})
	})
	got, err := collect(stub.Stream(t.Context(), w.conn, op, nil))
	code(t, err, concordat.Internal, 500)
	if len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

// Headers are there before the first item, and breaking out ends the handler's context.
func TestStreamIsLive(t *testing.T) {
	op := watch[Pet]("text/event-stream", petReply)
	ended := make(chan error, 2)
	var more chan struct{}
	w := start(t, func(s *concordat.Server) {
		stub.HandleStream(s, op, func(ctx context.Context, _ *WatchRequest) iter.Seq2[*Pet, error] {
			return func(yield func(*Pet, error) bool) {
				select {
				case <-more:
					yield(&Pet{ID: 1, Name: "a"}, nil)
				case <-ctx.Done():
				}
				<-ctx.Done()
				ended <- ctx.Err()
			}
		})
	})
	more = make(chan struct{})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", w.base+"/watch", nil)
	resp, err := w.plain.Do(req) // returns though there is no item
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(err)
	}
	resp.Body.Close()
	<-ended
	close(more)
	for _, err := range stub.Stream(t.Context(), w.conn, op, nil) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestHeartbeat(t *testing.T) {
	op := watch[Pet]("text/event-stream", petReply)
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithHeartbeat(time.Millisecond), quiet)
	beaten := make(chan struct{})
	stub.HandleStream(s, op, func(context.Context, *WatchRequest) iter.Seq2[*Pet, error] {
		return func(yield func(*Pet, error) bool) {
			if yield(&Pet{ID: 1, Name: "a"}, nil) {
				<-beaten
			}
		}
	})
	run(t, s)
	resp, err := http.Get("http://" + s.Addr() + "/watch")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for beats := 0; beats < 3 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), ":") {
			beats++
		}
	}
	close(beaten)
}

// A writer is a server of events that is none of ours.
func writer(t *testing.T, h http.HandlerFunc, opts ...concordat.ConnOption) *concordat.Conn {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	conn, err := concordat.NewConn(s.URL, append(opts, concordat.WithMaxBody(200), quiet)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestForeignStreams(t *testing.T) {
	const a, b = `{"id":1,"name":"a"}`, `{"id":2,"name":"b"}`
	for _, c := range []struct {
		name, media, body string
		want              int
		code              concordat.Code
	}{
		{"mark, CR, comments, unknown fields", "text/event-stream", "\ufeff: hi\rdata: " + a + "\r\rfoo: bar\rdata:" + b + "\r\r", 2, 0},
		{"charset", "text/event-stream; charset=utf-8", "data: " + a + "\r\n\r\n", 1, 0},
		{"JSON over lines", "text/event-stream", "data: {\"id\":1,\ndata: \"name\":\"a\"}\n\n", 1, 0},
		{"cut off event", "text/event-stream", "data: " + a + "\n\ndata: " + b, 1, 0},
		{"sentinel", "text/event-stream", "data: " + a + "\n\ndata: [DONE]\n\ndata: x\n\n", 1, 0},
		{"no JSON", "text/event-stream", "data: " + a + "\n\ndata: x\n\n", 1, concordat.Internal},
		{"too long", "text/event-stream", "data: " + a + "\n\ndata: " + strings.Repeat("x", 300) + "\n\n", 1, concordat.ResourceExhausted},
		{"a problem", "text/event-stream", "data: " + a + "\n\nevent: error\ndata: {\"title\":\"no\",\"status\":429}\n\n", 1, concordat.ResourceExhausted},
		{"an event that is named error, but is a pet", "text/event-stream", "event: error\ndata: " + a + "\n\n", 1, 0},
		{"lines, blank ones, no last end", "application/x-ndjson", a + "\r\n\n\n" + b, 2, 0},
		{"a line too long", "application/jsonl", a + "\n" + strings.Repeat("x", 5000) + "\n", 1, concordat.ResourceExhausted},
		{"a broken line", "application/jsonl", a + "\n{\"id\":\n", 1, concordat.Internal},
		{"records over lines", "application/json-seq", "\x1e{\"id\":1,\n\"name\":\"a\"}\n\x1e" + b + "\n", 2, 0},
		{"a record cut off", "application/json-seq", "\x1e" + a + "\n\x1e{\"id\":\n\x1e" + b + "\n", 1, concordat.Internal},
		{"a page", "text/html", "<html>", 0, concordat.Internal},
		{"nothing", "text/event-stream", "", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := writer(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", c.media)
				for i := range len(c.body) { // each byte a packet of its own
					io.WriteString(w, c.body[i:i+1])
					if i < 60 {
						http.NewResponseController(w).Flush()
					}
				}
			})
			media, _, _ := strings.Cut(c.media, ";")
			if media == "text/html" {
				media = "text/event-stream"
			}
			reply := petReply
			reply.End = "[DONE]"
			got, err := collect(stub.Stream(t.Context(), conn, watch[Pet](media, reply), nil))
			if len(got) != c.want || concordat.ErrorOf(err) != nil && concordat.ErrorOf(err).Code != c.code || err == nil && c.code != 0 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestReconnects(t *testing.T) {
	var calls atomic.Int32
	var last []string
	serve := func(w http.ResponseWriter, r *http.Request) {
		last = append(last, r.Header.Get("Last-Event-ID"))
		n := calls.Add(1)
		if n == 4 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if n == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "retry: 0\nid: %d\ndata: {\"id\":%d,\"name\":\"a\"}\n\ndata: half", n, n)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	op := watch[Pet]("text/event-stream", petReply)
	got, err := collect(stub.Stream(t.Context(), writer(t, serve, concordat.WithReconnects(2), concordat.WithRetries(0)), op, nil))
	if err != nil || len(got) != 2 || got[1].ID != 3 || !slices.Equal(last, []string{"", "1", "1", "3"}) {
		t.Errorf("%+v, %v; asked for %q", got, err, last)
	}
	calls.Store(10)
	got, err = collect(stub.Stream(t.Context(), writer(t, serve), op, nil))
	code(t, err, concordat.Unavailable, 0)
	if len(got) != 1 || calls.Load() != 11 {
		t.Errorf("without the option: %+v after %d calls", got, calls.Load())
	}
	op.Idempotent = false
	if _, err = collect(stub.Stream(t.Context(), writer(t, serve, concordat.WithReconnects(2)), op, nil)); err == nil || calls.Load() != 12 {
		t.Errorf("not idempotent: %v after %d calls", err, calls.Load())
	}
}

type ImportRequest struct {
	Name *string
	Body iter.Seq2[*Pet, error]
}

func importOp(kind concordat.Kind, reply stub.Reply) *stub.Op[ImportRequest, Pet] {
	return &stub.Op[ImportRequest, Pet]{
		Spec:    concordat.Spec{Name: "pets.Pets/Import", Route: "POST /import", Kind: kind},
		Params:  []stub.Param{{Name: "name", In: stub.Query, Explode: true, Off: unsafe.Offsetof(ImportRequest{}.Name), Flag: codec.Ptr}},
		Bodies:  []stub.Body{{Media: "application/x-ndjson", T: &petTable, Kind: codec.Object, Off: unsafe.Offsetof(ImportRequest{}.Body), Flag: codec.Req, Items: stub.Items[Pet]{}}},
		Replies: []stub.Reply{reply},
	}
}

func TestClientStreams(t *testing.T) {
	op := importOp(concordat.ClientStream, stub.Reply{Status: 200, Media: "application/json", T: &petTable, Kind: codec.Object})
	if err := stub.Check(op); err != nil {
		t.Error(err)
	}
	w := start(t, func(s *concordat.Server) {
		stub.Handle(s, op, func(_ context.Context, in *ImportRequest) (*Pet, error) {
			all, err := collect(in.Body)
			return &Pet{ID: int64(len(all)), Name: *in.Name}, err
		})
	})
	const many = 5000 // more bytes than one body may have
	_, err := stub.Call(t.Context(), w.conn, op, &ImportRequest{Name: new("x"), Body: seqOf(make([]Pet, many), nil)})
	code(t, err, concordat.InvalidArgument, 422) // their names are empty
	pets := slices.Repeat([]Pet{{ID: 1, Name: "0123456789"}}, many)
	if out, err := stub.Call(t.Context(), w.conn, op, &ImportRequest{Name: new("x"), Body: seqOf(pets, nil)}); err != nil || out.ID != many {
		t.Errorf("%+v, %v", out, err)
	}
	mine := errors.New("the file is broken")
	if _, err = stub.Call(t.Context(), w.conn, op, &ImportRequest{Name: new("x"), Body: seqOf(pets[:3], mine)}); !errors.Is(err, mine) {
		t.Errorf("the caller's own error became %v", err)
	}
	for body, want := range map[string]int{"{\"id\":1,\"name\":\"a\"}\n\n{\"id\":2,\"name\":\"b\"}": 200, "{\"id\":1,\"name\":\"\"}\n": 422, "x\n": 400, strings.Repeat("x", 1<<17): 429} {
		if status, _, text := w.raw(t, "POST", "/import?name=x", body, "Content-Type", "application/x-ndjson"); status != want {
			t.Errorf("%.20q: %d %s", body, status, text)
		}
	}
}

func TestBidi(t *testing.T) {
	op := importOp(concordat.Bidi, stub.Reply{Status: 200, Media: "application/jsonl", T: &petTable, Kind: codec.Object})
	w := start(t, func(s *concordat.Server) {
		stub.HandleStream(s, op, func(_ context.Context, in *ImportRequest) iter.Seq2[*Pet, error] { return in.Body })
	})
	echoed := make(chan *Pet)
	n := int64(0)
	for pet, err := range stub.Stream(t.Context(), w.conn, op, &ImportRequest{Body: func(yield func(*Pet, error) bool) {
		for i := int64(1); i <= 3 && yield(&Pet{ID: i, Name: "a"}, nil); i++ {
			<-echoed // each waits for the one before to come back
		}
	}}) {
		if err != nil {
			t.Fatal(err)
		}
		n = pet.ID
		echoed <- pet
	}
	if n != 3 {
		t.Errorf("%d came back", n)
	}
}
