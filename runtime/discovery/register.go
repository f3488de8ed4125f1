package discovery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery/internal/pace"
)

// An Instance is one server as it announces itself to a registry.
type Instance struct {
	Service    string            // what clients ask for; required
	Addr       string            // host:port that clients dial; required
	ID         string            // distinct among all instances of all services; "" means Service and Addr
	Secure     bool              // Addr speaks TLS
	ServerName string            // the name its certificate bears; "" means the host of Addr
	Weight     int               // relative share of calls; 0 means 1
	Zone       string            // where it runs
	Tags       []string          // for registries that have tags
	Meta       map[string]string // for whoever reads it

	// Health says whether calls should come; it is asked before every renewal and has as
	// long as that may take. nil means always well.
	Health func(context.Context) error
}

// Name returns ID, or what stands for it.
func (i Instance) Name() string {
	if i.ID != "" {
		return i.ID
	}
	return i.Service + "-" + i.Addr
}

// HostPort returns the parts of Addr, which Announce has checked.
func (i Instance) HostPort() (host string, port int, err error) {
	host, p, err := net.SplitHostPort(i.Addr)
	if err != nil {
		return "", 0, fmt.Errorf("instance %q: %w", i.Name(), err)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("instance %q: port %q is not a number from 1 to 65535", i.Name(), p)
	}
	return host, int(n), nil
}

func (i Instance) check() error {
	if i.Service == "" {
		return errors.New("the instance has no service name")
	}
	host, _, err := i.HostPort()
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return fmt.Errorf("instance %q: clients cannot dial %q; say the address of this machine that they reach", i.Name(), i.Addr)
	}
	return nil
}

// ErrUnknown is what Renew returns, perhaps wrapped, when the registry does not know the
// instance any more: it lost its memory, or the lease ran out. It has to be registered
// again.
var ErrUnknown = errors.New("the registry does not know this instance")

// A Registrar is the side of a registry that servers talk to. Each method is one
// attempt; [Announce] repeats them. sick is what Health said, nil when all is well.
type Registrar interface {
	// Register makes the instance known, replacing what was known under its name.
	Register(ctx context.Context, i Instance, sick error) error
	// Renew says that the instance still lives. It returns ErrUnknown where that is news.
	Renew(ctx context.Context, i Instance, sick error) error
	// Deregister makes the registry forget the instance; that it never knew it is no error.
	Deregister(ctx context.Context, i Instance) error
	// Every is how often to renew: a third of what the registry puts up with, or less.
	Every() time.Duration
}

// How long Announce waits.
const (
	// FirstRetry is the pause after the first failure; it doubles up to the heartbeat.
	FirstRetry = 250 * time.Millisecond
	// Farewell is how long deregistering may take.
	Farewell = 3 * time.Second
)

// Announce registers i, keeps it registered until ctx is done, and deregisters it then;
// servers end ctx before they begin to drain, and drain when Announce has returned. A
// registry that is down or forgets is asked again, at least once per heartbeat. report,
// unless nil, is told of every failure, and nil when it is over. The result is nil, or
// why i cannot be announced at all, or why it could not be deregistered.
func Announce(ctx context.Context, r Registrar, i Instance, report func(error)) error {
	if err := i.check(); err != nil {
		return err
	}
	if report == nil {
		report = func(error) {}
	}
	a := announcer{Registrar: r, i: i, report: report}
	for a.beat(ctx); pace.Sleep(ctx, a.wait()); a.beat(ctx) {
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), Farewell)
	defer cancel()
	if err := r.Deregister(bye, i); err != nil {
		return fmt.Errorf("deregistering %s: %w; the registry will drop it when its lease ends", i.Name(), err)
	}
	return nil
}

type announcer struct {
	Registrar
	i        Instance
	report   func(error)
	known    bool
	failures int
}

// beat is one heartbeat: renew, and register where that is needed.
func (a *announcer) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, max(a.Every(), time.Second))
	defer cancel()
	err := a.once(ctx)
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
	case err != nil:
		a.failures++
		a.report(fmt.Errorf("announcing %s: %w", a.i.Name(), err))
	case a.failures > 0:
		a.failures = 0
		a.report(nil)
	}
}

func (a *announcer) once(ctx context.Context) error {
	var sick error
	if a.i.Health != nil {
		sick = a.i.Health(ctx)
	}
	if a.known {
		err := a.Renew(ctx, a.i, sick)
		if !errors.Is(err, ErrUnknown) {
			return err
		}
		a.known = false
	}
	err := a.Register(ctx, a.i, sick)
	a.known = err == nil
	return err
}

// wait is the pause before the next beat, with ±10 % of jitter so that a thousand
// instances do not knock together; after failures it begins short and is full-jittered.
func (a *announcer) wait() time.Duration {
	every := a.Every()
	if a.failures == 0 {
		return pace.Jitter(every)
	}
	d := min(FirstRetry<<min(a.failures-1, 10), every)
	return d/2 + rand.N(d/2+1)
}
