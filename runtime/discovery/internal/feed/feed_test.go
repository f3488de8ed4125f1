package feed

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

func set(addrs ...string) []discovery.Endpoint {
	var s []discovery.Endpoint
	for _, a := range addrs {
		s = append(s, discovery.Endpoint{Addr: a})
	}
	return s
}

func TestFeed(t *testing.T) {
	var got []string
	f := &Feed{Yield: func(s []discovery.Endpoint, err error) bool {
		line := "set"
		if err != nil {
			line = "error"
		}
		for _, e := range s {
			line += " " + e.Addr
		}
		got = append(got, line)
		return true
	}}
	f.Set(set("b:1", "a:1", "b:1"))
	f.Set(set("a:1", "b:1"))
	f.Set(set("a:1", "nonsense"))
	f.Set(set("a:1", "nonsense"))
	f.Set(set("nonsense"))
	f.Set(set())
	f.Set(nil)
	f.Err(errors.New("down"))
	f.Set(nil)
	f.Set(set("a:1"))
	weighted := set("a:1")
	weighted[0].Weight = 2
	f.Set(weighted)
	weighted = set("a:1")
	weighted[0].Weight, weighted[0].Meta = 2, map[string]string{"k": "v"}
	f.Set(weighted)
	want := []string{"set a:1 b:1", "set a:1", "error", "error", "set", "error", "set a:1", "set a:1", "set a:1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The first word of a registry may be that there is nothing.
func TestEmptyFirst(t *testing.T) {
	n := 0
	f := &Feed{Yield: func(s []discovery.Endpoint, err error) bool { n++; return err == nil && len(s) == 0 }}
	for range 2 {
		if !f.Set(nil) || n != 1 {
			t.Error(n)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	f := &Feed{Yield: func([]discovery.Endpoint, error) bool { return false }}
	if f.Set(set("a:1", "nonsense")) || f.Err(errors.New("x")) {
		t.Error("must say so")
	}
}

func TestClean(t *testing.T) {
	for addr, ok := range map[string]bool{
		"h:1": true, "[::1]:80": true, "[fe80::1%eth0]:80": true, "10.0.0.1:65535": true, "a_b.c-d:9": true,
		"h": false, "": false, ":80": false, "h:0": false, "h:65536": false, "h:-1": false, "h:x": false,
		"h\r\nX: y:80": false, "h/x:80": false, "ü:80": false, "h@i:80": false, strings.Repeat("h", 254) + ":1": false,
	} {
		good, err := Clean(set(addr))
		if (len(good) == 1) != ok || (err == nil) != ok {
			t.Errorf("%q: %v, %v", addr, good, err)
		}
	}
	heavy := []discovery.Endpoint{{Addr: "a:1", Weight: 1 << 30}, {Addr: "b:1", Weight: -3}}
	if good, err := Clean(heavy); err != nil || fmt.Sprint(good[0].Weight, good[1].Weight) != "65536 0" {
		t.Error(good, err)
	}
	if _, err := Clean(set(slices.Repeat([]string{"x"}, 1000)...)); err == nil || len(err.Error()) > 300 {
		t.Error("a thousand wrong ones must not fill the log", err)
	}
}

func TestParseWeight(t *testing.T) {
	if ParseWeight("7") != 7 || ParseWeight("") != 0 || ParseWeight("many") != 0 {
		t.Error("weights")
	}
}
