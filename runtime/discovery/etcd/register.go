package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
)

// A lease holds what we announced.
type lease struct {
	id    string // a number of 64 bits; the JSON API has them as strings
	shown bool   // the key exists: the instance was well
}

func (r *Registry) key(i discovery.Instance) string {
	return r.config.Prefix + i.Service + "/" + i.Name()
}

// Register grants a lease and, when the instance is well, writes its key under it. A
// lease from before is revoked.
func (r *Registry) Register(ctx context.Context, i discovery.Instance, sick error) error {
	if strings.Contains(i.Service, "/") {
		return fmt.Errorf("service %q: a name with a slash would land under another service", i.Service)
	}
	var got struct {
		ID    string
		Error string
	}
	err := r.call(ctx, "/v3/lease/grant", map[string]any{"TTL": int64(r.config.TTL / time.Second)}, &got)
	switch {
	case err != nil:
		return err
	case got.Error != "" || got.ID == "":
		return fmt.Errorf("etcd granted no lease: %.200q", got.Error)
	}
	r.mu.Lock()
	old, had := r.leases[r.key(i)]
	r.leases[r.key(i)] = lease{id: got.ID}
	r.mu.Unlock()
	if err := r.show(ctx, i, sick == nil); err != nil {
		return err
	}
	if had {
		return r.revoke(ctx, old.id)
	}
	return nil
}

// show writes or removes the key, if that is not so already.
func (r *Registry) show(ctx context.Context, i discovery.Instance, shown bool) error {
	key := r.key(i)
	r.mu.Lock()
	l := r.leases[key]
	r.mu.Unlock()
	if l.shown == shown {
		return nil
	}
	path, body := "/v3/kv/deleterange", map[string]any{"key": []byte(key)}
	if shown {
		value, err := json.Marshal(instance{Addr: i.Addr, Weight: i.Weight, Zone: i.Zone, ServerName: i.ServerName, Secure: i.Secure, Tags: i.Tags, Meta: i.Meta})
		if err != nil {
			return err
		}
		path, body["value"], body["lease"] = "/v3/kv/put", value, l.id
	}
	var got struct{}
	if err := r.call(ctx, path, body, &got); err != nil {
		return unknownLease(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leases[key] = lease{id: l.id, shown: shown}
	return nil
}

// Renew keeps the lease alive, and sees to it that the key is there: somebody else may
// have removed it.
func (r *Registry) Renew(ctx context.Context, i discovery.Instance, sick error) error {
	r.mu.Lock()
	l, ok := r.leases[r.key(i)]
	r.mu.Unlock()
	if !ok {
		return discovery.ErrUnknown
	}
	var got struct {
		Result struct {
			TTL int64 `json:",string"`
		}
		Error *struct{ Message string }
	}
	err := r.call(ctx, "/v3/lease/keepalive", map[string]string{"ID": l.id}, &got)
	switch {
	case err != nil:
		return unknownLease(err)
	case got.Error != nil:
		return unknownLease(errors.New(got.Error.Message))
	case got.Result.TTL <= 0:
		return fmt.Errorf("%w: its lease ran out", discovery.ErrUnknown)
	}
	if l.shown {
		if err := r.look(ctx, i); err != nil {
			return err
		}
	}
	return r.show(ctx, i, sick == nil)
}

// look notes when the key is not there.
func (r *Registry) look(ctx context.Context, i discovery.Instance) error {
	var got struct {
		Count int64 `json:",string"`
	}
	if err := r.call(ctx, "/v3/kv/range", map[string]any{"key": []byte(r.key(i)), "count_only": true}, &got); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.leases[r.key(i)]
	l.shown = got.Count > 0
	r.leases[r.key(i)] = l
	return nil
}

func unknownLease(err error) error {
	e, ok := errors.AsType[*web.StatusError](err)
	if ok && e.Status == http.StatusNotFound || strings.Contains(err.Error(), "requested lease not found") {
		return fmt.Errorf("%w: %w", discovery.ErrUnknown, err)
	}
	return err
}

// Deregister revokes the lease, which removes the key.
func (r *Registry) Deregister(ctx context.Context, i discovery.Instance) error {
	r.mu.Lock()
	l, ok := r.leases[r.key(i)]
	delete(r.leases, r.key(i))
	r.mu.Unlock()
	if !ok {
		return nil
	}
	return r.revoke(ctx, l.id)
}

func (r *Registry) revoke(ctx context.Context, id string) error {
	var got struct{}
	err := r.call(ctx, "/v3/lease/revoke", map[string]string{"ID": id}, &got)
	if err != nil && errors.Is(unknownLease(err), discovery.ErrUnknown) {
		return nil
	}
	return err
}

// Every is a third of the TTL.
func (r *Registry) Every() time.Duration { return r.config.TTL / 3 }
