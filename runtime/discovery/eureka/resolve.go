package eureka

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/feed"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/pace"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
)

const firstRetry = time.Second

// Resolve yields the instances that are UP, whenever they change. That there are none is
// an empty set; that Eureka cannot be asked is an error.
//
// UP may be old: a Eureka that preserves itself keeps instances whose heartbeats have
// stopped, and cannot say so. Those whose lease is over, by the newest heartbeat that the
// registry knows, are left out as long as that leaves half of them. When it would not, it
// is rather the registry that is cut off, and all are kept: the call path ejects those
// that do not answer.
func (r *Registry) Resolve(ctx context.Context, target *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	return func(yield func([]discovery.Endpoint, error) bool) {
		secure := target.Query().Get("secure")
		odd := target.Host == "" || strings.Trim(target.Path, "/") != "" || secure != "" && secure != "true" && secure != "false"
		for k := range target.Query() {
			odd = odd || k != "secure"
		}
		if odd {
			yield(nil, fmt.Errorf("target %s: say eureka://service or eureka://service?secure=true", target.Redacted()))
			return
		}
		w := watch{Registry: r, app: strings.ToUpper(target.Host), secure: secure, feed: feed.Feed{Yield: yield},
			failed: pace.Backoff{First: min(firstRetry, r.config.Fetch), Last: r.config.Fetch}}
		for w.step(ctx) {
		}
	}
}

// A watch is one run of the resolver.
type watch struct {
	*Registry
	app    string
	secure string // "true", "false", or "" for either
	feed   feed.Feed
	failed pace.Backoff

	known map[string]map[string]*instance // by application and id; nil: fetch everything
	since int                             // fetches of changes since everything was fetched
}

func (w *watch) step(ctx context.Context) bool {
	err := w.fetch(ctx)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		w.known = nil // whoever answers next may know something else
		return w.feed.Err(err) && pace.Sleep(ctx, w.failed.Next())
	}
	w.failed.Reset()
	return w.feed.Set(w.endpoints()) && pace.Sleep(ctx, pace.Jitter(w.config.Fetch))
}

// fetch brings what is known up to date, by changes where that will do.
func (w *watch) fetch(ctx context.Context) error {
	if w.known != nil && w.since < Full {
		w.since++
		a, err := w.get(ctx, "/apps/delta")
		switch {
		case web.StatusOf(err) == http.StatusForbidden: // changes are switched off
		case err != nil:
			return err
		default:
			w.apply(a)
			if hash(w.known) == a.Hash {
				return nil
			}
		}
	}
	a, err := w.get(ctx, "/apps")
	if err != nil {
		return err
	}
	w.known, w.since = map[string]map[string]*instance{}, 0
	for i := range a.Apps {
		for j := range a.Apps[i].Instances {
			a.Apps[i].Instances[j].Action = "ADDED" // what it was when it last changed is of no interest
		}
	}
	w.apply(a)
	return nil
}

func (w *watch) get(ctx context.Context, path string) (*answer, error) {
	a, err := w.web.Do(ctx, web.Exchange{Path: path})
	if err != nil {
		return nil, err
	}
	return decode(a.Body)
}

func (w *watch) apply(a *answer) {
	for _, app := range a.Apps {
		name := strings.ToUpper(app.Name)
		for i := range app.Instances {
			in := &app.Instances[i]
			id := cmp.Or(in.ID, in.Host) // old clients have no id
			if in.Action == "DELETED" {
				delete(w.known[name], id)
				continue
			}
			if w.known[name] == nil {
				w.known[name] = map[string]*instance{}
			}
			w.known[name][id] = in
		}
	}
}

// hash is Eureka's own: all instances counted by status.
func hash(known map[string]map[string]*instance) string {
	count := map[string]int{}
	for _, app := range known {
		for _, in := range app {
			count[in.Status]++
		}
	}
	var h strings.Builder
	for _, s := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(&h, "%s_%d_", s, count[s])
	}
	return h.String()
}

// newest returns the newest heartbeat in the registry. Only the server's clock counts:
// ours may be wrong.
func (w *watch) newest() int64 {
	var n int64
	for _, app := range w.known {
		for _, in := range app {
			n = max(n, in.Lease.Renewed)
		}
	}
	return n
}

// over reports whether the lease is: Eureka notes a renewal as one lease later than it
// was, and forgives another lease.
func (l lease) over(newest int64) bool {
	return l.Seconds > 0 && l.Renewed > 0 && (newest-l.Renewed)/1000 > 2*l.Seconds
}

func (w *watch) endpoints() []discovery.Endpoint {
	newest := w.newest()
	var fresh, old []discovery.Endpoint
	for _, id := range slices.Sorted(maps.Keys(w.known[w.app])) {
		in := w.known[w.app][id]
		addr := w.addr(in)
		if in.Status != "UP" || addr == "" {
			continue
		}
		e := in.endpoint(addr)
		if in.Lease.over(newest) {
			old = append(old, e)
		} else {
			fresh = append(fresh, e)
		}
	}
	if len(fresh) < len(old) {
		return append(fresh, old...)
	}
	return fresh
}

// addr returns where the instance listens as the target asks for, or "".
func (w *watch) addr(in *instance) string {
	host := cmp.Or(in.IP, in.Host)
	switch {
	case in.Secure.Enabled && w.secure != "false":
		return net.JoinHostPort(host, strconv.Itoa(in.Secure.Number))
	case in.Port.Enabled && w.secure != "true":
		return net.JoinHostPort(host, strconv.Itoa(in.Port.Number))
	}
	return ""
}

func (in *instance) endpoint(addr string) discovery.Endpoint {
	return discovery.Endpoint{
		Addr:       addr,
		Weight:     feed.ParseWeight(in.Meta[MetaWeight]),
		Zone:       cmp.Or(in.Meta[MetaZone], in.DataCenter.Meta["availability-zone"]),
		ServerName: cmp.Or(in.Meta[MetaServerName], in.Host),
		Meta:       in.Meta,
	}
}
