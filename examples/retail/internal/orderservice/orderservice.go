// Package orderservice keeps orders: the server half of contracts/orders.proto. Every
// customer who is asked about has ordered two things already.
package orderservice

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/concordat-dev/concordat/examples/retail/orders"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// A Store implements orders.Orders in memory.
type Store struct {
	mu     sync.Mutex
	orders map[string]*orders.Order
}

var _ orders.Orders = (*Store)(nil)

// New returns a store whose orders come to be when they are asked for.
func New() *Store { return &Store{orders: map[string]*orders.Order{}} }

// ListOrders returns the orders of a customer.
func (s *Store) ListOrders(_ context.Context, in *orders.ListOrdersRequest) (*orders.ListOrdersResponse, error) {
	if in.GetCustomerId() == "" {
		return nil, concordat.Errorf(concordat.InvalidArgument, "customer_id is empty")
	}
	out := &orders.ListOrdersResponse{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := 2; n >= 1; n-- {
		out.Orders = append(out.Orders, proto.CloneOf(s.order(in.GetCustomerId(), n)))
	}
	return out, nil
}

// GetOrder returns one order.
func (s *Store) GetOrder(_ context.Context, in *orders.GetOrderRequest) (*orders.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.find(in.GetId())
	if err != nil {
		return nil, err
	}
	return proto.CloneOf(o), nil
}

// CancelOrder cancels an order that has not left the warehouse.
func (s *Store) CancelOrder(_ context.Context, in *orders.CancelOrderRequest) (*orders.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.find(in.GetId())
	if err != nil {
		return nil, err
	}
	if o.GetStatus() >= orders.OrderStatus_ORDER_STATUS_SHIPPED {
		return nil, concordat.Errorf(concordat.FailedPrecondition, "order %s has left the warehouse", in.GetId()).
			With(&orders.OrderNotCancellable{Id: in.GetId(), Status: o.GetStatus()})
	}
	o.Status = orders.OrderStatus_ORDER_STATUS_CANCELLED
	o.Note = new(in.GetReason())
	return proto.CloneOf(o), nil
}

// TrackOrder reports the steps of an order, and ends with the last one.
func (s *Store) TrackOrder(ctx context.Context, in *orders.TrackOrderRequest) iter.Seq2[*orders.OrderEvent, error] {
	return func(yield func(*orders.OrderEvent, error) bool) {
		s.mu.Lock()
		o, err := s.find(in.GetId())
		last := o.GetStatus()
		s.mu.Unlock()
		if err != nil {
			yield(nil, err)
			return
		}
		for step := orders.OrderStatus_ORDER_STATUS_PLACED; step <= last; step++ {
			select {
			case <-time.After(2 * time.Millisecond): // as if somebody had to look it up
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
			if !yield(&orders.OrderEvent{OrderId: in.GetId(), Status: step, At: timestamppb.Now()}, nil) {
				return
			}
		}
	}
}

func (s *Store) find(id string) (*orders.Order, error) {
	if o := s.orders[id]; o != nil {
		return o, nil
	}
	return nil, concordat.Errorf(concordat.NotFound, "there is no order %s", id)
}

// order is the nth of a customer: the first is on its way, the second is still here.
func (s *Store) order(customer string, n int) *orders.Order {
	id := fmt.Sprintf("%s-%d", strings.ReplaceAll(customer, "-", "")[:min(8, len(customer))], n)
	if o := s.orders[id]; o != nil {
		return o
	}
	status := orders.OrderStatus_ORDER_STATUS_SHIPPED
	if n > 1 {
		status = orders.OrderStatus_ORDER_STATUS_PAID
	}
	price := &orders.Money{Currency: "EUR", MinorUnits: int64(1999 * n)}
	o := &orders.Order{
		Id: id, CustomerId: customer, Status: status, Total: price, PlacedAt: timestamppb.Now(),
		Items: []*orders.Item{{Sku: "SKU-000001", Quantity: int32(n), Price: price}}, Payment: &orders.Order_CardLast4{CardLast4: "4242"},
	}
	s.orders[id] = o
	return o
}
