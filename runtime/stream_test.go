package runtime

import (
	"context"
	"testing"
)

// openStream makes one attempt that goes on as a stream.
func openStream(t *testing.T, c *Conn, fail error) (at *endpoint, end func(error)) {
	t.Helper()
	err := c.Try(t.Context(), &Spec{Name: "test.Feed/Watch", Kind: ServerStream}, func(_ context.Context, a *Attempt) error {
		at, end = a.at, a.Stream()
		return fail
	})
	if (err == nil) != (fail == nil) {
		t.Fatal(err)
	}
	return at, end
}

// A stream keeps its endpoint busy until it ends, once, and counts by how it ended.
func TestStreamsSpeakOfTheirEndpoint(t *testing.T) {
	c := scripted(t, "static:a:1,b:1", nil)
	defer c.Close()
	at, end := openStream(t, c, nil)
	if n := at.Load.InFlight(); n != 1 {
		t.Errorf("%d in flight while the stream is open", n)
	}
	end(nil)
	end(nil)
	if n := at.Load.InFlight(); n != 0 {
		t.Errorf("%d in flight when it is over", n)
	}
	at, end = openStream(t, c, Errorf(NotFound, "no such feed"))
	if end(nil); at.Load.InFlight() != 0 {
		t.Error("a stream that never opened ended twice")
	}
}

// Streams that open well and break off each time eject their endpoint all the same.
func TestStreamsThatBreakOffEject(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"broken": {Errorf(Unavailable, "broke off"), 1}, "given up": {Errorf(Canceled, "enough"), 0}, "wanted for so long": {Errorf(DeadlineExceeded, "over"), 0},
		"refused": {Errorf(InvalidArgument, "no"), 0}, "whole": {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			conn := scripted(t, "static:a:1,b:1", nil)
			defer conn.Close()
			_, end := openStream(t, conn, nil)
			end(nil)
			for range 60 {
				for _, e := range conn.ends.group.Set().All {
					e.Load.Seed(0, 0) // the picker has other reasons to avoid what fails
				}
				at, end := openStream(t, conn, nil)
				if at.Endpoint.Addr == "a:1" {
					end(c.err)
				} else {
					end(nil)
				}
			}
			if out := 2 - len(conn.ends.group.Set().Live); out != c.want {
				t.Errorf("%d endpoints are out, want %d", out, c.want)
			}
		})
	}
}
