// Package userservice keeps customers: the server half of contracts/users.yaml.
package userservice

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/examples/retail/users"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// A Store implements users.Users in memory. Several servers may share one, as they would
// share a database.
type Store struct {
	mu        sync.Mutex
	customers map[concordat.UUID]*users.Customer
	order     []concordat.UUID // as they were added
}

var _ users.Users = (*Store)(nil)

// New returns an empty store.
func New() *Store { return &Store{customers: map[concordat.UUID]*users.Customer{}} }

// SearchCustomers pages through what matches, as it was added.
func (s *Store) SearchCustomers(_ context.Context, in *users.SearchCustomersRequest) (*users.CustomerPage, error) {
	from := 0
	if in.Cursor != nil {
		n, err := strconv.Atoi(*in.Cursor)
		if err != nil || n < 0 {
			return nil, invalid("cursor", "is not one that this service gave")
		}
		from = n
	}
	limit := 20
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page := &users.CustomerPage{Customers: []users.Customer{}}
	for i := min(from, len(s.order)); i < len(s.order); i++ {
		c := s.customers[s.order[i]]
		if !matches(c, in) {
			continue
		}
		if len(page.Customers) == limit {
			page.NextCursor = new(strconv.Itoa(i))
			break
		}
		page.Customers = append(page.Customers, *c)
	}
	return page, nil
}

func matches(c *users.Customer, in *users.SearchCustomersRequest) bool {
	if len(in.Status) > 0 && !slices.Contains(in.Status, c.Status) {
		return false
	}
	if in.Query == nil {
		return true
	}
	q := strings.ToLower(*in.Query)
	return strings.Contains(strings.ToLower(c.Name), q) || strings.Contains(strings.ToLower(c.Email), q)
}

// CreateCustomer adds a customer, unless the address is taken.
func (s *Store) CreateCustomer(_ context.Context, in *users.CreateCustomerRequest) (*users.CreateCustomerResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.customers {
		if strings.EqualFold(c.Email, in.Body.Email) {
			return nil, invalid("/email", "belongs to another customer")
		}
	}
	c := &users.Customer{
		ID: concordat.NewUUID(), Status: users.CustomerStatusActive, CreatedAt: time.Now().UTC().Truncate(time.Second),
		Name: in.Body.Name, Email: in.Body.Email, Phone: in.Body.Phone, Addresses: in.Body.Addresses,
		Loyalty: &users.Points{Balance: 0},
	}
	s.customers[c.ID] = c
	s.order = append(s.order, c.ID)
	return &users.CreateCustomerResponse{Location: "/customers/" + c.ID.String(), Body: *c}, nil
}

// GetCustomer returns one customer.
func (s *Store) GetCustomer(_ context.Context, in *users.GetCustomerRequest) (*users.Customer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.customer(in.CustomerID)
	if err != nil {
		return nil, err
	}
	return new(*c), nil
}

// ListAddresses returns every address of a customer, newest first.
func (s *Store) ListAddresses(_ context.Context, in *users.ListAddressesRequest) (*users.ListAddressesResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.customer(in.CustomerID)
	if err != nil {
		return nil, err
	}
	out := &users.ListAddressesResponse{Body: slices.Clone(c.Addresses)}
	slices.Reverse(out.Body)
	return out, nil
}

// maxAddresses is how many the contract lets a customer have.
const maxAddresses = 10

// PutAddress stores an address under a label.
func (s *Store) PutAddress(_ context.Context, in *users.PutAddressRequest) (*users.Address, error) {
	if in.Body.Label != in.Label {
		return nil, invalid("/label", "differs from the label in the path")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.customer(in.CustomerID)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(slices.Clone(c.Addresses), func(a users.Address) bool { return a.Label == in.Label })
	if len(kept) == maxAddresses {
		return nil, invalid("/label", "the customer has "+strconv.Itoa(maxAddresses)+" addresses already")
	}
	c.Addresses = append(kept, in.Body)
	return new(in.Body), nil
}

// DeleteAddress forgets an address.
func (s *Store) DeleteAddress(_ context.Context, in *users.DeleteAddressRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.customer(in.CustomerID)
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(slices.Clone(c.Addresses), func(a users.Address) bool { return a.Label == in.Label })
	if len(kept) == len(c.Addresses) {
		return notFound("address " + strconv.Quote(in.Label))
	}
	c.Addresses = kept
	return nil
}

func (s *Store) customer(id concordat.UUID) (*users.Customer, error) {
	if c := s.customers[id]; c != nil {
		return c, nil
	}
	return nil, notFound("customer " + id.String())
}

func notFound(what string) error {
	return concordat.Errorf(concordat.NotFound, "there is no %s", what).
		With(&users.Problem{Title: "Not found", Status: 404, Detail: new("There is no " + what + ".")})
}

// invalid is a rule that no schema can express. The declared status is 422, while the
// code's own would be 400.
func invalid(where, why string) error {
	e := concordat.Errorf(concordat.InvalidArgument, "%s %s", where, why).
		With(&users.InvalidRequest{Title: "Invalid request", Status: 422, Errors: []users.InvalidRequestError{field(where, why)}})
	e.Status = 422
	return e
}

func field(where, why string) users.InvalidRequestError {
	if strings.HasPrefix(where, "/") {
		return users.InvalidRequestError{Pointer: &where, Detail: why}
	}
	return users.InvalidRequestError{Parameter: &where, Detail: why}
}

// Customers returns the numbers of all customers, for tests.
func (s *Store) Customers() []concordat.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(slices.Values(s.order), func(a, b concordat.UUID) int { return cmp.Compare(a.String(), b.String()) })
}
