package sse_test

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/concordat-dev/concordat/runtime/internal/sse"
)

// read returns all events of a stream as text.
func read(t *testing.T, r *sse.Reader) []string {
	t.Helper()
	var out []string
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Name+"|"+e.ID+"|"+string(e.Data))
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		want         []string
	}{
		{"one", "data: a\n\n", []string{"||a"}},
		{"no space", "data:a\n\n", []string{"||a"}},
		{"two spaces", "data:  a\n\n", []string{"|| a"}},
		{"lines", "data: a\ndata\ndata: b\n\n", []string{"||a\n\nb"}},
		{"crlf", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", []string{"||a\nb", "||c"}},
		{"cr", "data: a\rdata: b\r\rdata: c\r\r", []string{"||a\nb", "||c"}},
		{"mixed", "data: a\r\ndata: b\n\rdata: c\r\n\n", []string{"||a\nb", "||c"}},
		{"byte order mark", "\ufeffdata: a\n\n", []string{"||a"}},
		{"a second mark belongs to the name", "\ufeff\ufeffdata: a\n\n", nil},
		{"comments", ": hello\n:\n\ndata: a\n: there\n\n", []string{"||a"}},
		{"name", "event: add\ndata: 1\n\ndata: 2\n\n", []string{"add||1", "||2"}},
		{"a name without data", "event: add\n\ndata: 2\n\n", []string{"||2"}},
		{"ids stay", "id: 7\ndata: 1\n\ndata: 2\n\nid\ndata: 3\n\n", []string{"|7|1", "|7|2", "||3"}},
		{"an id without data counts", "id: 7\n\ndata: 2\n\n", []string{"|7|2"}},
		{"an id with zero is none", "id: 7\ndata: 1\n\nid: 8\x00\ndata: 2\n\n", []string{"|7|1", "|7|2"}},
		{"empty data", "data\n\ndata:\n\ndata\ndata\n\n", []string{"||", "||", "||\n"}},
		{"unknown fields", "date: x\n data: y\ndata: a\n\n", []string{"||a"}},
		{"cut off", "data: a\n\ndata: b\n", []string{"||a"}},
		{"cut off in a line", "data: a\n\ndata: b", []string{"||a"}},
		{"nothing", "", nil},
		{"only a mark", "\ufeff", nil},
		{"half a mark", "\xef\xbb", nil},
		{"colons", "data: a:b: c\n\n", []string{"||a:b: c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := read(t, sse.NewReader(strings.NewReader(c.stream), 100)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			slow := iotest.OneByteReader(strings.NewReader(c.stream))
			if got := read(t, sse.NewReader(slow, 100)); !slices.Equal(got, c.want) {
				t.Errorf("byte by byte: got %q, want %q", got, c.want)
			}
		})
	}
}

// An event is there as soon as its blank line is, even if that ends in a CR, whose LF may
// come much later.
func TestNextDoesNotWait(t *testing.T) {
	r, w := io.Pipe()
	events := sse.NewReader(r, 100)
	for range 3 {
		go w.Write([]byte("data: a\r\r"))
		if e, err := events.Next(); err != nil || string(e.Data) != "a" {
			t.Fatal(e, err)
		}
	}
	w.Close()
}

func TestRetry(t *testing.T) {
	r := sse.NewReader(strings.NewReader("retry: 1500\nretry: 2s\nretry: -1\ndata: a\n\nretry: 99999999999999999999\ndata\n\nretry\ndata\n\nretry: 0\ndata\n\n"), 100)
	if r.Retry() >= 0 {
		t.Error("a wait that nobody named")
	}
	for _, want := range []int64{1500, math.MaxInt64, -1, 0} {
		if e, err := r.Next(); err != nil || e.Retry != want {
			t.Errorf("%v, %v, want %v", e.Retry, err, want)
		}
		if want == math.MaxInt64 && r.Retry() != 24*time.Hour {
			t.Errorf("to wait for %v", r.Retry())
		}
	}
}

func TestLimit(t *testing.T) {
	long := strings.Repeat("x", 60)
	for _, stream := range []string{"data: " + long + long + "\n\n", "data: " + long + "\ndata: " + long + "\n\n", ":" + long + long + long} {
		if _, err := sse.NewReader(strings.NewReader(stream), 100).Next(); !errors.Is(err, sse.ErrTooLong) {
			t.Errorf("%.10q…: %v", stream, err)
		}
	}
}

func TestAppendAndBack(t *testing.T) {
	for _, data := range []string{"", "a", "a\nb", "a\r\nb", "a\rb\n", "\n", ": no comment", "data: x", "ü\x00"} {
		b := sse.Append(nil, "name", new("id"), 2000, []byte(data))
		e, err := sse.NewReader(strings.NewReader(string(b)), 100).Next()
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(data)
		if err != nil || string(e.Data) != want || e.Name != "name" || e.ID != "id" || e.Retry != 2000 {
			t.Errorf("%q became %q: %+v, %v", data, b, e, err)
		}
	}
	if sse.Fits("na\nme") || sse.Fits("i\rd") || sse.Fits("\x00") || !sse.Fits("a: b") {
		t.Error("what fits on a line")
	}
	if got := string(sse.Append([]byte(sse.Comment), "", nil, -1, []byte("x"))); got != ":\n\ndata: x\n\n" {
		t.Errorf("%q", got)
	}
}

func FuzzNext(f *testing.F) {
	f.Add([]byte("\ufeffid: 1\r\nevent: e\rdata: a\ndata: b\n\n: c\n\nretry: 5\ndata\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, slow := sse.NewReader(strings.NewReader(string(stream)), 1000), sse.NewReader(iotest.OneByteReader(strings.NewReader(string(stream))), 1000)
		for {
			a, err := whole.Next()
			b, again := slow.Next()
			if (err == nil) != (again == nil) || a.ID != b.ID || a.Name != b.Name || string(a.Data) != string(b.Data) {
				t.Fatalf("%+v %v differs from %+v %v byte by byte", a, err, b, again)
			}
			if err != nil {
				return
			}
		}
	})
}
