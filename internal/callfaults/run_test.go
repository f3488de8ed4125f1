//go:build unix

package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv(backendVariable) != "" {
		backend()
		return
	}
	os.Exit(m.Run())
}

// A short form of make faults-call that holds nothing against the clock. The whole table
// takes minutes: make faults-call.
func TestFaultsLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	for _, only := range []string{"kill -9", "replies reset", "DNS says", "250 endpoints"} {
		t.Run(only, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			broken, err := plan{length: 2 * time.Second, only: only, quick: true, soft: true}.table(&out)
			if err != nil {
				t.Fatal(err)
			}
			if broken > 0 {
				t.Errorf("promises are broken:\n%s", out.String())
			}
			t.Log("\n" + out.String())
		})
	}
}
