package rpc

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// What comes in pieces goes out in order, in fewer of them, with its end behind.
func TestGathered(t *testing.T) {
	r, w := io.Pipe()
	g := gather(r)
	const pieces = 10_000
	go func() {
		for i := range pieces {
			_, _ = w.Write([]byte{byte(i), byte(i >> 8)})
		}
		_ = w.CloseWithError(errors.New("over"))
	}()
	var got bytes.Buffer
	reads, p := 0, make([]byte, 16<<10)
	for {
		n, err := g.Read(p)
		got.Write(p[:n])
		reads++
		if err != nil {
			if err.Error() != "over" {
				t.Errorf("the end: %v", err)
			}
			break
		}
	}
	for i, b := range got.Bytes() {
		if want := byte(i / 2 >> (8 * (i % 2))); b != want {
			t.Fatalf("byte %d is %d, want %d", i, b, want)
		}
	}
	if got.Len() != 2*pieces || reads > pieces {
		t.Errorf("%d bytes in %d reads", got.Len(), reads)
	}
}

// Close lets whoever sends know, also while it waits, and bounds what waits.
func TestGatheredIsClosed(t *testing.T) {
	r, w := io.Pipe()
	g := gather(r)
	sent := make(chan int, 1)
	go func() {
		n := 0
		for {
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				sent <- n
				return
			}
			n++
		}
	}()
	if _, err := g.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if n := <-sent; n*1000 > 2*maxGathered+1000 {
		t.Errorf("%d bytes were taken though nobody read", n*1000)
	}
	if _, err := g.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("read after Close: %v", err)
	}
}
