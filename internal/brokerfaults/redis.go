//go:build unix

package main

import (
	"net"
	"os/exec"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/redis"
)

// A process is a broker's own, which is killed as kill -9 does and begins again with what it
// has on disk.
type process struct {
	addr    string
	command func() *exec.Cmd
	running *exec.Cmd
}

// launch starts what command makes of a free address.
func launch(command func(host, port string) *exec.Cmd) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{addr: l.Addr().String()}
	if err := l.Close(); err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		return nil, err
	}
	p.command = func() *exec.Cmd { return command(host, port) }
	return p, p.Begin()
}

// Addr is where it listens.
func (p *process) Addr() string { return p.addr }

// Kill is kill -9.
func (p *process) Kill() {
	_ = p.running.Process.Kill()
	_ = p.running.Wait()
}

// Close is Kill: nothing is needed any more.
func (p *process) Close() { p.Kill() }

// Begin starts it and returns when it listens.
func (p *process) Begin() error {
	p.running = p.command()
	if err := p.running.Start(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			return c.Close()
		}
		if n == 3000 {
			p.Kill()
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A redisServer writes to disk what it confirms.
type redisServer struct{ *process }

func startRedis(dir string) (server, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, errMissing
	}
	p, err := launch(func(host, port string) *exec.Cmd {
		return exec.Command("redis-server", "--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always")
	})
	return redisServer{p}, err
}

// Disconnect has the server close all connections of clients.
func (s redisServer) Disconnect() error {
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	return exec.Command("redis-cli", "-p", port, "client", "kill", "type", "normal").Run()
}

func openRedis(addr string) (broker.Broker, error) {
	return redis.New("redis://"+addr, redis.WithLogger(quiet), redis.WithClaim(5*time.Second))
}
