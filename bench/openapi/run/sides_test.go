package run

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	ours "github.com/concordat-dev/concordat/bench/openapi/gen/concordat/orders"
	oapi "github.com/concordat-dev/concordat/bench/openapi/gen/oapi-codegen/orders"
	ogen "github.com/concordat-dev/concordat/bench/openapi/gen/ogen/orders"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/go-faster/jx"
)

// A side is one generator's server and client of the same contract.
type side struct {
	name    string
	handler func(testing.TB) http.Handler
	client  func(tb testing.TB, url string) client
}

// A client makes the two calls that are measured; they return an error unless the answer
// was the declared success.
type client struct{ list, post call }

// A call is one round trip.
type call = func(context.Context) error

var sides = []side{
	{concordatSide, oursHandler, oursClient},
	{ogenSide, ogenHandler, ogenClient},
	{oapiSide, oapiHandler, oapiClient},
}

// connections is how many calls run at once, and how many idle connections clients keep.
const connections = 8

// pooled is the HTTP client of the peers: the standard one with room for all connections,
// since it keeps two otherwise and spends its time on handshakes.
func pooled() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = connections
	return &http.Client{Transport: t}
}

type oursImpl struct {
	ours.Orders // the operations that are not measured
	page        *ours.OrderPage
}

func (s *oursImpl) ListOrders(context.Context, *ours.ListOrdersRequest) (*ours.OrderPage, error) {
	return s.page, nil
}

func (s *oursImpl) CreateOrder(_ context.Context, in *ours.CreateOrderRequest) (*ours.Order, error) {
	return &in.Body, nil
}

var quiet = concordat.WithLogger(slog.New(slog.DiscardHandler))

func oursHandler(tb testing.TB) http.Handler {
	page := readOurs[ours.OrderPage](tb, (*ours.OrderPage)(nil).ConcordatTable(), []byte(pageJSON))
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	ours.Register(s, &oursImpl{page: page})
	return s
}

func oursClient(tb testing.TB, url string) client {
	conn, err := concordat.NewConn(url, quiet)
	if err != nil {
		tb.Fatal(err)
	}
	c := ours.NewClient(conn)
	order := readOurs[ours.Order](tb, (*ours.Order)(nil).ConcordatTable(), []byte(orderJSON))
	return client{
		list: func(ctx context.Context) error {
			_, err := c.ListOrders(ctx, &ours.ListOrdersRequest{Status: new(ours.OrderStatusPacked), Tags: []string{"spring"}, Limit: new(int32(100))})
			return err
		},
		post: func(ctx context.Context) error {
			_, err := c.CreateOrder(ctx, &ours.CreateOrderRequest{Body: *order})
			return err
		},
	}
}

type ogenImpl struct {
	ogen.UnimplementedHandler
	page *ogen.OrderPage
}

func (s *ogenImpl) ListOrders(context.Context, ogen.ListOrdersParams) (ogen.ListOrdersRes, error) {
	return s.page, nil
}

func (s *ogenImpl) CreateOrder(_ context.Context, in *ogen.Order) (ogen.CreateOrderRes, error) {
	return in, nil
}

func ogenHandler(tb testing.TB) http.Handler {
	s, err := ogen.NewServer(&ogenImpl{page: readOgen[ogen.OrderPage](tb, jx.DecodeStr(""), []byte(pageJSON))})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func ogenClient(tb testing.TB, url string) client {
	c, err := ogen.NewClient(url, ogen.WithClient(pooled()))
	if err != nil {
		tb.Fatal(err)
	}
	order := readOgen[ogen.Order](tb, jx.DecodeStr(""), []byte(orderJSON))
	return client{
		list: func(ctx context.Context) error {
			res, err := c.ListOrders(ctx, ogen.ListOrdersParams{Status: ogen.NewOptOrderStatus(ogen.OrderStatusPacked), Tags: []string{"spring"}, Limit: ogen.NewOptInt32(100)})
			return declared[*ogen.OrderPage](res, err)
		},
		post: func(ctx context.Context) error {
			res, err := c.CreateOrder(ctx, order)
			return declared[*ogen.Order](res, err)
		},
	}
}

func declared[T any](res any, err error) error {
	if _, ok := res.(T); err == nil && !ok {
		return errUnexpected
	}
	return err
}

type oapiImpl struct {
	oapi.ServerInterface // the operations that are not measured
	page                 *oapi.OrderPage
}

func (s *oapiImpl) ListOrders(w http.ResponseWriter, _ *http.Request, _ oapi.ListOrdersParams) {
	reply(w, http.StatusOK, s.page)
}

func (s *oapiImpl) CreateOrder(w http.ResponseWriter, r *http.Request) {
	var o oapi.Order
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if _, err := o.Payment.ValueByDiscriminator(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, http.StatusCreated, &o)
}

// reply is what one writes by hand around oapi-codegen's interface.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func oapiHandler(tb testing.TB) http.Handler {
	return oapi.Handler(&oapiImpl{page: readOapi(tb, []byte(pageJSON), many)})
}

func oapiClient(tb testing.TB, url string) client {
	c, err := oapi.NewClientWithResponses(url, oapi.WithHTTPClient(pooled()))
	if err != nil {
		tb.Fatal(err)
	}
	order := readOapi(tb, []byte(orderJSON), one)
	return client{
		list: func(ctx context.Context) error {
			res, err := c.ListOrdersWithResponse(ctx, &oapi.ListOrdersParams{Status: new(oapi.Packed), Tags: &[]string{"spring"}, Limit: new(int32(100))})
			if err == nil && res.JSON200 == nil {
				err = errUnexpected
			}
			return err
		},
		post: func(ctx context.Context) error {
			res, err := c.CreateOrderWithResponse(ctx, *order)
			if err == nil && res.JSON201 == nil {
				err = errUnexpected
			}
			return err
		},
	}
}
