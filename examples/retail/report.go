package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/examples/retail/internal/analytics"
	"github.com/concordat-dev/concordat/examples/retail/internal/storefront"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/policy/stats"
)

// A report gathers what the roles saw, and prints it when all have ended.
type report struct {
	out io.Writer

	mu        sync.Mutex
	counts    *analytics.Counts // while analytics runs in this process
	published int64
	parts     [3]string // storefront, users, analytics
	failed    error
}

func newReport(out io.Writer) *report { return &report{out: out} }

func (r *report) set(part int, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts[part] = fmt.Sprintf(format, args...)
}

// serveMetrics shows the statistics of the desk's connections while it runs.
func (r *report) serveMetrics(d *deskConns) (stop func(), err error) {
	ln, err := loopback()
	if err != nil {
		return nil, err
	}
	pages := concordat.NewServer(concordat.WithAdmin(ln.Addr().String(), d.users, d.orders, d.activity)).AdminHandler()
	s := &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(ln) }()
	fmt.Fprintf(r.out, "The retail platform is up. Customers are coming.\n  metrics while it runs: http://%s/metrics\n\n", ln.Addr())
	return func() { _ = s.Close() }, nil
}

func (r *report) storefront(took time.Duration, s *storefront.Result, d *deskConns) {
	var b strings.Builder
	fmt.Fprintf(&b, "In %.1f s customer support helped %d customers, cancelled %s (%d were on their way),\nand turned away %s by the contract's typed 404. Failed: %d.\n\n",
		took.Seconds(), s.Helped+s.Cancelled+s.TooLate, plural(s.Cancelled, "order"), s.TooLate, plural(s.Unknown, "stranger"), s.Failed)
	fmt.Fprintf(&b, "  %-28s %7s %7s %9s %9s %9s\n", "operation", "calls", "failed", "repeated", "p50", "p99")
	published := int64(0)
	for _, c := range []*concordat.Conn{d.users, d.orders, d.activity} {
		for _, op := range c.Stats() {
			fmt.Fprintf(&b, "  %-28s %7d %7d %9d %9s %9s\n", short(op.Name), op.Calls, op.Failed()-declared(op), op.Retries, span(op.Quantile(0.5)), span(op.Quantile(0.99)))
			if c == d.activity {
				published += op.Calls
			}
		}
	}
	r.set(0, "%s", b.String())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.published = published
	if s.Failed > 0 {
		r.failed = fmt.Errorf("%d customers were not helped; the first: %w", s.Failed, s.FirstError)
	}
}

// declared counts the answers that a contract foresees: nobody failed who says that there
// is no such customer, or that an order has left.
func declared(o stats.Operation) int64 {
	return o.Failures[concordat.NotFound] + o.Failures[concordat.FailedPrecondition]
}

func short(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func span(d time.Duration) string {
	if d < time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

func (r *report) users(refused, hung int64) {
	r.set(1, "Injected: instance 2 of users refused %s and left %s hanging; they were\nrepeated on instance 1, and instance 2 was left alone until it was well again.\n", plural(refused, "call"), plural(hung, "call"))
}

func (r *report) watch(c *analytics.Counts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts = c
}

// settle waits until analytics has counted what was published.
func (r *report) settle(most time.Duration) {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		r.mu.Lock()
		done := r.counts == nil || int64(r.counts.Summary().Events) >= r.published
		r.mu.Unlock()
		if done {
			return
		}
	}
}

func (r *report) analytics(s analytics.Summary, dead int64) {
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(s.ByKind)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", k, s.ByKind[k]))
	}
	text := fmt.Sprintf("Analytics counted %s over NATS JetStream (%s);\n%d were handled again after an injected failure; %s went to the dead letters,\nfor a message that breaks the contract.\n",
		plural(int64(s.Events), "event"), strings.Join(kinds, ", "), s.HandledTwo, plural(dead, "message"))
	r.set(2, "%s", text)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.published > 0 && int64(s.Events) != r.published {
		r.failed = fmt.Errorf("%d events were published and %d counted", r.published, s.Events)
	}
}

const whereToLook = `Where to look:
  examples/retail/contracts/          what was promised: OpenAPI, Protobuf, AsyncAPI
  examples/retail/users/              the Go that was generated from it, and its fake in userstest
  examples/retail/internal/support/   REST, gRPC and messages used side by side
  examples/retail/roles.go            connections, servers, mutual TLS, the injected failures
`

func (r *report) print() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.parts {
		if p != "" {
			fmt.Fprintln(r.out, p)
		}
	}
	if r.parts[0] != "" {
		fmt.Fprint(r.out, whereToLook)
	}
	return r.failed
}
