package redis_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/brokertest"
	"github.com/concordat-dev/concordat/runtime/broker/redis"
	"github.com/concordat-dev/concordat/runtime/broker/redis/redisembed"
)

func open(t *testing.T, url string, opts ...redis.Option) *redis.Broker {
	t.Helper()
	b, err := redis.New(url, append([]redis.Option{redis.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return b
}

// A peer runs redis-server, the program, on a loopback port, and can be killed and begin
// again with what it had written.
type peer struct {
	t    *testing.T
	addr string
	args []string
	cmd  *exec.Cmd
}

func redisServer(t *testing.T, args ...string) *peer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("redis-server is not installed, and CI must have it")
		}
		t.Skip("needs redis-server: apt-get install redis-server")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	port := addr[strings.LastIndex(addr, ":")+1:]
	p := &peer{t: t, addr: addr, args: append([]string{
		"--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "yes", "--appendfsync", "always",
	}, args...)}
	for i, a := range p.args {
		p.args[i] = strings.ReplaceAll(a, "PORT", port)
	}
	if len(args) == 0 {
		p.args = append(p.args, "--port", port)
	}
	t.Cleanup(p.kill)
	p.start()
	return p
}

func (p *peer) start() {
	p.t.Helper()
	p.cmd = exec.Command("redis-server", p.args...)
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
			p.t.Fatalf("redis-server does not start: %v", err)
		}
	}
}

// kill is kill -9: the server has no time to tidy up.
func (p *peer) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *peer) url() string { return "redis://" + p.addr }

func TestPromises(t *testing.T) {
	f := brokertest.Features{Keeps: true, Redelivers: true, Durable: true}
	t.Run("embedded", func(t *testing.T) {
		s, err := redisembed.Start(redisembed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		brokertest.Run(t, f, func(t *testing.T) broker.Broker { return open(t, s.URL()) })
	})
	t.Run("redis-server", func(t *testing.T) {
		s := redisServer(t)
		f.Disrupt = func(*testing.T) { s.kill(); s.start() }
		brokertest.Run(t, f, func(t *testing.T) broker.Broker { return open(t, s.url(), redis.WithClaim(2*time.Second)) })
	})
}
