package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A pair is a side's two processes.
type pair struct {
	server, client *process
}

// A process is this program in another role.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(ctx context.Context, args ...string) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

// ask sends v and reads the answer into to.
func (p *process) ask(v, to any) error {
	if err := json.NewEncoder(p.in).Encode(v); err != nil {
		return err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, to)
}

func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

func startPair(ctx context.Context, side string, secure bool) (*pair, error) {
	server, err := start(ctx, "-role", "server", "-side", side, fmt.Sprintf("-tls=%v", secure))
	if err != nil {
		return nil, err
	}
	addr, err := server.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the server of %s: %w", side, err)
	}
	client, err := start(ctx, "-role", "client", "-side", side, "-addr", strings.TrimSpace(addr), fmt.Sprintf("-tls=%v", secure))
	if err != nil {
		return nil, err
	}
	return &pair{server, client}, nil
}

// A sample is one measurement, for each call or message.
type sample struct {
	cpu           time.Duration
	allocs, bytes float64
	p50, p99      time.Duration
}

// measure lets the client do t, and sums up what both processes took.
func (p *pair) measure(t task) (sample, error) {
	var before, after usage
	var r result
	if err := p.server.ask("", &before); err != nil {
		return sample{}, err
	}
	if err := p.client.ask(t, &r); err != nil {
		return sample{}, err
	}
	if err := p.server.ask("", &after); err != nil {
		return sample{}, err
	}
	server, n := after.minus(before), float64(t.Calls)
	return sample{time.Duration(float64(r.Usage.CPU+server.CPU) / n), float64(r.Usage.Allocs+server.Allocs) / n,
		float64(r.Usage.Bytes+server.Bytes) / n, r.P50, r.P99}, nil
}

// A row is one kind of work.
type row struct {
	name   string
	task   task
	secure bool
	goal   map[string]string
}

func rows() []row {
	var all []row
	for _, secure := range []bool{false, true} {
		over := ""
		if secure {
			over = ", TLS"
		}
		unary := func(size string, lines int, ours, engine string) {
			all = append(all, row{"unary, " + size + over, task{Lines: lines, Concurrent: 16}, secure, map[string]string{"concordat": ours, "concordat on grpc-go": engine}})
		}
		unary("82 B", 1, "2.4", "1.0")
		unary("1 KB", 20, "1.3", "0.7")
		unary("10 KB", 205, "0.9", "0.6")
		all = append(all, row{"server stream, 82 B" + over, task{Lines: 1, Stream: true}, secure, map[string]string{"concordat": "1.5", "concordat on grpc-go": "1.5"}})
	}
	return all
}

// drive measures everything, the sides in turns, and writes the table.
func drive(ctx context.Context, o options) error {
	if err := issue(); err != nil {
		return err
	}
	pairs := map[bool]map[string]*pair{false: {}, true: {}}
	for _, secure := range []bool{false, true} {
		for _, s := range sides {
			p, err := startPair(ctx, s, secure)
			if err != nil {
				return err
			}
			defer p.server.stop()
			defer p.client.stop()
			pairs[secure][s] = p
		}
	}
	all := rows()
	got := make([]map[string][]sample, len(all))
	for i := range all {
		got[i] = map[string][]sample{}
		n, err := calls(pairs[all[i].secure]["grpc-go"], all[i].task, o.share)
		if err != nil {
			return err
		}
		all[i].task.Calls = n
	}
	for round := range o.rounds {
		for i, r := range all {
			fmt.Fprintf(os.Stderr, "round %d: %s\n", round+1, r.name)
			for _, s := range sides {
				m, err := pairs[r.secure][s].measure(r.task)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s, r.name, err)
				}
				got[i][s] = append(got[i][s], m)
			}
		}
	}
	report := table(all, got, o) + codecs(o)
	fmt.Print(report)
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, []byte(report), 0o644)
}

// calls finds out how many calls take about as long as share, and warms up.
func calls(p *pair, t task, share time.Duration) (int, error) {
	t.Calls = 2000
	begun := time.Now()
	for range 2 {
		begun = time.Now()
		if _, err := p.measure(t); err != nil {
			return 0, err
		}
	}
	return max(2000, int(float64(t.Calls)*float64(share)/float64(time.Since(begun)))), nil
}
