package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/examples/retail/activity"
	"github.com/concordat-dev/concordat/examples/retail/internal/analytics"
	"github.com/concordat-dev/concordat/examples/retail/internal/orderservice"
	"github.com/concordat-dev/concordat/examples/retail/internal/platform"
	"github.com/concordat-dev/concordat/examples/retail/internal/storefront"
	"github.com/concordat-dev/concordat/examples/retail/internal/support"
	"github.com/concordat-dev/concordat/examples/retail/internal/userservice"
	"github.com/concordat-dev/concordat/examples/retail/orders"
	"github.com/concordat-dev/concordat/examples/retail/users"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/nats"
	"github.com/concordat-dev/concordat/runtime/broker/nats/natsembed"
)

// roles in the order in which they start.
var roles = []string{"broker", "users", "orders", "analytics", "storefront"}

// A program runs one role until ctx is done, and then says what it saw.
type program func(ctx context.Context, p *platform.Platform, o options, r *report) error

var programs = map[string]program{
	"broker": runBroker, "users": runUsers, "orders": runOrders, "analytics": runAnalytics, "storefront": runStorefront,
}

func runBroker(ctx context.Context, p *platform.Platform, _ options, _ *report) error {
	c, err := p.TLS("broker")
	if err != nil {
		return err
	}
	s, err := natsembed.Start(natsembed.Options{TLS: c})
	if err != nil {
		return err
	}
	if err := p.Announce("broker", s.URL()); err != nil {
		return errors.Join(err, s.Close())
	}
	<-ctx.Done()
	return s.Close()
}

// serve runs a server of a role on a free port, and announces it.
func serve(ctx context.Context, p *platform.Platform, role string, register func(*concordat.Server), opts ...concordat.ServerOption) error {
	c, err := p.TLS(role)
	if err != nil {
		return err
	}
	callers := auth.Policy{"*": {"cn:storefront"}} // by the names in certificates: nobody else has business here
	s := concordat.NewServer(append(opts, concordat.WithTLS(c), concordat.WithAuthorization(callers))...)
	register(s)
	go func() {
		<-s.Ready()
		_ = p.Announce(role, s.Addr()) // who cannot be found is missed by the others
	}()
	return s.Run(ctx)
}

// runUsers runs two instances over one store. The second refuses every fourth call, and
// hangs for two seconds while the storefront is at its busiest.
func runUsers(ctx context.Context, p *platform.Platform, o options, r *report) error {
	store := userservice.New()
	register := func(s *concordat.Server) { users.Register(s, store) }
	faults := &faults{begin: time.Now().Add(3 * time.Second), hang: 2 * time.Second}
	opts := []concordat.ServerOption{concordat.WithInterceptors(database)}
	sick := opts
	if !o.calm {
		sick = append(sick, concordat.WithInterceptors(faults.interceptor))
	}
	err := both(
		func() error { return serve(ctx, p, "users-1", register, opts...) },
		func() error { return serve(ctx, p, "users-2", register, sick...) },
	)
	r.users(faults.refused.Load(), faults.hung.Load())
	return err
}

// database takes the time that a database takes.
func database(ctx context.Context, _ *concordat.Call, in any, next concordat.Next) (any, error) {
	time.Sleep(4 * time.Millisecond)
	return next(ctx, in)
}

// faults are what instance 2 of users does wrong, on purpose.
type faults struct {
	begin         time.Time
	hang          time.Duration
	calls         atomic.Int64
	refused, hung atomic.Int64
}

func (f *faults) interceptor(ctx context.Context, _ *concordat.Call, in any, next concordat.Next) (any, error) {
	if since := time.Since(f.begin); since > 0 && since < f.hang {
		f.hung.Add(1)
		select {
		case <-time.After(f.hang - since):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if f.calls.Add(1)%4 == 0 {
		f.refused.Add(1)
		return nil, concordat.Errorf(concordat.Unavailable, "instance 2 of users is not well (injected)")
	}
	return next(ctx, in)
}

func runOrders(ctx context.Context, p *platform.Platform, _ options, _ *report) error {
	return serve(ctx, p, "orders", func(s *concordat.Server) { orders.RegisterOrders(s, orderservice.New()) })
}

// messages opens the broker for a role.
func messages(ctx context.Context, p *platform.Platform, role string) (*nats.Broker, error) {
	c, err := p.TLS(role)
	if err != nil {
		return nil, err
	}
	target, err := p.Find(ctx, "broker")
	if err != nil {
		return nil, err
	}
	return nats.New(target, nats.WithTLS(c), nats.WithName(role))
}

func closing(b *nats.Broker) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return b.Close(ctx)
}

func runAnalytics(ctx context.Context, p *platform.Platform, o options, r *report) (err error) {
	b, err := messages(ctx, p, "analytics")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing(b)) }()
	counts := &analytics.Counts{}
	if !o.calm {
		counts.FailEvery = 20
	}
	r.watch(counts)
	dead := &atomic.Int64{}
	err = serve(ctx, p, "analytics", func(s *concordat.Server) {
		activity.Subscribe(s, counts)
		s.Background("dead letters", func(ctx context.Context) error {
			return b.Subscribe(ctx, broker.Subscription{Address: "retail/activity-dead", Group: "analytics"}, func(context.Context, *broker.Message) error {
				dead.Add(1)
				return nil
			})
		})
	}, concordat.WithBroker(b))
	r.analytics(counts.Summary(), dead.Load())
	return err
}

// runStorefront opens the connections of the desk, and sends customers there.
func runStorefront(ctx context.Context, p *platform.Platform, o options, r *report) (err error) {
	d, err := openDesk(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	stopAdmin, err := r.serveMetrics(d)
	if err != nil {
		return err
	}
	defer stopAdmin()
	if !o.calm {
		// What somebody sends who does not know the contract.
		if err := d.broker.Publish(ctx, &broker.Message{Address: "retail/activity/nobody", Media: "application/json", Body: []byte(`{"id":`)}); err != nil {
			return err
		}
	}
	begun := time.Now()
	busy, cancel := ctx, context.CancelFunc(func() {})
	if o.lasts > 0 {
		busy, cancel = context.WithTimeout(ctx, o.lasts)
	}
	defer cancel()
	s := &storefront.Storefront{Desk: d.desk(), Customers: 30, Workers: 8}
	result, err := s.Run(busy)
	if err != nil {
		return err
	}
	r.storefront(time.Since(begun), result, d)
	return nil
}

// A deskConns is what the desk of customer support is connected to.
type deskConns struct {
	users, orders, activity *concordat.Conn
	broker                  *nats.Broker
}

func openDesk(ctx context.Context, p *platform.Platform) (*deskConns, error) {
	c, err := p.TLS("storefront")
	if err != nil {
		return nil, err
	}
	var conns [2]*concordat.Conn
	for i, who := range [][]string{{"users-1", "users-2"}, {"orders"}} {
		addrs, err := p.Find(ctx, who...)
		if err != nil {
			return nil, err
		}
		if conns[i], err = concordat.NewConn("static:"+addrs, concordat.WithTLS(c), concordat.WithTimeout(2*time.Second)); err != nil {
			return nil, err
		}
	}
	b, err := messages(ctx, p, "storefront")
	if err != nil {
		return nil, err
	}
	events, err := concordat.NewBrokerConn(b)
	if err != nil {
		return nil, errors.Join(err, closing(b))
	}
	return &deskConns{users: conns[0], orders: conns[1], activity: events, broker: b}, nil
}

func (d *deskConns) desk() *support.Desk {
	return &support.Desk{
		Users:    users.NewClient(d.users),
		Orders:   orders.NewOrdersClient(d.orders),
		Activity: activity.NewPublisher(d.activity),
	}
}

func (d *deskConns) close() error {
	return errors.Join(d.users.Close(), d.orders.Close(), d.activity.Close(), closing(d.broker))
}

// both runs two things side by side until both have ended.
func both(a, b func() error) error {
	done := make(chan error, 1)
	go func() { done <- a() }()
	err := b()
	return errors.Join(err, <-done)
}

// loopback finds a free port for the page of metrics.
func loopback() (net.Listener, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return ln, nil
}

func plural(n int64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %s", n, strings.TrimSuffix(word, "y")+map[bool]string{true: "ies", false: "s"}[strings.HasSuffix(word, "y")])
}
