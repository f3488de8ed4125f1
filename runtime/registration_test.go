package runtime_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/discovery"
)

// A ledger is a registry that writes down what it is told.
type ledger struct {
	mu   sync.Mutex
	said []string
	last discovery.Instance
	down bool // refuses to register
	told chan struct{}
}

func newLedger() *ledger { return &ledger{told: make(chan struct{}, 100)} }

func (l *ledger) note(what string, i discovery.Instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said, l.last = append(l.said, what), i
	l.told <- struct{}{}
}

func (l *ledger) Register(_ context.Context, i discovery.Instance, _ error) error {
	l.note("register", i)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		l.down = false
		return errors.New("registry is down")
	}
	return nil
}

func (l *ledger) Renew(context.Context, discovery.Instance, error) error { return nil }

func (l *ledger) Deregister(_ context.Context, i discovery.Instance) error {
	l.note("deregister", i)
	return nil
}

func (l *ledger) Every() time.Duration { return time.Second }

func (l *ledger) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.said)
}

// run runs s until the returned function is called, which returns what Run did.
func run(t *testing.T, s *concordat.Server) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return func() error { cancel(); return <-ended }
}

func TestServersAnnounceThemselves(t *testing.T) {
	reg := newLedger()
	s := concordat.NewServer(concordat.WithPlaintext(),
		concordat.WithRegistration(reg, discovery.Instance{Service: "users", Zone: "a"}))
	stop := run(t, s)
	<-reg.told
	reg.mu.Lock()
	at := reg.last
	reg.mu.Unlock()
	if at.Addr != s.Addr() || at.Secure || at.Zone != "a" {
		t.Errorf("announced %+v, listens on %s", at, s.Addr())
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := reg.all(); !slices.Equal(got, []string{"register", "deregister"}) {
		t.Error("the registry heard", got)
	}
}

func TestServersSayGoodbyeBeforeTheyDrain(t *testing.T) {
	reg := newLedger()
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithRegistration(reg, discovery.Instance{Service: "users"}))
	began, finish := make(chan struct{}), make(chan struct{})
	answer(s, &getSpec, func(context.Context, string) (string, error) {
		close(began)
		<-finish
		return "served", nil
	})
	stop := run(t, s)
	<-reg.told
	c := dial(t, "http://"+s.Addr())
	got := make(chan string, 1)
	go func() {
		out, err := do(t.Context(), c, &getSpec, "")
		got <- out + errText(err)
	}()
	<-began
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	<-reg.told // the call is still in flight
	if said := reg.all(); !slices.Equal(said, []string{"register", "deregister"}) {
		t.Error("while draining, the registry had heard", said)
	}
	close(finish)
	if out := <-got; out != "served" {
		t.Error("the call in flight:", out)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestARegistryThatIsDownStopsNoServer(t *testing.T) {
	reg := newLedger()
	reg.down = true
	log, said := logs()
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithLogger(log),
		concordat.WithRegistration(reg, discovery.Instance{Service: "users"}))
	stop := run(t, s)
	<-reg.told
	<-reg.told // tried again
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said(), "registry is down") {
		t.Error("the log does not say why:", said())
	}
}

func TestInstancesThatCannotBeAnnounced(t *testing.T) {
	for _, c := range []struct {
		name string
		i    discovery.Instance
		want string
	}{
		{"nameless", discovery.Instance{}, "no service name"},
		{"undialable", discovery.Instance{Service: "users", Addr: "0.0.0.0:80"}, "cannot dial"},
		{"no port", discovery.Instance{Service: "users", Addr: "host"}, "missing port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithRegistration(newLedger(), c.i))
			if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Run: %v, want %q", err, c.want)
			}
		})
	}
}

func TestListeningEverywhereIsAnnouncedByAnAddress(t *testing.T) {
	if !reachable(t) {
		t.Skip("this machine has no address but its loopback")
	}
	reg := newLedger()
	s := concordat.NewServer(concordat.WithPlaintext(), concordat.WithAddr(":0"),
		concordat.WithRegistration(reg, discovery.Instance{Service: "users"}))
	stop := run(t, s)
	<-reg.told
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(reg.last.Addr)
	if at.Addr().IsUnspecified() || at.Addr().IsLoopback() || !strings.HasSuffix(s.Addr(), reg.last.Addr[strings.LastIndexByte(reg.last.Addr, ':'):]) {
		t.Errorf("announced %s, listens on %s", at, s.Addr())
	}
}

func reachable(t *testing.T) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().IsGlobalUnicast()
	})
}
