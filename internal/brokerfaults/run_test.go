//go:build unix

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/internal/rabbit"
)

// TestMain is the program that can be killed, or runs the tests.
func TestMain(m *testing.M) {
	serveKafka()
	os.Exit(m.Run())
}

// All faults, on fewer messages than `make faults-messaging` takes.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	rabbit.Need(t)
	var out strings.Builder
	broken, err := table(&out, 6400, "", "")
	if t.Log("\n" + out.String()); err != nil || broken > 0 {
		t.Errorf("%d promises are broken, %v", broken, err)
	}
	if os.Getenv("CI") != "" && strings.Contains(out.String(), "not installed") {
		t.Error("CI must have all brokers")
	}
}
