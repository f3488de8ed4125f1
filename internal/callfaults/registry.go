//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/concordat-dev/concordat/internal/registries"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/consul"
	"github.com/concordat-dev/concordat/runtime/discovery/dns"
	"github.com/concordat-dev/concordat/runtime/discovery/kubernetes"
)

// registryFaults befall what tells us where the processes are.
func registryFaults() []*fault {
	kept := promise{answered: 1, attempts: 1}
	return []*fault{
		{name: "DNS is empty", promise: kept, over: []wire{http1, unary}, prepare: named, strike: names(dnsmessage.RCodeSuccess)},
		{name: "DNS says NXDOMAIN", promise: kept, over: []wire{http1, unary}, prepare: named, strike: names(dnsmessage.RCodeNameError)},
		{name: "registry down", promise: kept, over: []wire{http1, unary}, least: 8 * time.Second, prepare: registered, strike: unregister, after: again},
		{name: "250 endpoints in 3 slices", promise: kept, over: []wire{http1}, between: time.Millisecond, patience: 2 * time.Second, prepare: sliced, strike: nothing, after: allUsed},
	}
}

// mapped finds endpoints as its resolver does; what that says is at 192.0.2.n or 10.n.n.n
// is on the loopback interface here.
type mapped struct{ discovery.Resolver }

func (m mapped) Resolve(ctx context.Context, target *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	return func(yield func([]discovery.Endpoint, error) bool) {
		for eps, err := range m.Resolver.Resolve(ctx, target) {
			for i, e := range eps {
				eps[i].Addr = strings.NewReplacer("192.0.2.", "127.0.0.", "10.", "127.").Replace(e.Addr)
			}
			if !yield(eps, err) {
				return
			}
		}
	}
}

// A nameserver answers by UDP on the loopback interface.
type nameserver struct {
	net.PacketConn
	code    atomic.Int32 // what it answers
	broken  atomic.Bool  // without addresses
	answers atomic.Int64 // of the broken kind
}

func (n *nameserver) serve() {
	buf := make([]byte, 1500)
	for {
		got, from, err := n.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:got]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.Additionals = true, nil
		q := m.Questions[0]
		switch {
		case n.broken.Load():
			m.RCode = dnsmessage.RCode(n.code.Load())
			n.answers.Add(1)
		case q.Type == dnsmessage.TypeA:
			for i := range byte(3) {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1 + i}}})
			}
		}
		if out, err := m.Pack(); err == nil {
			_, _ = n.WriteTo(out, from)
		}
	}
}

// named finds the processes by a nameserver of ours.
func named(s *stage) error {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.dns = &nameserver{PacketConn: udp}
	s.later(func() { udp.Close() })
	go s.dns.serve()
	port, err := freePort()
	if err != nil {
		return err
	}
	s.target = "names://things.example:" + port
	asks := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", udp.LocalAddr().String())
	}}
	look := func(ctx context.Context, host string) ([]netip.Addr, error) {
		return asks.LookupNetIP(ctx, "ip4", host+".")
	}
	s.options = []concordat.ConnOption{concordat.WithPlaintext(), concordat.WithResolver("names", mapped{dns.Resolver{Lookup: look, Every: 200 * time.Millisecond, Retry: 100 * time.Millisecond}})}
	return s.processes([]string{"127.0.0.1:" + port, "127.0.0.2:" + port, "127.0.0.3:" + port})
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

// names makes the nameserver forget the addresses.
func names(code dnsmessage.RCode) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		s.dns.code.Store(int32(code))
		s.dns.broken.Store(true)
		<-ctx.Done()
		if s.dns.answers.Load() == 0 {
			return errors.New("the nameserver was not asked")
		}
		return nil
	}
}

// An announced process tells Consul that it lives at every heartbeat; Consul waits for
// some of them.
const heartbeat, heartbeats = time.Second, 3

// registered finds the processes by Consul, the real one.
func registered(s *stage) error {
	program, ok := registries.Path(registries.Consul, "consul")
	if !ok {
		return fmt.Errorf("%w: Consul is missing; internal/registries/build.sh makes it", errAbsent)
	}
	var ports []string
	for range 3 {
		p, err := freePort()
		if err != nil {
			return err
		}
		ports = append(ports, p)
	}
	s.consul = &agent{program: program, ports: ports, url: "http://127.0.0.1:" + ports[0]}
	if err := s.consul.start(); err != nil {
		return err
	}
	s.later(s.consul.kill)
	s.target = "consul://faults"
	r, err := consul.New(consul.Config{Addr: s.consul.url, Spacing: 50 * time.Millisecond, Retry: 200 * time.Millisecond})
	if err != nil {
		return err
	}
	s.options = []concordat.ConnOption{concordat.WithPlaintext(), concordat.WithResolver("consul", r)}
	if err := s.processes(nil, consulVariable+"="+s.consul.url); err != nil {
		return err
	}
	_, err = s.consul.await(30 * time.Second)
	return err
}

// An agent is Consul, which forgets everything when it ends.
type agent struct {
	program string
	ports   []string
	url     string
	cmd     *exec.Cmd
	back    time.Duration // until all were registered again
}

func (a *agent) start() error {
	a.cmd = exec.Command(a.program, "agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1", "-http-port", a.ports[0], "-dns-port", "-1", "-grpc-port", "-1",
		"-grpc-tls-port", "-1", "-server-port", a.ports[1], "-serf-lan-port", a.ports[2], "-serf-wan-port", "-1", "-log-level", "err")
	if err := a.cmd.Start(); err != nil {
		return err
	}
	for range 600 {
		if _, err := a.passing(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("the server of Consul does not start")
}

func (a *agent) kill() {
	_ = a.cmd.Process.Kill()
	_ = a.cmd.Wait()
}

// passing is how many instances are well.
func (a *agent) passing() (int, error) {
	resp, err := http.Get(a.url + "/v1/health/service/faults?passing=1")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var all []json.RawMessage
	if resp.StatusCode != http.StatusOK {
		return 0, errors.New(resp.Status)
	}
	err = json.NewDecoder(resp.Body).Decode(&all)
	return len(all), err
}

// await returns how long it took until all three were well.
func (a *agent) await(most time.Duration) (time.Duration, error) {
	begun := time.Now()
	for time.Since(begun) < most {
		if n, err := a.passing(); err == nil && n == 3 {
			return time.Since(begun), nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return 0, fmt.Errorf("not all instances were registered within %v", most)
}

// unregister kills Consul for the greater part of the time.
func unregister(ctx context.Context, s *stage) (err error) {
	s.consul.kill()
	s.pass(ctx, 0.5)
	if err := s.consul.start(); err != nil {
		return err
	}
	s.consul.back, err = s.consul.await(10 * heartbeat)
	return err
}

// again holds that all registered anew at their next heartbeat.
func again(s *stage, r *result) error {
	r.note = fmt.Sprintf("registered again %v after its return, heartbeat %v", s.consul.back.Round(10*time.Millisecond), heartbeat)
	if s.consul.back > heartbeat*3/2 && !s.soft {
		return errors.New(r.note)
	}
	return nil
}

// perSlice is how many endpoints three slices hold.
var perSlice = []int{100, 100, 50}

// sliced finds 250 addresses, all of one process, by the API of Kubernetes.
// Source: kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1
func sliced(s *stage) error {
	p, err := start("0.0.0.0:0")
	if err != nil {
		return err
	}
	s.later(p.stop)
	_, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h := &http.Server{Handler: slicesAPI(port)}
	go func() { _ = h.Serve(l) }()
	s.later(func() { h.Close() })
	k, err := kubernetes.New(kubernetes.Config{Server: "http://" + l.Addr().String()})
	if err != nil {
		return err
	}
	s.target = "kubernetes://things"
	s.options = []concordat.ConnOption{concordat.WithPlaintext(), concordat.WithResolver("kubernetes", mapped{k}), concordat.WithInterceptors(s.tally)}
	return nil
}

// tally counts the calls that each endpoint answered.
func (s *stage) tally(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
	out, err := next(ctx, in)
	n, _ := s.peers.LoadOrStore(call.Peer, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
	return out, err
}

// slicesAPI answers to list and watch.
func slicesAPI(port string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") != "" {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		var items []string
		for i, n := range perSlice {
			var eps []string
			for e := range n {
				eps = append(eps, fmt.Sprintf(`{"addresses":["10.%d.0.%d"],"conditions":{"ready":true}}`, i+1, e+1))
			}
			items = append(items, fmt.Sprintf(`{"metadata":{"name":"things-%d","resourceVersion":"1"},"addressType":"IPv4","endpoints":[%s],"ports":[{"name":"","port":%s,"protocol":"TCP"}]}`, i, strings.Join(eps, ","), port))
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"1"},"items":[%s]}`, strings.Join(items, ","))
	})
}

// allUsed holds that every endpoint is used, and no slice more than others.
func allUsed(s *stage, r *result) error {
	used, sum, bySlice := 0, int64(0), make([]int64, len(perSlice))
	s.peers.Range(func(k, v any) bool {
		n := v.(*atomic.Int64).Load()
		used, sum = used+1, sum+n
		var i int
		if _, err := fmt.Sscanf(k.(string), "127.%d.", &i); err == nil && i >= 1 && i <= len(bySlice) {
			bySlice[i-1] += n
		}
		return true
	})
	r.note = fmt.Sprintf("%d endpoints used;", used)
	far := 0.0
	for i, n := range bySlice {
		share := float64(n) * 250 / float64(perSlice[i]) / float64(sum)
		r.note += fmt.Sprintf(" %.2f", share)
		far = max(far, share-1, 1-share)
	}
	r.note += " of a fair share for each slice"
	if used < 250 || far > 0.2 {
		return errors.New(r.note)
	}
	return nil
}
