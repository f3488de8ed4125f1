package redis_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/concordat-dev/concordat/runtime/broker/dedup"
	"github.com/concordat-dev/concordat/runtime/broker/dedup/deduptest"
	"github.com/concordat-dev/concordat/runtime/broker/dedup/redis"
)

// server runs the real Redis on a loopback port.
func server(t *testing.T) string {
	t.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("redis-server is not installed, and CI must have it")
		}
		t.Skip("needs Redis: apt-get install redis-server")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	l.Close()
	cmd := exec.Command(bin, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return addr
}

func TestPromises(t *testing.T) {
	client := goredis.NewClient(&goredis.Options{Addr: server(t)})
	t.Cleanup(func() { client.Close() })
	for end := time.Now().Add(20 * time.Second); client.Ping(t.Context()).Err() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("Redis does not answer")
		}
	}
	deduptest.Run(t, func(*testing.T) dedup.Store { return redis.New(client, "") })
}

func TestStoreThatIsAway(t *testing.T) {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { client.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := redis.New(client, "p:").Claim(ctx, dedup.Claim{Key: "k", Owner: "o"}, time.Minute); err == nil {
		t.Error("claimed without a store")
	}
}
