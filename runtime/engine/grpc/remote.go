package grpcengine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
)

// A remote is a ClientConn to one endpoint. It knows whether that is connected, and why
// not: grpc-go itself would tell that as text, and not before its backoff ends.
type remote struct {
	cc    *grpc.ClientConn
	calls int       // guarded by its carrier
	used  time.Time // guarded by its carrier

	ready atomic.Bool

	mu       sync.Mutex
	state    connectivity.State
	failures int
	err      error // of the last failure to connect
	changed  chan struct{}
}

func (r *remote) close() { _ = r.cc.Close() }

// await returns when there is a connection, or why none came about since.
func (r *remote) await(ctx context.Context) error {
	if r.ready.Load() {
		return nil
	}
	state, failures, changed, _ := r.look()
	if state == connectivity.TransientFailure {
		r.cc.ResetConnectBackoff() // somebody wants it now
	}
	r.cc.Connect()
	for before := failures; !r.ready.Load(); {
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		var err error
		if _, failures, changed, err = r.look(); failures != before && !r.ready.Load() {
			return err
		}
	}
	return nil
}

func (r *remote) look() (s connectivity.State, failures int, changed <-chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, r.failures, r.changed, r.err
}

// note is told by the balancer.
func (r *remote) note(s connectivity.State, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = s
	if s == connectivity.TransientFailure {
		if r.err = err; err == nil {
			r.err = errors.New("no connection")
		}
		r.failures++
	}
	r.ready.Store(s == connectivity.Ready)
	close(r.changed)
	r.changed = make(chan struct{})
}

// balancerName is how a ClientConn finds the balancer, which grpc-go does by name.
const balancerName = "concordat_one_endpoint"

// grpc-go's registry of balancers wants to be written to while programs are initialised,
// and by nobody later.
func init() { balancer.Register(builder{}) }

// builder makes balancers that have one endpoint: the runtime has picked it.
type builder struct{}

// Name implements balancer.Builder.
func (builder) Name() string { return balancerName }

// Build implements balancer.Builder.
func (builder) Build(cc balancer.ClientConn, o balancer.BuildOptions) balancer.Balancer {
	c, _ := o.DialCreds.(*credential)
	return &one{cc: cc, credential: c}
}

// one is the balancer of a remote. grpc-go calls it by one goroutine at a time.
type one struct {
	cc         balancer.ClientConn
	credential *credential
	sub        balancer.SubConn
}

// UpdateClientConnState implements balancer.Balancer. The address never changes.
func (b *one) UpdateClientConnState(s balancer.ClientConnState) error {
	if b.sub != nil {
		return nil
	}
	if b.credential == nil {
		return errors.New("this balancer is concordat's own")
	}
	//lint:ignore SA1019 there is no other way yet, and one address is all that it gets
	sub, err := b.cc.NewSubConn(s.ResolverState.Addresses, balancer.NewSubConnOptions{StateListener: b.turned})
	if err != nil {
		return err
	}
	b.sub = sub
	sub.Connect()
	return nil
}

func (b *one) turned(s balancer.SubConnState) {
	state := s.ConnectivityState
	p := picker{err: balancer.ErrNoSubConnAvailable} // calls wait
	switch state {
	case connectivity.Shutdown:
		return
	case connectivity.Ready:
		p = picker{sub: b.sub}
	case connectivity.TransientFailure:
		p = picker{err: s.ConnectionError}
	case connectivity.Idle:
		state = connectivity.Connecting
		defer b.sub.Connect()
	}
	b.cc.UpdateState(balancer.State{ConnectivityState: state, Picker: p})
	b.credential.remote.note(state, s.ConnectionError)
}

// ResolverError implements balancer.Balancer. There is no resolver that could fail.
func (b *one) ResolverError(error) {}

// UpdateSubConnState implements balancer.Balancer; grpc-go calls turned instead.
func (b *one) UpdateSubConnState(balancer.SubConn, balancer.SubConnState) {}

// ExitIdle implements balancer.Balancer.
func (b *one) ExitIdle() {
	if b.sub != nil {
		b.sub.Connect()
	}
}

// Close implements balancer.Balancer: nobody called for a while.
func (b *one) Close() {
	if b.credential != nil {
		b.credential.remote.note(connectivity.Idle, nil)
	}
}

type picker struct {
	sub balancer.SubConn
	err error
}

// Pick implements balancer.Picker.
func (p picker) Pick(balancer.PickInfo) (balancer.PickResult, error) {
	if p.sub == nil {
		err := p.err
		if err == nil {
			err = errors.New("no connection")
		}
		return balancer.PickResult{}, err
	}
	return balancer.PickResult{SubConn: p.sub}, nil
}
