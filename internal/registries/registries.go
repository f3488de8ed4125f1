// Package registries starts the real registries that tests talk to: Consul, etcd, the
// API server of Kubernetes, and Netflix's Eureka. build.sh beside it makes them.
//
// It imports only the standard library.
package registries

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// The programs, as build.sh names them.
const (
	Consul     = "consul-1.21.0"
	Etcd       = "etcd-3.6.4"
	Kubernetes = "kube-apiserver-1.34.1"
	Eureka     = "eureka-2025.0.0.jar"
)

// Find returns the path of a program in the cache, or else of what the machine calls by
// one of the names. Where there is none the test is skipped, or in CI fails, and says how to
// get it; it is skipped, too, where nobody asked for real registries, which take their time to start.
func Find(t testing.TB, program string, names ...string) string {
	t.Helper()
	if os.Getenv("CONCORDAT_REGISTRIES") == "" {
		t.Skipf("talks to %s itself: set CONCORDAT_REGISTRIES=1", program)
	}
	if p, ok := Path(program, names...); ok {
		return p
	}
	missing := "%s is missing; internal/registries/build.sh makes it, once, within minutes"
	if os.Getenv("CI") != "" {
		t.Fatalf(missing, program)
	}
	t.Skipf(missing, program)
	return ""
}

// Path returns the path of a program in the cache, or else of what the machine calls by
// one of the names; false where there is none.
func Path(program string, names ...string) (string, bool) {
	if p := filepath.Join(cache(), "bin", program); exists(p) {
		return p, true
	}
	for _, n := range names {
		if p, err := exec.LookPath(n); err == nil {
			return p, true
		}
	}
	return "", false
}

func cache() string {
	if dir := os.Getenv("CONCORDAT_CACHE"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".cache", "concordat")
}

func exists(p string) bool {
	s, err := os.Stat(p)
	return err == nil && s.Mode().IsRegular()
}

// Ports returns n ports of the loopback interface that were free a moment ago.
func Ports(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// A Server is a program that runs until the test ends.
type Server struct {
	cmd  *exec.Cmd
	done chan struct{}
	out  *output
}

// Start runs the program in dir and returns once GET ready answers 200, or fails the test
// with what the program printed. client asks; nil means the default one.
func Start(t testing.TB, dir, ready string, client *http.Client, program string, args ...string) *Server {
	t.Helper()
	s := &Server{cmd: exec.Command(program, args...), done: make(chan struct{}), out: &output{}}
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, s.out, s.out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.cmd.Wait(); close(s.done) }()
	t.Cleanup(s.Kill)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := s.await(ctx, ready, client); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, s.out)
	}
	return s
}

func (s *Server) await(ctx context.Context, ready string, client *http.Client) error {
	if client == nil {
		client = http.DefaultClient
	}
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, ready, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(r)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("%s", resp.Status)
		}
		select {
		case <-s.done:
			return fmt.Errorf("ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Kill ends the program at once, as a crash does.
func (s *Server) Kill() {
	s.cmd.Process.Kill()
	<-s.done
}

// output keeps the last of what a program printed.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.b.Len() > 64<<10 {
		o.b.Next(o.b.Len() / 2)
	}
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.b.Bytes()
	return string(b[max(0, len(b)-4000):])
}

// StartConsul runs a development agent that keeps nothing, at http://127.0.0.1:port, with
// further arguments.
func StartConsul(t testing.TB, port int, args ...string) *Server {
	t.Helper()
	program := Find(t, Consul, "consul")
	p := Ports(t, 2)
	addr := fmt.Sprintf("http://127.0.0.1:%d", port)
	return Start(t, t.TempDir(), addr+"/v1/health/service/consul?passing=1&index=1&wait=1ms", nil, program, append([]string{"agent", "-dev",
		"-bind", "127.0.0.1", "-client", "127.0.0.1", "-http-port", fmt.Sprint(port), "-dns-port", "-1", "-grpc-port", "-1", "-grpc-tls-port", "-1",
		"-server-port", fmt.Sprint(p[0]), "-serf-lan-port", fmt.Sprint(p[1]), "-serf-wan-port", "-1", "-log-level", "warn"}, args...)...)
}

// StartEtcd runs a cluster of one that keeps its data in dir, at http://127.0.0.1:port.
func StartEtcd(t testing.TB, dir string, port int) *Server {
	t.Helper()
	program := Find(t, Etcd, "etcd")
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", port), fmt.Sprintf("http://127.0.0.1:%d", Ports(t, 1)[0])
	return Start(t, dir, client+"/health", nil, program, "--data-dir", dir, "--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer)
}

// StartEureka runs Netflix's server as Spring packages it, at http://127.0.0.1:port/eureka,
// with short intervals. eviction is how often it drops instances whose lease is over.
func StartEureka(t testing.TB, port int, eviction time.Duration) *Server {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("java is missing; Eureka needs it")
	}
	return Start(t, t.TempDir(), fmt.Sprintf("http://127.0.0.1:%d/eureka/apps", port), nil, java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-jar", Find(t, Eureka), "--server.address=127.0.0.1", fmt.Sprintf("--server.port=%d", port),
		"--eureka.client.register-with-eureka=false", "--eureka.client.fetch-registry=false", "--eureka.server.enable-self-preservation=false",
		fmt.Sprintf("--eureka.server.eviction-interval-timer-in-ms=%d", eviction.Milliseconds()), "--eureka.server.use-read-only-response-cache=false",
		"--eureka.server.response-cache-auto-expiration-in-seconds=1", "--eureka.server.delta-retention-timer-interval-in-ms=1000")
}
