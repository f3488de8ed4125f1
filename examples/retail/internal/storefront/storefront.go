// Package storefront makes the load: it signs customers up, and sends them to the desk of
// customer support.
package storefront

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/concordat-dev/concordat/examples/retail/internal/support"
	"github.com/concordat-dev/concordat/examples/retail/users"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// A Storefront has customers who need help.
type Storefront struct {
	Desk      *support.Desk
	Customers int // how many sign up
	Workers   int // how many are helped at a time
}

// A Result is what came of it.
type Result struct {
	Helped, Failed, Cancelled, TooLate int64
	Unknown                            int64 // typed "no such customer" answers
	FirstError                         error
}

// Run signs customers up and has them helped until ctx is done. What was begun is
// finished.
func (s *Storefront) Run(ctx context.Context) (*Result, error) {
	ids, err := s.signUp(ctx)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	var first sync.Once
	var wg sync.WaitGroup
	for range s.Workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := s.visit(context.WithoutCancel(ctx), r, ids[rand.IntN(len(ids))]); err != nil {
					atomic.AddInt64(&r.Failed, 1)
					first.Do(func() { r.FirstError = err })
				}
				time.Sleep(10 * time.Millisecond) // people think
			}
		})
	}
	wg.Wait()
	return r, nil
}

func (s *Storefront) signUp(ctx context.Context) ([]concordat.UUID, error) {
	var ids []concordat.UUID
	for i := range s.Customers {
		// Creating is not repeated by itself: it is not idempotent. The name is ours to
		// choose, so that we can look whether it went through.
		email := fmt.Sprintf("customer%d@retail.example", i)
		id, err := s.create(ctx, fmt.Sprintf("Customer %d", i), email)
		if err != nil {
			return nil, fmt.Errorf("sign up %s: %w", email, err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (s *Storefront) create(ctx context.Context, name, email string) (concordat.UUID, error) {
	in := &users.CreateCustomerRequest{Body: users.NewCustomer{Name: name, Email: email}}
	var err error
	for range 5 {
		var out *users.CreateCustomerResponse
		if out, err = s.Desk.Users.CreateCustomer(ctx, in); err == nil {
			return out.Body.ID, nil
		}
		page, lookup := s.Desk.Users.SearchCustomers(ctx, &users.SearchCustomersRequest{Query: &email})
		if lookup == nil && len(page.Customers) == 1 {
			return page.Customers[0].ID, nil
		}
		err = errors.Join(err, lookup)
	}
	return concordat.UUID{}, err
}

// visit is what one customer wants.
func (s *Storefront) visit(ctx context.Context, r *Result, id concordat.UUID) error {
	switch n := rand.IntN(100); {
	case n < 3: // somebody who is not a customer
		_, err := s.Desk.Help(ctx, concordat.UUID{})
		if _, ok := concordat.Detail[users.Problem](err); !ok {
			return fmt.Errorf("a stranger was not refused as the contract says: %w", err)
		}
		atomic.AddInt64(&r.Unknown, 1)
		return nil
	case n < 13:
		return s.cancel(ctx, r, id)
	}
	_, err := s.Desk.Help(ctx, id)
	if err == nil {
		atomic.AddInt64(&r.Helped, 1)
	}
	return err
}

func (s *Storefront) cancel(ctx context.Context, r *Result, id concordat.UUID) error {
	c, err := s.Desk.Help(ctx, id)
	if err != nil {
		return err
	}
	done, err := s.Desk.Cancel(ctx, id, c.Orders[rand.IntN(len(c.Orders))].GetId(), "changed my mind")
	switch {
	case err != nil:
		return err
	case done:
		atomic.AddInt64(&r.Cancelled, 1)
	default:
		atomic.AddInt64(&r.TooLate, 1)
	}
	return nil
}
