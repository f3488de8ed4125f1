package etcd

import (
	"bytes"
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

// How failures, and watches that end at once, are spaced.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// page is how many keys are asked for at once.
	page = 1000
	// pages bounds what one service may have.
	pages = 100
)

// Resolve yields the instances under the service's prefix, whenever they change. That
// there are none is an empty set; that etcd cannot be asked is an error. A value that
// cannot be understood is left out, and told of.
func (r *Registry) Resolve(ctx context.Context, target *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	return func(yield func([]discovery.Endpoint, error) bool) {
		if target.Host == "" || strings.Trim(target.Path, "/") != "" || target.RawQuery != "" {
			yield(nil, fmt.Errorf("target %s: say etcd://service", target.Redacted()))
			return
		}
		w := watch{Registry: r, prefix: r.config.Prefix + target.Host + "/", feed: feed.Feed{Yield: yield},
			failed: pace.Backoff{First: firstRetry, Last: lastRetry}}
		for w.round(ctx) {
		}
	}
}

// A watch is one run of the resolver.
type watch struct {
	*Registry
	prefix string
	feed   feed.Feed
	failed pace.Backoff

	known    map[string][]byte
	revision int64
	gone     bool // nobody listens any more
}

var errGone = errors.New("nobody listens")

// round reads everything and watches it from there, until the watch ends.
func (w *watch) round(ctx context.Context) bool {
	start := time.Now()
	err := w.list(ctx)
	if err == nil {
		w.tell()
		err = w.follow(ctx)
	}
	switch {
	case ctx.Err() != nil || w.gone || errors.Is(err, errGone):
		return false
	case err != nil:
		w.forget(err)
		return w.feed.Err(err) && pace.Sleep(ctx, w.failed.Next())
	case time.Since(start) < firstRetry: // a watch that does not last must not become a loop
		return pace.Sleep(ctx, w.failed.Next())
	}
	w.failed.Reset()
	return true
}

// A pair is a key with its value, as the JSON API has them: base64 and, for numbers of
// 64 bits, strings.
type pair struct {
	Key, Value  []byte
	ModRevision int64 `json:"mod_revision,string"`
}

// list reads all keys, page by page, at the revision of the first one.
func (w *watch) list(ctx context.Context) error {
	known := map[string][]byte{}
	from, at := []byte(w.prefix), int64(0)
	for range pages {
		var got struct {
			Header struct {
				Revision int64 `json:",string"`
			}
			KVs  []pair
			More bool
		}
		body := map[string]any{"key": from, "range_end": after([]byte(w.prefix)), "limit": page}
		if at > 0 {
			body["revision"] = strconv.FormatInt(at, 10)
		}
		if err := w.call(ctx, "/v3/kv/range", body, &got); err != nil {
			return err
		}
		if got.Header.Revision == 0 {
			return errors.New("the answer has no revision; is this etcd?")
		}
		if at == 0 {
			at = got.Header.Revision
		}
		for _, kv := range got.KVs {
			known[string(kv.Key)] = kv.Value
		}
		if !got.More {
			w.known, w.revision = known, at
			return nil
		}
		if len(got.KVs) == 0 {
			return errors.New("etcd says that there are more keys, but gives none")
		}
		from = append(bytes.Clone(got.KVs[len(got.KVs)-1].Key), 0)
	}
	return fmt.Errorf("more than %d keys under %s", page*pages, w.prefix)
}

// after returns the first key that does not begin with prefix.
// Source: etcd.io/docs/v3.6/learning/api, "range_end"
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return []byte{0}
}

// A change is a line of the watch.
type change struct {
	Result struct {
		Header struct {
			Revision int64 `json:",string"`
		}
		Canceled        bool
		CancelReason    string `json:"cancel_reason"`
		CompactRevision int64  `json:"compact_revision,string"`
		Events          []struct {
			Type string // "" is PUT
			KV   pair
		}
	}
	Error *struct{ Message string }
}

// follow applies what changes until the watch ends; nil means: read everything anew.
func (w *watch) follow(ctx context.Context) error {
	body := map[string]any{"create_request": map[string]any{
		"key": []byte(w.prefix), "range_end": after([]byte(w.prefix)), "start_revision": strconv.FormatInt(w.revision+1, 10),
	}}
	return w.web.Stream(ctx, web.Exchange{Method: http.MethodPost, Path: "/v3/watch", Body: body, Time: pace.Jitter(w.config.Refresh)}, w.apply)
}

var errCompacted = errors.New("the watch was too late: etcd had compacted the history; everything is read anew")

func (w *watch) apply(line []byte) error {
	var c change
	if err := json.Unmarshal(line, &c); err != nil {
		return fmt.Errorf("etcd's watch: %w", err)
	}
	switch {
	case c.Error != nil:
		return fmt.Errorf("etcd's watch: %.200q", c.Error.Message)
	case c.Result.CompactRevision > 0:
		return errCompacted
	case c.Result.Canceled:
		return fmt.Errorf("etcd ended the watch: %.200q", c.Result.CancelReason)
	}
	for _, e := range c.Result.Events {
		if !strings.HasPrefix(string(e.KV.Key), w.prefix) {
			return fmt.Errorf("etcd's watch: an event for %.100q, which was not asked for", e.KV.Key)
		}
		if e.Type == "DELETE" {
			delete(w.known, string(e.KV.Key))
		} else {
			w.known[string(e.KV.Key)] = e.KV.Value
		}
	}
	if len(c.Result.Events) > 0 && !w.tell() {
		return errGone
	}
	return nil
}

// An instance is the value of a key.
type instance struct {
	Addr       string            `json:"addr"`
	Weight     int               `json:"weight,omitempty"`
	Zone       string            `json:"zone,omitempty"`
	ServerName string            `json:"serverName,omitempty"`
	Secure     bool              `json:"secure,omitempty"`
	Tags       []string          `json:"tags,omitempty"`
	Meta       map[string]string `json:"meta,omitempty"`
}

// tell yields what is known; a value that is no JSON becomes an endpoint that cannot be
// dialled, which the feed leaves out and tells of.
func (w *watch) tell() bool {
	set := make([]discovery.Endpoint, 0, len(w.known))
	for key, value := range w.known {
		var i instance
		if err := json.Unmarshal(value, &i); err != nil {
			i = instance{Addr: "not JSON: " + key}
		}
		set = append(set, discovery.Endpoint{Addr: i.Addr, Weight: i.Weight, Zone: i.Zone, ServerName: i.ServerName, Meta: i.Meta})
	}
	w.gone = w.gone || !w.feed.Set(set)
	return !w.gone
}
