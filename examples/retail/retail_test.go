package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/examples/retail/activity"
	"github.com/concordat-dev/concordat/examples/retail/activity/activitytest"
	"github.com/concordat-dev/concordat/examples/retail/internal/orderservice"
	"github.com/concordat-dev/concordat/examples/retail/internal/support"
	"github.com/concordat-dev/concordat/examples/retail/internal/userservice"
	"github.com/concordat-dev/concordat/examples/retail/orders"
	"github.com/concordat-dev/concordat/examples/retail/users"
	"github.com/concordat-dev/concordat/examples/retail/users/userstest"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/concordattest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // injected failures are not news
	os.Exit(m.Run())
}

// The generated code in the repository is what the contracts give today.
func TestGeneratedIsCurrent(t *testing.T) {
	out, err := exec.Command("go", "run", "github.com/concordat-dev/concordat/cmd/concordat", "generate", "--check").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// No more than four lines of Go, codecs and validation included, per line of contract.
func TestGeneratedIsShort(t *testing.T) {
	for spec, dir := range map[string]string{"users.yaml": "users", "activity.yaml": "activity"} {
		contract, generated := lines(t, filepath.Join("contracts", spec)), 0
		files, err := filepath.Glob(filepath.Join(dir, "*.concordat.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			generated += lines(t, f)
		}
		if generated > 4*contract {
			t.Errorf("%s: %d lines of Go for %d lines of contract", spec, generated, contract)
		}
	}
}

func lines(t *testing.T, name string) int {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("\n"))
}

// The platform runs in one process: failures are injected, and nothing is lost.
func TestTogether(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, []string{"--for", "5s"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	check(t, out.String())
}

// The same in a process for each role.
func TestSplit(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts six processes")
	}
	exe := filepath.Join(t.TempDir(), "retail")
	if out, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, exe, "--split", "--for", "5s").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	check(t, string(out))
}

var numbers = regexp.MustCompile(`(?s)Failed: (\d+)\..*Users/GetCustomer +\d+ +0 +(\d+).*Activity/CustomerActivity +(\d+) +0 `)
var counted = regexp.MustCompile(`(?s)Analytics counted (\d+) events.*\n(\d+) were handled again.*; 1 message went to the dead letters`)

// check reads what the run said: nobody failed, calls were repeated, and every event that
// was published was counted.
func check(t *testing.T, out string) {
	t.Helper()
	n, c := numbers.FindStringSubmatch(out), counted.FindStringSubmatch(out)
	if n == nil || c == nil {
		t.Fatalf("the report does not say what it should:\n%s", out)
	}
	atoi := func(s string) int {
		v, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if atoi(n[1]) != 0 || atoi(n[2]) == 0 || atoi(n[3]) != atoi(c[1]) || atoi(c[2]) == 0 {
		t.Errorf("failed %s, repeated %s, published %s, counted %s, handled again %s\n%s", n[1], n[2], n[3], c[1], c[2], out)
	}
}

func TestRolesAreChecked(t *testing.T) {
	for _, args := range [][]string{{"--role", "baker"}, {"--role", "users"}, {"--role", "users", "--state", t.TempDir()}} {
		if err := run(t.Context(), args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "role") {
			t.Errorf("%v: got %v", args, err)
		}
	}
}

// The desk cannot tell a fake from a service across the wire.
func TestDesk(t *testing.T) {
	store := userservice.New()
	conn := concordattest.Serve(t, func(s *concordat.Server) {
		users.Register(s, store)
		orders.RegisterOrders(s, orderservice.New())
	})
	var told []activity.What
	heard := activitytest.Activity{OnCustomerActivity: func(_ context.Context, m *activity.CustomerActivityMessage) error {
		told = append(told, m.Payload.Activity)
		return nil
	}}
	for name, u := range map[string]users.Users{"wire": users.NewClient(conn), "in process": store} {
		t.Run(name, func(t *testing.T) {
			told = nil
			created, err := u.CreateCustomer(t.Context(), &users.CreateCustomerRequest{Body: users.NewCustomer{Name: "Ann", Email: strings.ReplaceAll(name, " ", "-") + "@retail.example"}})
			if err != nil {
				t.Fatal(err)
			}
			d := &support.Desk{Users: u, Orders: orders.NewOrdersClient(conn), Activity: heard}
			c, err := d.Help(t.Context(), created.Body.ID)
			if err != nil || c.Customer.Name != "Ann" || len(c.Orders) != 2 || c.Steps == 0 {
				t.Fatalf("got %+v, %v", c, err)
			}
			if done, err := d.Cancel(t.Context(), created.Body.ID, c.Orders[0].GetId(), "no"); err != nil || !done {
				t.Errorf("an order that is still here: %v, %v", done, err)
			}
			if done, err := d.Cancel(t.Context(), created.Body.ID, c.Orders[1].GetId(), "no"); err != nil || done {
				t.Errorf("an order that has left: %v, %v", done, err)
			}
			if len(told) != 3 {
				t.Errorf("analytics heard %v", told)
			}
		})
	}
}

// What the contract declares comes back typed, over the wire and from the fake.
func TestTypedFailures(t *testing.T) {
	conn := concordattest.Serve(t, func(s *concordat.Server) { users.Register(s, userservice.New()) })
	for name, u := range map[string]users.Users{
		"wire": users.NewClient(conn),
		"fake": userstest.Users{
			OnGetCustomer: userservice.New().GetCustomer,
			OnCreateCustomer: func(context.Context, *users.CreateCustomerRequest) (*users.CreateCustomerResponse, error) {
				return nil, refused()
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := u.GetCustomer(t.Context(), &users.GetCustomerRequest{})
			if p, ok := concordat.Detail[users.Problem](err); !ok || p.Status != 404 {
				t.Errorf("an unknown customer: %v", err)
			}
			_, err = u.CreateCustomer(t.Context(), &users.CreateCustomerRequest{Body: users.NewCustomer{Name: "", Email: "ann"}})
			p, ok := concordat.Detail[users.InvalidRequest](err)
			if !ok || len(p.Errors) != 2 {
				t.Errorf("a customer without a name: %v, %+v", err, p)
			}
		})
	}
}

func refused() error {
	return concordat.Errorf(concordat.InvalidArgument, "no").With(&users.InvalidRequest{Status: 422, Errors: make([]users.InvalidRequestError, 2)})
}
