//go:build unix

package runtime_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/concordattest"
)

// process starts this test binary as a backend of its own.
func process(t *testing.T) (addr string, p *os.Process) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "CONCORDAT_TEST_BACKEND=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), cmd.Process
}

// One of three processes is stopped (it accepts connections, and never answers) or
// killed under load.
func TestProcessFaultsLoseNothing(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			a, _ := process(t)
			b, victim := process(t)
			d, _ := process(t)
			c := dial(t, fmt.Sprintf("static:%s,%s,%s", a, b, d), concordat.WithPlaintext())
			if errs := many(t, c, &getSpec, 300, 4*time.Second); len(errs) > 0 {
				t.Fatalf("before: %v", errs[0])
			}
			if err := victim.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if errs := many(t, c, &getSpec, 1200, 4*time.Second); len(errs) > 0 {
				t.Fatalf("%d of 1200 calls lost, the first: %v", len(errs), errs[0])
			}
			if n := retries(c); n > 40 {
				t.Errorf("%d retries: the endpoint was not ejected", n)
			}
		})
	}
}

// A stopped process that goes on is used again, after a probe.
func TestEjectedProcessReturns(t *testing.T) {
	if testing.Short() {
		t.Skip("waits five seconds for the ejection to end")
	}
	t.Parallel()
	a, _ := process(t)
	b, victim := process(t)
	log, said := logs()
	c := dial(t, fmt.Sprintf("static:%s,%s", a, b), concordat.WithPlaintext(), concordat.WithLogger(log))
	_ = victim.Signal(syscall.SIGSTOP)
	concordattest.Eventually(t, "ejection", func() bool {
		if errs := many(t, c, &getSpec, 32, time.Second); len(errs) > 0 {
			t.Fatal(errs[0])
		}
		return strings.Contains(said(), "endpoint ejected")
	})
	_ = victim.Signal(syscall.SIGCONT)
	concordattest.Eventually(t, "return", func() bool {
		if errs := many(t, c, &getSpec, 8, time.Second); len(errs) > 0 {
			t.Fatal(errs[0])
		}
		return strings.Contains(said(), "endpoint answers again")
	})
}
