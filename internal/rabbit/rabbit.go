//go:build unix

// Package rabbit runs RabbitMQ, the server itself, for tests: a node of its own on
// loopback ports, which can be killed and begin again. Where it is not installed, tests
// skip and say so, and fail in CI, which installs it.
//
// It imports only the standard library.
package rabbit

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// bin is where packages of RabbitMQ put the programs that change neither user nor folders.
const bin = "/usr/lib/rabbitmq/bin"

// bootTime is more than a node takes to start on a machine that is busy.
const bootTime = 3 * time.Minute

// ErrMissing says that RabbitMQ is not installed.
var ErrMissing = errors.New("needs RabbitMQ: apt-get install rabbitmq-server")

// Installed says whether there is a server to run.
func Installed() bool {
	_, err := os.Stat(filepath.Join(bin, "rabbitmq-server"))
	return err == nil
}

// Options configure a Server. The zero value is a plaintext server.
type Options struct {
	// Cert, Key and CA are PEM files; with them the server also listens with TLS and
	// demands a client certificate that CA issued.
	Cert, Key, CA string
	Plugins       []string // to enable
	Config        []string // further lines of rabbitmq.conf
}

// A Server is one node of RabbitMQ.
type Server struct {
	dir      string
	env      []string
	ports    []string // AMQP, AMQP with TLS, Erlang's own, its name server's
	node     string
	mu       sync.Mutex
	cmd      *exec.Cmd
	finished chan struct{} // closed when the process is gone
}

// Start makes a node in a new folder below dir and returns when it accepts connections.
func Start(dir string, o Options) (*Server, error) {
	if !Installed() {
		return nil, ErrMissing
	}
	s := &Server{dir: dir}
	for range 4 {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		s.ports = append(s.ports, port)
	}
	if err := s.write(o); err != nil {
		return nil, err
	}
	return s, s.Begin()
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// write makes the folder of the node and its configuration.
func (s *Server) write(o Options) error {
	for _, d := range []string{"mnesia", "log", "home"} {
		if err := os.MkdirAll(filepath.Join(s.dir, d), 0o700); err != nil {
			return err
		}
	}
	conf := []string{"listeners.tcp.1 = 127.0.0.1:" + s.ports[0], "log.console = false", "disk_free_limit.absolute = 50MB"}
	if o.Cert != "" {
		conf = append(conf, "listeners.ssl.1 = 127.0.0.1:"+s.ports[1], "ssl_options.certfile = "+o.Cert, "ssl_options.keyfile = "+o.Key,
			"ssl_options.cacertfile = "+o.CA, "ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = true")
	}
	conf = append(conf, o.Config...)
	for name, text := range map[string]string{
		"rabbitmq.conf":   strings.Join(conf, "\n") + "\n",
		"enabled_plugins": "[" + strings.Join(o.Plugins, ",") + "].\n",
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	s.node = "concordat" + s.ports[0] + "@localhost"
	in := func(name string) string { return filepath.Join(s.dir, name) }
	s.env = append(os.Environ(), "HOME="+in("home"), "LANG=C.UTF-8",
		"RABBITMQ_NODENAME="+s.node, "RABBITMQ_BASE="+s.dir, "RABBITMQ_MNESIA_BASE="+in("mnesia"), "RABBITMQ_LOG_BASE="+in("log"),
		"RABBITMQ_CONFIG_FILE="+in("rabbitmq.conf"), "RABBITMQ_ENABLED_PLUGINS_FILE="+in("enabled_plugins"), "RABBITMQ_PID_FILE="+in("pid"),
		"RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_DIST_PORT="+s.ports[2], "ERL_EPMD_PORT="+s.ports[3], "ERL_EPMD_ADDRESS=127.0.0.1",
		`RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}`)
	return nil
}

// Begin starts the node, again after Kill, and returns when it accepts connections.
func (s *Server) Begin() error {
	out, err := os.Create(filepath.Join(s.dir, "out.log"))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(filepath.Join(bin, "rabbitmq-server"))
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = s.env, out, out, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	finished := make(chan struct{})
	s.mu.Lock()
	s.cmd, s.finished = cmd, finished
	s.mu.Unlock()
	go func() { _ = cmd.Wait(); close(finished) }() // that it ends is all that matters
	return s.await(finished)
}

func (s *Server) await(finished chan struct{}) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(bootTime); ; {
		if c, err := net.Dial("tcp", s.Addr()); err == nil {
			return c.Close()
		}
		select {
		case <-tick.C:
		case <-finished:
			return fmt.Errorf("rabbit: the node does not start: %s", s.output())
		case <-end:
			return fmt.Errorf("rabbit: the node has not started in %v: %s", bootTime, s.output())
		}
	}
}

func (s *Server) output() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "out.log")) // may be missing
	return string(text[max(0, len(text)-2000):])
}

// Kill is kill -9: the server has no time to tidy up.
func (s *Server) Kill() {
	s.mu.Lock()
	cmd, finished := s.cmd, s.finished
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // its group: it may be gone
	<-finished
}

// Close ends the node and its name server.
func (s *Server) Close() {
	s.Kill()
	for range 20 { // it stays while it believes that a node lives
		epmd := exec.Command("epmd", "-port", s.ports[3], "-kill")
		epmd.Env = s.env
		if out, err := epmd.CombinedOutput(); err != nil || strings.Contains(string(out), "Killed") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Control runs rabbitmqctl with args against the node. It takes seconds.
func (s *Server) Control(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(bin, "rabbitmqctl"), append([]string{"-n", s.node}, args...)...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("rabbitmqctl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Addr is where the node listens in plaintext: "127.0.0.1:39041".
func (s *Server) Addr() string { return "127.0.0.1:" + s.ports[0] }

// URL is that of the plaintext listener, with a user.
func (s *Server) URL() string { return "amqp://guest:guest@" + s.Addr() }

// SecureAddr is where the node listens with TLS.
func (s *Server) SecureAddr() string { return "localhost:" + s.ports[1] }

// Variable names a server to use in place of one that Shared starts.
const Variable = "CONCORDAT_RABBITMQ"

// A Shared server serves all tests of a program. The zero value starts it when it is first
// asked for.
type Shared struct {
	once sync.Once
	s    *Server
	url  string
	err  error
}

// URL is where the server listens in plaintext.
func (s *Shared) URL(t testing.TB) string {
	t.Helper()
	if s.url = os.Getenv(Variable); s.url != "" {
		return s.url
	}
	return s.Server(t).URL()
}

// Server is one that this program has started.
func (s *Shared) Server(t testing.TB) *Server {
	t.Helper()
	Need(t)
	s.once.Do(func() {
		dir, err := os.MkdirTemp("", "concordat-rabbit-")
		if err != nil {
			s.err = err
			return
		}
		if s.s, s.err = Start(dir, Options{}); s.err != nil && s.s != nil {
			s.s.Close()
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.s
}

// Close ends the server, where one was started: it belongs into TestMain.
func (s *Shared) Close() {
	if s.s != nil {
		s.s.Close()
		_ = os.RemoveAll(s.s.dir) // in the temporary folder
	}
}

// Need skips a test on a machine without RabbitMQ, and fails it in CI.
func Need(t testing.TB) {
	t.Helper()
	if Installed() {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal(ErrMissing, "; CI must have it")
	}
	t.Skip(ErrMissing)
}

// Run starts a server for one test, and ends it with that.
func Run(t testing.TB, o Options) *Server {
	t.Helper()
	Need(t)
	s, err := Start(t.TempDir(), o)
	if s != nil {
		t.Cleanup(s.Close)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}
