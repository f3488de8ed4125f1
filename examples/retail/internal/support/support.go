// Package support is the desk of customer support. It asks the user service over REST and
// the order service over gRPC, and tells analytics over messages, all in the same way.
package support

import (
	"context"
	"time"

	"github.com/concordat-dev/concordat/examples/retail/activity"
	"github.com/concordat-dev/concordat/examples/retail/orders"
	"github.com/concordat-dev/concordat/examples/retail/users"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// A Desk helps customers. Its fields are interfaces of the contracts: clients in
// production, fakes in tests.
type Desk struct {
	Users    users.Users
	Orders   orders.Orders
	Activity activity.Activity
}

// A Case is what an agent found out.
type Case struct {
	Customer *users.Customer
	Orders   []*orders.Order
	Steps    int // of the newest order
}

// Help looks up a customer and follows the newest order, and reports both to analytics.
func (d *Desk) Help(ctx context.Context, id concordat.UUID) (*Case, error) {
	customer, err := d.Users.GetCustomer(ctx, &users.GetCustomerRequest{CustomerID: id})
	if err != nil {
		return nil, err
	}
	if err := d.tell(ctx, id, &activity.ProfileViewed{Fields: []string{"name", "email"}}); err != nil {
		return nil, err
	}
	list, err := d.Orders.ListOrders(ctx, &orders.ListOrdersRequest{CustomerId: id.String()})
	if err != nil {
		return nil, err
	}
	c := &Case{Customer: customer, Orders: list.GetOrders()}
	if len(c.Orders) == 0 {
		return c, nil
	}
	newest := c.Orders[0].GetId()
	for _, err := range d.Orders.TrackOrder(ctx, &orders.TrackOrderRequest{Id: newest}) {
		if err != nil {
			return nil, err
		}
		c.Steps++
	}
	return c, d.tell(ctx, id, &activity.OrderTracked{OrderID: newest, Steps: new(int32(c.Steps))})
}

// Cancel cancels an order, unless it is on its way: then the result is false.
func (d *Desk) Cancel(ctx context.Context, customer concordat.UUID, order, reason string) (bool, error) {
	_, err := d.Orders.CancelOrder(ctx, &orders.CancelOrderRequest{Id: order, Reason: reason})
	if _, late := concordat.Detail[orders.OrderNotCancellable](err); late {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, d.tell(ctx, customer, &activity.OrderCancelled{OrderID: order, Reason: &reason})
}

func (d *Desk) tell(ctx context.Context, id concordat.UUID, what activity.What) error {
	return d.Activity.CustomerActivity(ctx, &activity.CustomerActivityMessage{
		CustomerID: id.String(),
		Source:     "support",
		Payload: activity.CustomerActivity{
			ID: concordat.NewUUID(), CustomerID: id, At: time.Now().UTC(), Agent: new("ann"), Activity: what,
		},
	})
}
