package vault_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/examples/retail/orders"
	"github.com/concordat-dev/concordat/examples/retail/orders/orderstest"
	"github.com/concordat-dev/concordat/examples/vault/vault"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/concordattest"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

func orderService() orderstest.Orders {
	return orderstest.Orders{
		OnGetOrder: func(ctx context.Context, in *orders.GetOrderRequest) (*orders.Order, error) {
			return &orders.Order{Id: auth.PrincipalOf(ctx).String() + " by " + auth.PeerOf(ctx).Name()}, nil
		},
		OnTrackOrder: func(context.Context, *orders.TrackOrderRequest) iter.Seq2[*orders.OrderEvent, error] {
			return func(yield func(*orders.OrderEvent, error) bool) { yield(&orders.OrderEvent{}, nil) }
		},
	}
}

// REST and gRPC are authorized alike, by the certificate's names.
func TestPeersAreAuthorized(t *testing.T) {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	tls := func(name string, uris ...string) *tlsconf.Config {
		l, err := ca.IssueFor(devca.Request{Name: name, Hosts: []string{"127.0.0.1", name + ".retail"}, URIs: uris})
		if err != nil {
			t.Fatal(err)
		}
		return tlsconf.MutualPEM(l.Cert, l.Key, l.CA)
	}
	w := &world{log: new(safeBuffer)}
	srv := concordat.NewServer(concordat.WithTLS(tls("server")), w.logging(), concordat.WithoutAuthentication(), concordat.WithAuthorization(auth.Policy{
		"vault.Vault/*":                    {"spiffe://retail/staff/*"},
		"vault.Vault/GetMachine":           {"cn:admin", "dns:ops.retail"},
		"retail.orders.v1.Orders/GetOrder": {"spiffe://retail/desk"},
		"*":                                {"cn:nobody"},
	}))
	vault.Register(srv, implementation())
	orders.RegisterOrders(srv, orderService())
	addr := concordattest.Run(t, srv)
	for name, c := range map[string]struct {
		conf                    *tlsconf.Config
		status, machine, orders bool
	}{
		"staff":        {tls("x", "spiffe://retail/staff/ann"), true, false, false},
		"not staff":    {tls("x", "spiffe://retail/staff"), false, false, false},
		"other domain": {tls("x", "spiffe://evil/staff/ann"), false, false, false},
		"admin":        {tls("admin"), false, true, false},
		"ops":          {tls("ops"), false, true, false},
		"desk":         {tls("desk", "spiffe://retail/desk"), false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			conn := concordattest.Dial(t, "https://"+addr, concordat.WithTLS(c.conf), concordat.WithRetries(0), w.logging(), concordat.WithoutAuthentication())
			may := func(what string, want bool, err error) {
				t.Helper()
				if want != (err == nil) || err != nil && concordat.ErrorOf(err).Code != concordat.PermissionDenied {
					t.Errorf("%s: %v", what, err)
				}
			}
			_, err := calls["status"](t.Context(), vault.NewClient(conn))
			may("REST", c.status, err)
			_, err = calls["get machine"](t.Context(), vault.NewClient(conn))
			may("REST, one operation", c.machine, err)
			_, err = orders.NewOrdersClient(conn).GetOrder(t.Context(), &orders.GetOrderRequest{})
			may("gRPC", c.orders, err)
			for _, err := range orders.NewOrdersClient(conn).TrackOrder(t.Context(), &orders.TrackOrderRequest{}) {
				may("gRPC stream", false, err)
			}
		})
	}
	if err := concordat.NewServer(concordat.WithPlaintext(), concordat.WithAuthorization(auth.Policy{"users": {"*"}})).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "policy") {
		t.Errorf("a policy that is wrong: %v", err)
	}
}

// gRPC carries the same credentials, which its contracts cannot demand.
func TestRPCCredentials(t *testing.T) {
	secured := concordat.WithRPCSecurity(auth.Requirements{{{Scheme: auth.BearerToken, Scopes: []string{"orders"}}}})
	verify := concordat.WithVerifier(auth.BearerToken, auth.Tokens(func(_ context.Context, token string) (*auth.Principal, error) {
		switch token {
		case "good", "fresh":
			return &auth.Principal{Subject: "bob", Scopes: []string{"orders"}}, nil
		case "small":
			return &auth.Principal{Subject: "bob"}, nil
		}
		return nil, errors.New("unknown")
	}))
	conf := concordattest.TLS(t)
	srv := concordat.NewServer(concordat.WithTLS(conf), secured, verify, (&world{log: new(safeBuffer)}).logging())
	orders.RegisterOrders(srv, orderService())
	addr := concordattest.Run(t, srv)
	for name, c := range map[string]struct {
		opts []concordat.ConnOption
		want concordat.Code
		say  string
	}{
		"good":    {[]concordat.ConnOption{secured, concordat.WithCredentials(auth.BearerToken, auth.Static("good"))}, concordat.OK, ""},
		"wrong":   {[]concordat.ConnOption{secured, concordat.WithCredentials(auth.BearerToken, auth.Static("guess"))}, concordat.Unauthenticated, "not valid"},
		"small":   {[]concordat.ConnOption{secured, concordat.WithCredentials(auth.BearerToken, auth.Static("small"))}, concordat.PermissionDenied, "scope"},
		"none":    {[]concordat.ConnOption{secured}, concordat.Unauthenticated, "WithCredentials"},
		"unasked": {nil, concordat.Unauthenticated, "needs credentials"},
		"renewed": {[]concordat.ConnOption{secured, concordat.WithCredentials(auth.BearerToken, &auth.Cache{From: rotating("stale", "fresh")})}, concordat.OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			opts := append(c.opts, concordat.WithTLS(conf), concordat.WithRetries(0))
			client := orders.NewOrdersClient(concordattest.Dial(t, "https://"+addr, opts...))
			got, err := client.GetOrder(t.Context(), &orders.GetOrderRequest{})
			if err == nil && !strings.HasPrefix(got.GetId(), "bob by ") {
				t.Errorf("got %v", got)
			}
			hold := func(err error) {
				t.Helper()
				code := concordat.OK
				if err != nil {
					code = concordat.ErrorOf(err).Code
				}
				if code != c.want || err != nil && !strings.Contains(err.Error(), c.say) {
					t.Errorf("got %v", err)
				}
			}
			hold(err)
			for _, err := range client.TrackOrder(t.Context(), &orders.TrackOrderRequest{}) {
				hold(err)
			}
		})
	}
}

// What a server says of itself is guarded as its methods are, other than its health.
func TestReflectionIsGuarded(t *testing.T) {
	conf := concordattest.TLS(t)
	srv := concordat.NewServer(concordat.WithTLS(conf), (&world{log: new(safeBuffer)}).logging(), concordat.WithVerifier(auth.BearerToken, auth.Keys(nil)),
		concordat.WithRPCSecurity(auth.Requirements{{{Scheme: auth.BearerToken}}}))
	orders.RegisterOrders(srv, orderService())
	addr := concordattest.Run(t, srv)
	client, err := conf.Client("127.0.0.1", "h2")
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: client, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	for path, refused := range map[string]bool{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": true, "/grpc.health.v1.Health/Check": false, "/retail.orders.v1.Orders/GetOrder": true} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "https://"+addr+path, strings.NewReader("\x00\x00\x00\x00\x00"))
		req.Header.Set("Content-Type", "application/grpc+proto")
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get("Grpc-Status") == "16"; got != refused {
			t.Errorf("%s: refused %v, %v", path, got, resp.Header)
		}
	}
}

// rotating gives each value once, and then the last one.
func rotating(values ...string) auth.Source {
	return auth.SourceFunc(func(context.Context) (auth.Credential, error) {
		v := values[0]
		if len(values) > 1 {
			values = values[1:]
		}
		return auth.Credential{Value: v}, nil
	})
}
