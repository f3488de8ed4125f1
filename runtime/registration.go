package runtime

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

// A registration is one registry that is to know the server.
type registration struct {
	to discovery.Registrar
	as discovery.Instance
}

// WithRegistration announces the server to a registry while it accepts calls: from when
// Run has bound until its context is done, and so before draining begins, that clients
// go elsewhere meanwhile. Given several times, it announces to each.
//
// as.Service is required. Where as.Addr is empty it is the address listened on; if that is
// all addresses, the first of this machine that is not of the loopback interface. Secure
// is set where the server has WithTLS. A registry that is down, or forgets, is asked again
// at every heartbeat and does not stop the server; failures are logged.
func WithRegistration(to discovery.Registrar, as discovery.Instance) ServerOption {
	return serverOption(func(s *Server) { s.registrations = append(s.registrations, registration{to, as}) })
}

// announce tells the registries until the function it returns is called, which takes that
// back and waits for it. fail is told of what cannot be announced at all.
func (s *Server) announce(ctx context.Context, fail func(error)) (withdraw func()) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	for _, r := range s.registrations {
		all.Go(func() {
			if err := s.register(ctx, r); err != nil {
				fail(err)
			}
		})
	}
	return func() { stop(); all.Wait() }
}

// register keeps the server in one registry until ctx is done. That a registry could not
// be told goodbye is logged only: its lease ends by itself.
func (s *Server) register(ctx context.Context, r registration) error {
	i, err := s.instance(r.as)
	if err != nil {
		return err
	}
	err = discovery.Announce(ctx, r.to, i, func(err error) { s.announced(i, err) })
	if err != nil && ctx.Err() != nil {
		s.log.Warn("the registry was not told that the server goes", "instance", i.Name(), "error", err)
		return nil
	}
	if err != nil {
		return Errorf(InvalidArgument, "WithRegistration: %w", err)
	}
	return nil
}

func (s *Server) announced(i discovery.Instance, err error) {
	if err != nil {
		s.log.Warn("the registry does not know this server; it will be told again", "instance", i.Name(), "error", err)
		return
	}
	s.log.Info("the registry knows this server again", "instance", i.Name())
}

// instance completes what WithRegistration was given.
func (s *Server) instance(i discovery.Instance) (discovery.Instance, error) {
	i.Secure = i.Secure || s.tls != nil
	if i.Addr != "" {
		return i, nil
	}
	at, err := netip.ParseAddrPort(s.Addr())
	if err != nil {
		return i, Errorf(InvalidArgument, "WithRegistration: clients cannot dial %q; say by Instance.Addr what they reach", s.Addr())
	}
	if at.Addr().IsUnspecified() {
		own, err := outward()
		if err != nil {
			return i, err
		}
		at = netip.AddrPortFrom(own, at.Port())
	}
	i.Addr = at.String()
	return i, nil
}

// outward is this machine's first address that others can reach.
func outward() (netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}, Errorf(Unavailable, "WithRegistration: the addresses of this machine: %w; say by Instance.Addr what clients reach", err)
	}
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && p.Addr().IsGlobalUnicast() {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, Errorf(FailedPrecondition, "WithRegistration: this machine has no address but its own loopback; say by Instance.Addr what clients reach")
}
