package http_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
	hooks "github.com/concordat-dev/concordat/runtime/broker/http"
)

// follow opens a feed, and returns what reads the next event's ID and data.
func follow(t *testing.T, url, last string) (next func() (id, data string), leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", last)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %s", resp.Status, resp.Header)
	}
	leave = func() { cancel(); resp.Body.Close() }
	t.Cleanup(leave)
	lines := bufio.NewScanner(resp.Body)
	return func() (id, data string) {
		for lines.Scan() {
			line := lines.Text()
			switch {
			case strings.HasPrefix(line, "id: "):
				id = line[4:]
			case strings.HasPrefix(line, "data: "):
				data += line[6:]
			case line == "" && id != "":
				return id, data
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return
	}, leave
}

// Who follows gets what is published to its address from then on; who comes back gets what
// it missed, as far as that is kept.
func TestFeed(t *testing.T) {
	b := hooks.New()
	s := concordat.NewServer(concordat.WithPlaintext())
	b.Feed(s, "lights/{id}", 3, nil)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	publish := func(address, body string) {
		t.Helper()
		if err := b.Publish(t.Context(), &broker.Message{Address: address, Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	publish("lights/1", "before")
	next, leave := follow(t, web.URL+"/lights/1", "")
	publish("lights/2", "another's")
	publish("lights/1", `{"a":1}`)
	first, data := next()
	if data != `{"a":1}` {
		t.Errorf("got %q", data)
	}
	leave()
	for _, body := range []string{"missed", "x", "y", "z"} { // the buffer has room for three
		publish("lights/1", body)
	}
	next, _ = follow(t, web.URL+"/lights/1", first)
	for _, want := range []string{"x", "y", "z"} {
		if _, data := next(); data != want {
			t.Errorf("got %q in place of %q", data, want)
		}
	}
	for _, last := range []string{"other-7", "rubbish", strings.Split(first, "-")[0] + "-999999"} {
		next, leave := follow(t, web.URL+"/lights/1", last)
		if _, data := next(); data != "x" {
			t.Errorf("after %s comes %q", last, data)
		}
		leave()
	}
	if err := b.Publish(t.Context(), &broker.Message{Address: "lights/1", Body: []byte{0xff}}); !broker.IsPermanent(err) {
		t.Errorf("bytes were published: %v", err)
	}
}
