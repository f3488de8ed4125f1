package runtime_test

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// requestLine answers one request on a bare socket, and returns its first line.
func requestLine(t *testing.T) (addr string, line <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		first, _ := bufio.NewReader(c).ReadString('\n')
		got <- strings.TrimSpace(first)
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"))
	}()
	return l.Addr().String(), got
}

// What the target says of the path stands before every route, escaped as it was written.
func TestBasePathOnTheWire(t *testing.T) {
	for base, want := range map[string]string{
		"": "/things/7", "/": "/things/7", "/v1": "/v1/things/7", "/v1/": "/v1/things/7", "/a%2Fb/c%20d": "/a%2Fb/c%20d/things/7",
	} {
		for _, scheme := range []string{"http://", "static:"} {
			addr, line := requestLine(t)
			c, err := concordat.NewConn(scheme+addr+base, opts(scheme)...)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := do(t.Context(), c, &getSpec, ""); err != nil || out != "ok" {
				t.Errorf("%s%s: %q, %v", scheme, base, out, err)
				continue
			}
			if got := <-line; got != "GET "+want+" HTTP/1.1" {
				t.Errorf("%s%s: %s", scheme, base, got)
			}
			c.Close()
		}
	}
}

func opts(scheme string) []concordat.ConnOption {
	if scheme == "http://" {
		return nil
	}
	return []concordat.ConnOption{concordat.WithPlaintext()}
}

// The base that stubs are given is a path, too, not only what it prints as.
func TestBaseOfAttempts(t *testing.T) {
	addr, _ := backend(t, answerOK)
	c, err := concordat.NewConn("http://" + addr + "/base/")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Try(t.Context(), &getSpec, func(_ context.Context, a *concordat.Attempt) error {
		if a.Base.Path != "/base" || a.Base.String() != "http://"+addr+"/base" {
			t.Errorf("base %q, path %q", a.Base, a.Base.Path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
