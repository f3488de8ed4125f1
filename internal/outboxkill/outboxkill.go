// Package outboxkill kills the relays of an outbox, again and again, while messages are
// written and published, and counts what arrives. Relays are processes of the test's own
// program, killed as kill -9 does.
//
// It imports runtime/broker and what is below, runtime/outbox and the standard library.
package outboxkill

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/dedup"
	dedupmemory "github.com/concordat-dev/concordat/runtime/broker/dedup/memory"
	"github.com/concordat-dev/concordat/runtime/broker/nats"
	"github.com/concordat-dev/concordat/runtime/broker/nats/natsembed"
	"github.com/concordat-dev/concordat/runtime/outbox"
)

// What a relay that is a process of its own is told.
const (
	envDatabase = "OUTBOXKILL_DATABASE"
	envBroker   = "OUTBOXKILL_BROKER"
)

const (
	keys     = 7
	phase    = 300 // messages between two kills
	patience = time.Minute
)

// Relay runs a relay where the test's program was started to be one, until it is killed.
// open connects to the database. Otherwise it returns.
func Relay(t *testing.T, open func(database string) (outbox.Store, error)) {
	if os.Getenv(envDatabase) == "" {
		return
	}
	store, err := open(os.Getenv(envDatabase))
	if err != nil {
		t.Fatal(err)
	}
	b, err := connect(os.Getenv(envBroker))
	if err != nil {
		t.Fatal(err)
	}
	r := &outbox.Relay{Store: store, Broker: b, Batch: 32, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// connect makes a broker whose stream recognises next to no duplicates, so that they show.
func connect(url string) (*nats.Broker, error) {
	return nats.New(url, nats.WithPlaintext(), nats.WithStream(jetstream.StreamConfig{
		Name: "killed", Subjects: []string{"killed", "killed.>"}, Storage: jetstream.MemoryStorage, Duplicates: 100 * time.Millisecond,
	}))
}

// Run writes messages by write, which publishes those that it is given in one transaction,
// while relays, so many at a time, are killed after every phase.
func Run(t *testing.T, database string, phases, relays int, write func(ctx context.Context, m []*broker.Message) error) {
	if testing.Short() {
		phases = 2
	}
	s, err := natsembed.Start(natsembed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b, err := connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger()
	l.receive(t, b)
	n := 0
	for p := range phases {
		var gang []*exec.Cmd
		for range relays {
			gang = append(gang, spawn(t, database, s.URL()))
		}
		var writing sync.WaitGroup
		writing.Go(func() { writePhase(t, n, write) })
		if p == phases-1 {
			writing.Wait()
			n += phase
			l.await(t, n)
		} else {
			l.await(t, n+1+rand.IntN(phase/2)) // in the midst of it
		}
		for _, cmd := range gang {
			kill(cmd)
		}
		if p < phases-1 {
			writing.Wait()
			n += phase
		}
	}
	l.check(t, n)
}

// writePhase writes the messages from n on, in small transactions.
func writePhase(t *testing.T, n int, write func(context.Context, []*broker.Message) error) {
	for end := n + phase; n < end; {
		var batch []*broker.Message
		for range 5 {
			batch = append(batch, &broker.Message{Address: "killed/x", Key: "k" + strconv.Itoa(n%keys), ID: strconv.Itoa(n), Body: []byte(strconv.Itoa(n))})
			n++
		}
		if err := write(t.Context(), batch); err != nil {
			t.Error(err)
			return
		}
	}
}

func spawn(t *testing.T, database, url string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRelayProcess$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), envDatabase+"="+database, envBroker+"="+url)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kill(cmd)
		if t.Failed() {
			t.Logf("a relay said: %s", out.String())
		}
	})
	return cmd
}

func kill(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// A ledger counts what arrives, and what is left of it behind dedup.
type ledger struct {
	mu       sync.Mutex
	arrived  int
	effects  map[int]int
	last     map[string]int // by key
	disorder []string
	more     chan struct{}
}

func newLedger() *ledger {
	return &ledger{effects: map[int]int{}, last: map[string]int{}, more: make(chan struct{}, 1)}
}

func (l *ledger) receive(t *testing.T, b *nats.Broker) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	up, ended := make(chan struct{}), make(chan error, 1)
	s := broker.Subscription{Address: "killed/{x}", Group: "ledger", Concurrency: 16, Ready: func() { close(up) }}
	once := dedup.Around(dedupmemory.New(0), dedup.Options{})(ctx, s, l.effect)
	go func() {
		ended <- b.Subscribe(ctx, s, func(ctx context.Context, m *broker.Message) error {
			l.mu.Lock()
			l.arrived++
			l.mu.Unlock()
			return once(ctx, m)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = b.Close(context.Background())
	})
	select {
	case <-up:
	case <-time.After(patience):
		t.Fatal("the subscription is not confirmed")
	}
}

func (l *ledger) effect(_ context.Context, m *broker.Message) error {
	n, err := strconv.Atoi(string(m.Body))
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if before, ok := l.last[m.Key]; ok && n <= before {
		l.disorder = append(l.disorder, fmt.Sprintf("%d after %d", n, before))
	}
	l.last[m.Key] = n
	l.effects[n]++
	select {
	case l.more <- struct{}{}:
	default:
	}
	return nil
}

// await waits until n messages had their effect.
func (l *ledger) await(t *testing.T, n int) {
	t.Helper()
	for end := time.After(patience); ; {
		l.mu.Lock()
		got := len(l.effects)
		l.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-l.more:
		case <-end:
			t.Fatalf("%d of %d messages have arrived", got, n)
		}
	}
}

// check holds the ledger against what was written.
func (l *ledger) check(t *testing.T, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lost, twice := 0, 0
	for i := range n {
		switch times := l.effects[i]; {
		case times == 0:
			lost++
		case times > 1:
			twice++
		}
	}
	t.Logf("written %d, arrived %d, duplicates %d; behind dedup: lost %d, twice %d, out of order %d", n, l.arrived, l.arrived-n, lost, twice, len(l.disorder))
	if lost > 0 || twice > 0 || len(l.disorder) > 0 {
		t.Errorf("lost %d, twice %d, out of order %v", lost, twice, l.disorder)
	}
}
