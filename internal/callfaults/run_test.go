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

// Half as long as make faults-call. It holds calls with a quarter of a second to live
// against the clock, so a busy machine can break what the code keeps: run it by hand.
func TestFaultsLoseNothing(t *testing.T) {
	if os.Getenv("CONCORDAT_FAULTS") == "" {
		t.Skip("needs a quiet machine: CONCORDAT_FAULTS=1, or make faults-call")
	}
	var out strings.Builder
	broken, err := table(&out, 6*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if broken > 0 {
		t.Errorf("promises are broken:\n%s", out.String())
	}
	t.Log("\n" + out.String())
}
