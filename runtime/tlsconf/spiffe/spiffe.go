// Package spiffe gets certificates from a SPIFFE Workload API, SPIRE's agent for one, and
// knows peers by their SPIFFE ids: for services that are issued short-lived certificates
// by who they are, and not by where they run.
//
// It imports runtime/tlsconf and go-spiffe, which links gRPC's client.
package spiffe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Source follows what the Workload API says: our certificate, which it renews long
// before it expires, and the authorities of our trust domain and of those federated with
// it. It is safe for concurrent use.
type Source struct {
	api   *workloadapi.Client
	now   atomic.Pointer[workloadapi.X509Context]
	fault atomic.Pointer[error]
	first chan struct{} // closed when now is set
	once  sync.Once
	stop  context.CancelFunc
	ended sync.WaitGroup
}

// Open connects to the Workload API at addr ("unix:///run/spire/agent.sock",
// "tcp://127.0.0.1:8000"), or where SPIFFE_ENDPOINT_SOCKET says if addr is "". It waits
// until ctx is done for the first certificate; the caller closes the Source.
func Open(ctx context.Context, addr string) (*Source, error) {
	var opts []workloadapi.ClientOption
	switch named, _ := workloadapi.GetDefaultAddress(); {
	case addr != "":
		opts = append(opts, workloadapi.WithAddr(addr))
	case named == "":
		return nil, fmt.Errorf("spiffe: the Workload API's address is unknown; give it, or set %s", workloadapi.SocketEnv)
	}
	api, err := workloadapi.New(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("spiffe: %w", err)
	}
	s := &Source{api: api, first: make(chan struct{})}
	follow, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.ended.Go(func() { _ = api.WatchX509Context(follow, s) })
	select {
	case <-s.first:
		return s, nil
	case <-ctx.Done():
		err := errors.Join(ctx.Err(), s.said(), s.Close())
		return nil, fmt.Errorf("spiffe: no certificate from the Workload API: %w; does an agent run there, and is this workload registered with it?", err)
	}
}

// OnX509ContextUpdate is for the Workload API's client.
func (s *Source) OnX509ContextUpdate(x *workloadapi.X509Context) {
	s.now.Store(x)
	s.fault.Store(nil)
	s.once.Do(func() { close(s.first) })
}

// OnX509ContextWatchError is for the Workload API's client, which goes on trying.
func (s *Source) OnX509ContextWatchError(err error) { s.fault.Store(&err) }

// Err returns why the Workload API cannot be followed at present, or nil. What it said
// last stays in use.
func (s *Source) Err() error { return s.said() }

func (s *Source) said() error {
	if err := s.fault.Load(); err != nil {
		return *err
	}
	return nil
}

// Close ends following. Connections that exist go on.
func (s *Source) Close() error {
	s.stop()
	s.ended.Wait()
	return s.api.Close()
}

// ID returns who we are: "spiffe://shop.test/users".
func (s *Source) ID() string { return s.now.Load().DefaultSVID().ID.String() }

// TLS returns a mutual configuration for clients and servers: we show our certificate,
// and talk to those that allow lets in. Certificates and authorities are those of the
// moment of each handshake, to within [tlsconf.Recheck].
func (s *Source) TLS(allow Allow) *tlsconf.Config {
	return tlsconf.PEM(s.material).Identify(func(chain []*x509.Certificate) error {
		id, _, err := x509svid.Verify(chain, s.now.Load().Bundles)
		if err != nil {
			return fmt.Errorf("spiffe: %w", err)
		}
		if err := allow(id.String()); err != nil {
			return fmt.Errorf("spiffe: %s is not let in: %w", id, err)
		}
		return nil
	})
}

// An Allow decides on a peer by its id; an error keeps it out.
type Allow func(id string) error

// IDs lets in those named.
func IDs(ids ...string) Allow {
	return func(id string) error {
		if slices.Contains(ids, id) {
			return nil
		}
		return errors.New("its id is not among those allowed")
	}
}

// Domain lets in everybody of a trust domain: "shop.test".
func Domain(domain string) Allow {
	return func(id string) error {
		peer, err := spiffeid.FromString(id)
		if err != nil {
			return err
		}
		if d, err := spiffeid.TrustDomainFromString(domain); err != nil || !peer.MemberOf(d) {
			return fmt.Errorf("it is of another trust domain than %s", domain)
		}
		return nil
	}
}

// material is what TLS is made of now. ca holds the authorities of all trust domains; that
// each speaks only for its own is seen to afterwards, by x509svid.Verify.
func (s *Source) material() (cert, key, ca []byte, err error) {
	x := s.now.Load()
	cert, key, err = x.DefaultSVID().Marshal()
	if err != nil {
		return nil, nil, nil, err
	}
	for _, b := range x.Bundles.Bundles() {
		text, err := b.Marshal()
		if err != nil {
			return nil, nil, nil, err
		}
		ca = append(ca, text...)
	}
	return cert, key, ca, nil
}
