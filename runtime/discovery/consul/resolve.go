package consul

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/feed"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/pace"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
)

// lastRetry is the longest pause between two queries.
const lastRetry = 30 * time.Second

// Resolve yields the instances that pass their checks, whenever they change. That Consul
// knows none is an empty set; that it cannot be asked is an error.
func (r *Registry) Resolve(ctx context.Context, target *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	return func(yield func([]discovery.Endpoint, error) bool) {
		query, err := r.query(target)
		if err != nil {
			yield(nil, err)
			return
		}
		w := watch{Registry: r, service: target.Host, query: query, feed: feed.Feed{Yield: yield},
			failed: pace.Backoff{First: r.config.Retry, Last: lastRetry},
			idle:   pace.Backoff{First: r.config.Spacing, Last: lastRetry},
		}
		for w.step(ctx) {
		}
	}
}

func (r *Registry) query(target *url.URL) (url.Values, error) {
	if target.Host == "" || target.Path != "" && target.Path != "/" {
		return nil, fmt.Errorf("target %s: say consul://service, with ?tag=… and ?dc=… where needed", target.Redacted())
	}
	q := url.Values{"passing": {"1"}, "tag": append(target.Query()["tag"], r.config.Tags...)}
	if dc := cmp.Or(target.Query().Get("dc"), r.config.Datacenter); dc != "" {
		q.Set("dc", dc)
	}
	if ns := cmp.Or(target.Query().Get("ns"), r.config.Namespace); ns != "" {
		q.Set("ns", ns)
	}
	for k := range target.Query() {
		if k != "tag" && k != "dc" && k != "ns" {
			return nil, fmt.Errorf("target %s: %q is unknown; known are tag, dc and ns", target.Redacted(), k)
		}
	}
	return q, nil
}

// A watch is one run of the resolver.
type watch struct {
	*Registry
	service string
	query   url.Values
	index   uint64 // of what we know; 0 asks for it without waiting
	feed    feed.Feed
	failed  pace.Backoff
	idle    pace.Backoff // earned by answers that came too early and said nothing new
}

// step asks once, and returns false at the end.
func (w *watch) step(ctx context.Context) bool {
	start := time.Now()
	known := w.index
	set, err := w.ask(ctx)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		w.index = 0 // whoever answers next may have forgotten everything
		return w.feed.Err(err) && pace.Sleep(ctx, w.failed.Next())
	}
	w.failed.Reset()
	if !w.feed.Set(set) {
		return false
	}
	if known != 0 && w.index == known && time.Since(start) < w.config.Wait/2 {
		return pace.Sleep(ctx, w.idle.Next())
	}
	w.idle.Reset()
	return pace.Sleep(ctx, pace.Jitter(w.config.Spacing)-time.Since(start))
}

// ask queries for what is newer than index.
// Source: developer.hashicorp.com/consul/api-docs/features/blocking
func (w *watch) ask(ctx context.Context) ([]discovery.Endpoint, error) {
	q := maps.Clone(w.query)
	limit := web.Timeout
	if w.index > 0 {
		q.Set("index", strconv.FormatUint(w.index, 10))
		q.Set("wait", strconv.FormatInt(w.config.Wait.Milliseconds(), 10)+"ms")
		limit += w.config.Wait + w.config.Wait/16
	}
	var found []entry
	h, err := w.web.JSON(ctx, web.Exchange{Path: "/v1/health/service/" + url.PathEscape(w.service), Query: q, Time: limit}, &found)
	if err != nil {
		return nil, explain(err)
	}
	if found == nil {
		return nil, errors.New("the answer is null in place of a list")
	}
	if len(found) == 0 && h.Get("X-Consul-Results-Filtered-By-ACLs") == "true" {
		return nil, errors.New("the access control lists hide all instances; " + rights)
	}
	w.index, err = next(w.index, h)
	if err != nil {
		return nil, err
	}
	set := make([]discovery.Endpoint, 0, len(found))
	for _, e := range found {
		set = append(set, e.endpoint())
	}
	return set, nil
}

// next returns the index to ask with: one that went backwards means a Consul that was
// restored or replaced, which is asked without waiting.
func next(known uint64, h http.Header) (uint64, error) {
	n, err := strconv.ParseUint(h.Get("X-Consul-Index"), 10, 64)
	switch {
	case err != nil:
		return 0, errors.New("the answer has no X-Consul-Index; is this a Consul agent?")
	case n < known:
		return 0, nil
	}
	return max(n, 1), nil
}

const rights = "give a token that may read the service and its nodes (service_prefix and node_prefix: read)"

func explain(err error) error {
	switch web.StatusOf(err) {
	case http.StatusForbidden, http.StatusUnauthorized:
		return fmt.Errorf("%w; %s", err, rights)
	}
	return err
}

// An entry is what /v1/health/service answers with, as far as we read it.
type entry struct {
	Node struct {
		Node, Address, Datacenter string
		Meta                      map[string]string
		Locality                  *locality
	}
	Service struct {
		ID, Address string
		Port        int
		Tags        []string
		Meta        map[string]string
		Weights     struct{ Passing int }
		Locality    *locality
	}
}

type locality struct{ Region, Zone string }

func (l *locality) zone() string {
	if l == nil {
		return ""
	}
	return l.Zone
}

func (e *entry) endpoint() discovery.Endpoint {
	s := &e.Service
	meta := maps.Clone(s.Meta)
	if meta == nil {
		meta = map[string]string{}
	}
	meta["consul-node"] = e.Node.Node
	return discovery.Endpoint{
		Addr:       net.JoinHostPort(cmp.Or(s.Address, e.Node.Address), strconv.Itoa(s.Port)),
		Weight:     s.Weights.Passing,
		Zone:       cmp.Or(s.Locality.zone(), s.Meta[MetaZone], e.Node.Locality.zone(), e.Node.Meta[MetaZone]),
		ServerName: s.Meta[MetaServerName],
		Meta:       meta,
	}
}
