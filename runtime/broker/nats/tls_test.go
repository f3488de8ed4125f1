package nats_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/nats"
	"github.com/concordat-dev/concordat/runtime/broker/nats/natsembed"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// A peer runs nats-server, the program, on a loopback port, and can be killed and begin
// again.
type peer struct {
	t    *testing.T
	addr string
	args []string
	cmd  *exec.Cmd
}

func natsServer(t *testing.T, args ...string) *peer {
	t.Helper()
	if binary() == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("nats-server is not installed, and CI must have it")
		}
		t.Skip("needs nats-server: apt-get install nats-server")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	p := &peer{t: t, addr: addr, args: append([]string{"-a", "127.0.0.1", "-p", addr[strings.LastIndex(addr, ":")+1:], "-js", "-sd", t.TempDir()}, args...)}
	t.Cleanup(p.kill)
	p.start()
	return p
}

func binary() string {
	for _, name := range []string{"nats-server", "/usr/sbin/nats-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func (p *peer) start() {
	p.t.Helper()
	p.cmd = exec.Command(binary(), p.args...)
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("nats-server does not start: %v", err)
		}
	}
}

// kill is kill -9: the server has no time to tidy up.
func (p *peer) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *peer) url() string { return "nats://" + p.addr }

// secured runs f against servers that want certificates: ours, and the real one.
func secured(t *testing.T, f func(t *testing.T, ca *devca.CA, url string)) {
	t.Run("embedded", func(t *testing.T) {
		ca := authority(t)
		config, err := ca.Mutual("server")
		if err != nil {
			t.Fatal(err)
		}
		f(t, ca, start(t, natsembed.Options{TLS: config}).URL())
	})
	t.Run("nats-server", func(t *testing.T) {
		ca := authority(t)
		leaf, err := ca.Issue("server")
		if err != nil {
			t.Fatal(err)
		}
		cert, key, roots, err := leaf.WriteFiles(t.TempDir(), "server")
		if err != nil {
			t.Fatal(err)
		}
		f(t, ca, natsServer(t, "--tlsverify", "--tlscert", cert, "--tlskey", key, "--tlscacert", roots).url())
	})
}

func authority(t *testing.T) *devca.CA {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestTLS(t *testing.T) {
	secured(t, func(t *testing.T, ca *devca.CA, url string) {
		stranger := authority(t)
		ours, err := ca.Issue("client")
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := stranger.Issue("client")
		if err != nil {
			t.Fatal(err)
		}
		for what, c := range map[string]struct {
			config *tlsconf.Config
			want   string // "": it works
		}{
			"mutual":                  {tlsconf.MutualPEM(ours.Cert, ours.Key, ours.CA), ""},
			"we trust somebody else":  {tlsconf.MutualPEM(ours.Cert, ours.Key, theirs.CA), "issued by an unknown authority; give that authority to tlsconf"},
			"no client certificate":   {tlsconf.RootsPEM(ours.CA), "tlsconf.Mutual"},
			"certificate of stranger": {tlsconf.MutualPEM(theirs.Cert, theirs.Key, ours.CA), "does it trust the authority that issued our certificate"},
		} {
			b := open(t, url, nats.WithTLS(c.config))
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			err := b.Publish(ctx, &broker.Message{Address: "secret/1", Body: []byte("x")})
			if c.want == "" {
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), url) {
				t.Errorf("%s: %v", what, err)
			}
			cancel()
		}
	})
}

// The server is killed while messages wait to come again. Whatever it confirmed is handled,
// in the end, by a group that was there before and is there after.
func TestServerIsKilled(t *testing.T) {
	s := natsServer(t)
	b := open(t, s.url(), nats.WithAckWait(2*time.Second))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const n = 40
	var first sync.Map
	failed, handled := make(chan bool, n), make(chan string, 16*n)
	up, over := make(chan struct{}), make(chan error, 1)
	sub := broker.Subscription{Address: "back/{id}", Group: "g", Concurrency: 4, Ready: func() { close(up) }}
	go func() {
		over <- b.Subscribe(ctx, sub, func(_ context.Context, m *broker.Message) error {
			if _, again := first.LoadOrStore(m.ID, true); !again && m.Key == "before" {
				failed <- true
				return errors.New("not yet")
			}
			handled <- m.ID
			return nil
		})
	}()
	<-up
	for i := range n / 2 {
		publish(t, b, "before", fmt.Sprint(i))
	}
	for range n / 2 {
		<-failed
	}
	s.kill()
	s.start()
	for i := n / 2; i < n; i++ {
		publish(t, b, "after", fmt.Sprint(i))
	}
	got := map[string]bool{}
	for deadline := time.After(3 * time.Minute); len(got) < n; {
		select {
		case id := <-handled:
			got[id] = true
		case <-deadline:
			t.Fatalf("%d of %d messages arrived", len(got), n)
		}
	}
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
}
