package rpc_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/encoding/protowire"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// settle returns how many goroutines there are once no more of them end.
func settle(most int) int {
	for range 500 {
		if runtime.NumGoroutine() <= most {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return runtime.NumGoroutine()
}

// leaves holds that what the test does leaves no goroutine behind, once all is closed: it
// must be called first.
func leaves(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if n := settle(before); n > before {
			stacks := make([]byte, 1<<20)
			t.Errorf("%d goroutines, where there were %d:\n%s", n, before, stacks[:runtime.Stack(stacks, true)])
		}
	})
}

// flat runs f and fails if the heap that it needs at the end is much larger than before:
// with all that f allocated still counted, nothing freed meanwhile.
func flat(t *testing.T, most uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%d bytes allocated, more than %d", got, most)
	}
}

// hostileWorld is a plaintext server that knows how many requests it is working on.
type hostileWorld struct {
	base, addr string
	client     *http.Client
	busy       atomic.Int64
	ended      chan struct{} // one for each stream whose context ended
}

func (w *hostileWorld) idle(t *testing.T) {
	t.Helper()
	for range 500 {
		if w.busy.Load() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d requests are still being worked on", w.busy.Load())
}

func hostile(t *testing.T, opts ...concordat.ServerOption) *hostileWorld {
	t.Helper()
	leaves(t)
	w := &hostileWorld{ended: make(chan struct{}, 1<<16)}
	counting := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.busy.Add(1)
			defer w.busy.Add(-1)
			next.ServeHTTP(rw, r)
		})
	}
	s := concordat.NewServer(append(opts, concordat.WithPlaintext(), concordat.WithMaxBody(1<<16), concordat.WithMiddleware(counting), quiet)...)
	(&orders{
		place: func(_ context.Context, in *text) (*text, error) {
			if in.Value == "much" {
				return str(strings.Repeat("x", 1<<20)), nil
			}
			return in, nil
		},
		watch: func(ctx context.Context, _ *number) iter.Seq2[*number, error] {
			return func(yield func(*number, error) bool) {
				for yield(num(1<<60), nil) {
				}
				w.ended <- struct{}{}
			}
		},
		chat: func(_ context.Context, in iter.Seq2[*text, error]) iter.Seq2[*text, error] { return in },
		sum: func(_ context.Context, in iter.Seq2[*number, error]) (*number, error) {
			for _, err := range in {
				if err != nil {
					return nil, err
				}
			}
			return num(0), nil
		},
	}).register(s)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	wire := &http.Transport{Protocols: p}
	t.Cleanup(func() {
		wire.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	w.addr = s.Addr()
	w.base, w.client = "http://"+w.addr, &http.Client{Transport: wire}
	return w
}

// post sends a body and returns the status by the protocol's means, as text, and that of
// HTTP.
func (w *hostileWorld) post(t *testing.T, path string, body io.Reader, header ...string) (status string, code int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Header.Get("Grpc-Status") + resp.Trailer.Get("Grpc-Status") + string(data), resp.StatusCode
}

func frame(flags byte, says uint32, data []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flags}, says), data...)
}

// bomb is a message of n zeros, compressed.
func bomb(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	head := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.BytesType), uint64(n))
	for _, part := range [][]byte{head, make([]byte, n)} {
		if _, err := z.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHostileBodies(t *testing.T) {
	w := hostile(t)
	zeros := bomb(t, 64<<20)
	good := frame(0, 3, []byte("\x0a\x01x"))
	endStream := frame(0x80, 0, nil)
	for _, c := range []struct {
		name, path, want string // part of the reply
		code             int
		body             []byte
		header           []string
	}{
		{"grpc, a message that says 4 GiB", place.Route, "8", 200, frame(0, 1<<32-1, []byte("x")), []string{"Content-Type", "application/grpc"}},
		{"grpc, a bomb", place.Route, "8", 200, frame(1, uint32(len(zeros)), zeros), []string{"Content-Type", "application/grpc", "Grpc-Encoding", "gzip"}},
		{"grpc stream, a bomb", chat.Route, "8", 200, frame(1, uint32(len(zeros)), zeros), []string{"Content-Type", "application/grpc", "Grpc-Encoding", "gzip"}},
		{"grpc, no gzip", place.Route, "3", 200, frame(1, 4, []byte("good")), []string{"Content-Type", "application/grpc", "Grpc-Encoding", "gzip"}},
		{"grpc, compressed by nothing", place.Route, "13", 200, frame(1, 4, []byte("good")), []string{"Content-Type", "application/grpc"}},
		{"grpc, unknown compression", place.Route, "12", 200, good, []string{"Content-Type", "application/grpc", "Grpc-Encoding", "lzma"}},
		{"grpc, cut in the message", place.Route, "13", 200, frame(0, 100, []byte("x")), []string{"Content-Type", "application/grpc"}},
		{"grpc, cut in the prefix", place.Route, "13", 200, []byte{0, 0}, []string{"Content-Type", "application/grpc"}},
		{"grpc stream, cut", sum.Route, "13", 200, frame(0, 100, []byte("x")), []string{"Content-Type", "application/grpc"}},
		{"grpc, nothing", place.Route, "12", 200, nil, []string{"Content-Type", "application/grpc"}},
		{"grpc, two messages", place.Route, "12", 200, append(bytes.Clone(good), good...), []string{"Content-Type", "application/grpc"}},
		{"grpc, no Protobuf", place.Route, "3", 200, frame(0, 3, []byte("\xff\xff\xff")), []string{"Content-Type", "application/grpc"}},
		{"grpc, no UTF-8", place.Route, "3", 200, frame(0, 3, []byte("\x0a\x01\xff")), []string{"Content-Type", "application/grpc"}},
		{"grpc, a timeout that is none", place.Route, "3", 200, good, []string{"Content-Type", "application/grpc", "Grpc-Timeout", "soon"}},
		{"grpc-web, trailers in the request", place.Route, "", 200, append(bytes.Clone(good), endStream...), []string{"Content-Type", "application/grpc-web"}},
		{"connect, a bomb", place.Route, "resource_exhausted", 429, zeros, []string{"Content-Type", "application/proto", "Content-Encoding", "gzip"}},
		{"connect, large", place.Route, "resource_exhausted", 429, make([]byte, 1<<17), []string{"Content-Type", "application/proto"}},
		{"connect stream, a bomb", chat.Route, "resource_exhausted", 200, frame(1, uint32(len(zeros)), zeros), []string{"Content-Type", "application/connect+proto", "Connect-Content-Encoding", "gzip"}},
		{"connect, no JSON", place.Route, "invalid_argument", 400, []byte("{"), []string{"Content-Type", "application/json"}},
		{"connect, deep JSON", place.Route, "invalid_argument", 400, bytes.Repeat([]byte("["), 60_000), []string{"Content-Type", "application/json"}},
		{"connect, unknown compression", place.Route, "unimplemented", 501, []byte("{}"), []string{"Content-Type", "application/json", "Content-Encoding", "lzma"}},
		{"text", place.Route, "", 415, []byte("x"), []string{"Content-Type", "text/plain"}},
		{"no type", place.Route, "", 415, []byte("x"), nil},
		{"an unknown codec", place.Route, "", 415, []byte("x"), []string{"Content-Type", "application/grpc+xml"}},
		{"a stream's type for one message", place.Route, "", 415, []byte("x"), []string{"Content-Type", "application/connect+proto"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			flat(t, 8<<20, func() {
				if got, code := w.post(t, c.path, bytes.NewReader(c.body), c.header...); code != c.code || !strings.Contains(got, c.want) || c.code == 200 && len(c.want) < 3 && c.want != "" && got != c.want {
					t.Errorf("%d %q, want %d %q", code, got, c.code, c.want)
				}
			})
		})
	}
	w.idle(t)
}

// A body that never ends keeps a call for as long as its deadline, and no longer.
func TestHostileTrickle(t *testing.T) {
	w := hostile(t, concordat.WithTimeout(100*time.Millisecond))
	for name, c := range map[string]struct {
		want   string
		code   int
		header []string
	}{
		"grpc":                  {"4", 200, []string{"Content-Type", "application/grpc"}},
		"grpc, its own timeout": {"4", 200, []string{"Content-Type", "application/grpc", "Grpc-Timeout", "50m"}},
		"connect":               {"deadline_exceeded", 504, []string{"Content-Type", "application/proto"}},
	} {
		r, more := io.Pipe()
		go func() { _, _ = more.Write([]byte{0, 0}) }()
		if got, code := w.post(t, place.Route, r, c.header...); code != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %q", name, code, got)
		}
		more.Close()
		w.idle(t)
	}
}

// A rude client speaks HTTP/2 by hand.
type rude struct {
	net.Conn
	f     *http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
}

func beRude(t *testing.T, addr string, settings ...http2.Setting) *rude {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r := &rude{Conn: conn, f: http2.NewFramer(conn, conn)}
	r.enc = hpack.NewEncoder(&r.block)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := r.f.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	return r
}

// ask begins a gRPC call.
func (r *rude) ask(id uint32, path string) error {
	r.block.Reset()
	for _, h := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", path}, {"content-type", "application/grpc"}, {"te", "trailers"}} {
		_ = r.enc.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	return r.f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: r.block.Bytes(), EndHeaders: true})
}

func TestHostileRSTFlood(t *testing.T) {
	w := hostile(t)
	r := beRude(t, w.addr)
	go func() { _, _ = io.Copy(io.Discard, r.Conn) }()
	var err error
	for i := uint32(0); i < 5_000 && err == nil; i++ {
		if err = r.ask(2*i+1, watch.Route); err == nil {
			if err = r.f.WriteData(2*i+1, true, frame(0, 0, nil)); err == nil {
				err = r.f.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
			}
		}
	}
	t.Logf("the server ended the connection: %v", err)
	if got, code := w.post(t, place.Route, bytes.NewReader(frame(0, 0, nil)), "Content-Type", "application/grpc"); code != 200 || !strings.HasPrefix(got, "0") {
		t.Errorf("somebody else: %d %q", code, got)
	}
	r.Close()
	w.idle(t)
}

// Who does not read keeps a stream waiting, which needs little memory, and ends with its
// connection; a reply that nobody reads ends with its deadline.
func TestHostileStalledReader(t *testing.T) {
	w := hostile(t, concordat.WithTimeout(100*time.Millisecond))
	r := beRude(t, w.addr, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	const streams = 100
	flat(t, 32<<20, func() {
		for i := range uint32(streams) {
			if err := r.ask(2*i+1, watch.Route); err != nil {
				t.Fatal(err)
			}
			if err := r.f.WriteData(2*i+1, true, frame(0, 0, nil)); err != nil {
				t.Fatal(err)
			}
		}
		for w.busy.Load() < streams {
			time.Sleep(time.Millisecond)
		}
	})
	r.Close()
	for range streams {
		<-w.ended
	}
	w.idle(t)

	r = beRude(t, w.addr, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	if err := r.ask(1, place.Route); err != nil {
		t.Fatal(err)
	}
	if err := r.f.WriteData(1, true, frame(0, 6, []byte("\x0a\x04much"))); err != nil {
		t.Fatal(err)
	}
	for {
		f, err := r.f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if rst, ok := f.(*http2.RSTStreamFrame); ok {
			t.Logf("ended by %v", rst.ErrCode)
			break
		}
	}
	w.idle(t)
}
