package kubernetes

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/feed"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/pace"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
)

// How failures, and watches that end at once, are spaced; how much is read.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	page       = 100 // slices, of at most 1000 endpoints each
	pages      = 100
)

// Resolve yields the ready endpoints of all slices of the service, whenever they change.
// That there are none is an empty set; that the API server cannot be asked is an error.
func (r *Registry) Resolve(ctx context.Context, target *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	return func(yield func([]discovery.Endpoint, error) bool) {
		s, err := r.service(target)
		if err != nil {
			yield(nil, err)
			return
		}
		w := watch{Registry: r, service: s, feed: feed.Feed{Yield: yield}, failed: pace.Backoff{First: firstRetry, Last: lastRetry}}
		for w.round(ctx) {
		}
	}
}

// A service is what a target asks for.
type service struct {
	name, namespace string
	port            string // a name or a number; "" means the only one
}

func (r *Registry) service(target *url.URL) (service, error) {
	name, ns, _ := strings.Cut(target.Hostname(), ".")
	s := service{name: name, namespace: cmp.Or(ns, r.config.Namespace), port: cmp.Or(target.Port(), target.Query().Get("port"))}
	odd := strings.Trim(target.Path, "/") != "" || strings.Contains(ns, ".")
	for k := range target.Query() {
		odd = odd || k != "port" || target.Port() != ""
	}
	if odd || name == "" {
		return s, fmt.Errorf("target %s: say kubernetes://service.namespace:port or kubernetes://service.namespace?port=name", target.Redacted())
	}
	return s, nil
}

// A watch is one run of the resolver.
type watch struct {
	*Registry
	service
	feed   feed.Feed
	failed pace.Backoff

	slices  map[string]*slice // by name
	version string
	gone    bool // nobody listens any more
}

var (
	errGone   = errors.New("nobody listens")
	errRelist = errors.New("the watch was too late: the history is gone; everything is read anew")
)

// round lists all slices, and watches them from there until the watch cannot go on.
func (w *watch) round(ctx context.Context) bool {
	err := w.list(ctx)
	if err == nil {
		w.tell()
		for start := time.Now(); err == nil && !w.gone && ctx.Err() == nil && time.Since(start) < w.config.Refresh; {
			err = w.follow(ctx)
		}
	}
	switch {
	case ctx.Err() != nil || w.gone || errors.Is(err, errGone):
		return false
	case err != nil:
		return w.feed.Err(explain(err)) && pace.Sleep(ctx, w.failed.Next())
	}
	w.failed.Reset()
	return true
}

func explain(err error) error {
	switch web.StatusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w; the account needs a Role with verbs list and watch on endpointslices of discovery.k8s.io", err)
	}
	return err
}

func (w *watch) exchange(q url.Values) web.Exchange {
	q.Set("labelSelector", "kubernetes.io/service-name="+w.name)
	return web.Exchange{Path: "/apis/discovery.k8s.io/v1/namespaces/" + url.PathEscape(w.namespace) + "/endpointslices", Query: q}
}

// list reads all slices, page by page.
// Source: kubernetes.io/docs/reference/using-api/api-concepts
func (w *watch) list(ctx context.Context) error {
	known, next := map[string]*slice{}, ""
	for range pages {
		q := url.Values{"limit": {strconv.Itoa(page)}}
		if next != "" {
			q.Set("continue", next)
		}
		var got struct {
			Kind     string
			Metadata struct{ ResourceVersion, Continue string }
			Items    []*slice
		}
		if _, err := w.web.JSON(ctx, w.exchange(q), &got); err != nil {
			return err
		}
		if got.Kind != "EndpointSliceList" || got.Metadata.ResourceVersion == "" {
			return fmt.Errorf("the answer is a %.50q, not an EndpointSliceList; is this the API server?", got.Kind)
		}
		for _, s := range got.Items {
			if s != nil {
				known[s.Metadata.Name] = s
			}
		}
		if next = got.Metadata.Continue; next == "" {
			w.slices, w.version = known, got.Metadata.ResourceVersion
			return nil
		}
	}
	return fmt.Errorf("service %s has more than %d slices", w.name, page*pages)
}

// An event is a line of the watch.
type event struct {
	Type   string
	Object json.RawMessage
}

// follow applies events until the server ends the watch, which it does by habit.
func (w *watch) follow(ctx context.Context) error {
	start, before := time.Now(), w.version
	life := pace.Jitter(w.config.Refresh)
	x := w.exchange(url.Values{
		"watch": {"1"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {w.version},
		"timeoutSeconds": {strconv.Itoa(int(life/time.Second) + 1)},
	})
	x.Time = life
	err := w.web.Stream(ctx, x, w.apply)
	if web.StatusOf(err) == http.StatusGone {
		return errRelist
	}
	if err == nil && w.version == before && time.Since(start) < firstRetry {
		pace.Sleep(ctx, w.failed.Next()) // it must not become a loop
	}
	return err
}

func (w *watch) apply(line []byte) error {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("the watch: %w", err)
	}
	if e.Type == "ERROR" {
		return failed(e.Object)
	}
	var s slice
	if err := json.Unmarshal(e.Object, &s); err != nil {
		return fmt.Errorf("the watch: %w", err)
	}
	if s.Metadata.ResourceVersion == "" {
		return fmt.Errorf("the watch: an event %.50q without a version", e.Type)
	}
	switch e.Type {
	case "ADDED", "MODIFIED":
		w.slices[s.Metadata.Name] = &s
	case "DELETED":
		delete(w.slices, s.Metadata.Name)
	case "BOOKMARK":
		w.version = s.Metadata.ResourceVersion
		return nil
	default:
		return fmt.Errorf("the watch: the event %.50q is unknown", e.Type)
	}
	w.version = s.Metadata.ResourceVersion
	if !w.tell() {
		return errGone
	}
	return nil
}

// failed is the error that a watch ends with.
func failed(object []byte) error {
	var s struct {
		Code            int
		Reason, Message string
	}
	if err := json.Unmarshal(object, &s); err != nil {
		return fmt.Errorf("the watch failed, and its error is not JSON: %w", err)
	}
	if s.Code == http.StatusGone {
		return errRelist
	}
	return fmt.Errorf("the watch failed: %d %.50s: %.200q", s.Code, s.Reason, s.Message)
}

// tell yields what is known, and what is wrong with it; it returns false when nobody
// listens any more.
func (w *watch) tell() bool {
	set, err := w.merge()
	ok := true
	if err == nil || len(set) > 0 {
		ok = w.feed.Set(set)
	}
	if ok && err != nil {
		ok = w.feed.Err(err)
	}
	w.gone = w.gone || !ok
	return !w.gone
}
