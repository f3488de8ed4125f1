//go:build unix

package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// before is how long there is calm.
const before = time.Second

// Calls come so often, and have so long.
const tick, patience = 10 * time.Millisecond, 250 * time.Millisecond

// A fault is what happens to the processes, or between us and them, and under which load.
type fault struct {
	name string
	promise
	over     []wire        // none: all
	path     string        // of REST; "" is "/"
	between  time.Duration // one call and the next; 0: tick
	patience time.Duration // the deadline of each; 0: patience
	least    time.Duration // shorter than that, it cannot be seen

	// prepare makes what the fault needs; nil starts three processes.
	prepare func(s *stage) error
	// strike lets it happen, beside the calls; ctx ends with them.
	strike func(ctx context.Context, s *stage) error
	// after looks at what else must hold, when the calls are over; may be nil.
	after func(s *stage, r *result) error
}

func (f *fault) wires(quick bool) []wire {
	all := f.over
	if all == nil {
		all = wires
	}
	if quick && len(all) > 2 {
		return []wire{all[0], all[2]}
	}
	return all
}

// A stage is where one fault happens.
type stage struct {
	*fault
	wire    wire
	length  time.Duration
	soft    bool
	calm    *result       // before the fault
	held    time.Duration // how long a slow connection lasted
	dns     *nameserver
	consul  *agent
	certs   *certificates
	peers   sync.Map // calls, *atomic.Int64, by address
	all     []*process
	proxies []*proxy
	target  string
	options []concordat.ConnOption
	conn    *concordat.Conn
	ends    []func()
}

// later does f when the fault is over.
func (s *stage) later(f func()) { s.ends = append(s.ends, f) }

func (s *stage) end() {
	for i := len(s.ends) - 1; i >= 0; i-- {
		s.ends[i]()
	}
}

// A process is one backend.
type process struct {
	*exec.Cmd
	addr string
	env  []string
	once sync.Once
}

// stop ends it at once; a stopped process can be killed, too.
func (p *process) stop() {
	p.once.Do(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
}

// start runs a backend at addr, "" being any.
func start(addr string, env ...string) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{Cmd: exec.Command(exe), env: env}
	p.Env = append(append(os.Environ(), env...), backendVariable+"="+cmp.Or(addr, "127.0.0.1:0"))
	p.Stderr = os.Stderr
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("a backend did not start: %w", err)
	}
	p.addr = strings.TrimSpace(said)
	return p, nil
}

// processes starts three backends at the addresses, any where there are none.
func (s *stage) processes(addrs []string, env ...string) error {
	for i := range 3 {
		addr := ""
		if addrs != nil {
			addr = addrs[i]
		}
		p, err := start(addr, env...)
		if err != nil {
			return err
		}
		s.later(func() { s.all[i].stop() })
		s.all = append(s.all, p)
	}
	s.aim(s.addrs())
	return nil
}

func (s *stage) aim(addrs []string) {
	if s.target == "" {
		s.target = "static:" + strings.Join(addrs, ",")
	}
}

func (s *stage) addrs() (all []string) {
	for _, p := range s.all {
		all = append(all, p.addr)
	}
	return all
}

// again starts the process i anew, where it was.
func (s *stage) again(i int) error {
	old := s.all[i]
	p, err := start(old.addr, old.env...)
	if err == nil {
		s.all[i] = p
	}
	return err
}

func plain(s *stage) error { return s.processes(nil) }

// run makes calls, lets the fault happen, and goes on for so long.
func (p plan) run(f *fault, over wire) (r *result, err error) {
	s := &stage{fault: f, wire: over, length: max(p.length, f.least), soft: p.soft}
	defer s.end()
	prepare := f.prepare
	if prepare == nil {
		prepare = plain
	}
	if err := prepare(s); err != nil {
		return nil, err
	}
	if s.conn, err = s.dial(); err != nil {
		return nil, err
	}
	s.later(func() { s.conn.Close() })
	if s.calm = load(s, before, tick, 2*time.Second); s.calm.lost > 0 {
		return nil, fmt.Errorf("before the fault: %w", s.calm.first)
	}
	had := retries(s.conn)
	ctx, cancel := context.WithCancel(context.Background())
	struck := make(chan error, 1)
	go func() { struck <- f.strike(ctx, s) }()
	r = load(s, s.length, or(f.between, tick), p.patience(f))
	cancel()
	if err := <-struck; err != nil {
		return nil, err
	}
	r.attempts = 1 + float64(retries(s.conn)-had)/float64(r.calls)
	if f.after != nil {
		r.wrong = f.after(s, r)
	}
	return r, nil
}

// patience is how long a call has. Where nothing is held against the clock it is long, so
// that a busy machine loses none by itself.
func (p plan) patience(f *fault) time.Duration {
	d := or(f.patience, patience)
	if p.soft {
		d *= 20
	}
	return d
}

// dial makes a connection as the fault wants it.
func (s *stage) dial() (*concordat.Conn, error) {
	options := append(s.wire.options(), concordat.WithLogger(slog.New(slog.DiscardHandler)))
	if s.options == nil {
		options = append(options, concordat.WithPlaintext())
	}
	return concordat.NewConn(s.target, append(options, s.options...)...)
}

func or(d, def time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return def
}

func retries(c *concordat.Conn) (n int64) {
	for _, o := range c.Stats() {
		n += o.Retries
	}
	return n
}

// load makes a call now and then for so long, without waiting for the ones before.
func load(s *stage, length, between, patience time.Duration) *result {
	r := new(result)
	var mu sync.Mutex
	var calls sync.WaitGroup
	start := time.Now()
	for n := 0; time.Duration(n)*between < length; n++ {
		time.Sleep(time.Until(start.Add(time.Duration(n) * between)))
		r.calls++
		calls.Go(func() {
			begun := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			err := s.wire.call(ctx, s.conn, s.path)
			cancel()
			took := time.Since(begun)
			mu.Lock()
			defer mu.Unlock()
			r.slowest = max(r.slowest, took)
			if err != nil || took > patience*12/25 {
				r.felt = max(r.felt, time.Since(start))
			}
			r.outcomes = append(r.outcomes, outcome{begun.Sub(start), took, err == nil})
			if err != nil {
				if r.lost++; r.first == nil {
					r.first = err
				}
			}
		})
	}
	calls.Wait()
	return r
}

// pass waits for a part of the calls, or less where they end before.
func (s *stage) pass(ctx context.Context, part float64) bool {
	return sleep(ctx, time.Duration(part*float64(s.length)))
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
