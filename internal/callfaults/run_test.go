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

// Half as long as make faults-call.
func TestFaultsLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("makes calls for half a minute")
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
