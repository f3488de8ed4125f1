package runtime

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// pipe is a connection of TCP, of which one end is batched.
func pipe(t *testing.T) (*batched, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return newBatched(a, true), b
}

// All arrives, in order, also what was written right before Close.
func TestBatchedKeepsOrder(t *testing.T) {
	a, b := pipe(t)
	var want bytes.Buffer
	go func() {
		for i := range 10_000 {
			p := bytes.Repeat([]byte{byte(i)}, 1+i%100)
			if n, err := a.Write(p); n != len(p) || err != nil {
				t.Errorf("%d: %v", n, err)
			}
			clear(p) // it is the writer's again
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	for i := range 10_000 {
		want.Write(bytes.Repeat([]byte{byte(i)}, 1+i%100))
	}
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes of %d, %v", len(got), want.Len(), err)
	}
	if _, err := a.Write([]byte("x")); err == nil {
		t.Error("written after Close")
	}
}

// Who does not read holds up the writer, and Close ends that.
func TestBatchedIsBounded(t *testing.T) {
	a, _ := pipe(t)
	failed := make(chan error, 1)
	go func() {
		for {
			if _, err := a.Write(make([]byte, 16<<10)); err != nil {
				failed <- err
				return
			}
			a.mu.Lock()
			if len(a.waiting) > 2*maxWaiting {
				t.Errorf("%d bytes wait", len(a.waiting))
			}
			a.mu.Unlock()
		}
	}()
	for held := false; !held; {
		a.mu.Lock()
		held = len(a.waiting) > maxWaiting && a.writing
		a.mu.Unlock()
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	<-failed
	_ = a.drain() // returns
}

// A failed write is told to those who write later.
func TestBatchedTellsErrors(t *testing.T) {
	a, b := pipe(t)
	b.Close()
	for {
		if _, err := a.Write([]byte("x")); err != nil {
			return
		}
	}
}
