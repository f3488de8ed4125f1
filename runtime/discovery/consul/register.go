package consul

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
)

// registration is the body of /v1/agent/service/register.
type registration struct {
	ID, Name, Address string
	Port              int
	Tags              []string          `json:",omitempty"`
	Meta              map[string]string `json:",omitempty"`
	Weights           *weights          `json:",omitempty"`
	Check             check
}

type weights struct{ Passing, Warning int }

type check struct {
	CheckID, Name, TTL, Status, Notes string
	DeregisterCriticalServiceAfter    string
}

// Register registers the instance with a TTL check that begins in the state of sick.
func (r *Registry) Register(ctx context.Context, i discovery.Instance, sick error) error {
	host, port, err := i.HostPort()
	if err != nil {
		return err
	}
	body := registration{ID: i.Name(), Name: i.Service, Address: host, Port: port, Tags: i.Tags, Meta: meta(i), Check: check{
		CheckID: checkID(i), Name: "heartbeat of " + i.Service, TTL: r.config.TTL.String(), Status: status(sick),
		DeregisterCriticalServiceAfter: r.config.Forget.String(),
	}}
	if i.Weight > 0 {
		body.Weights = &weights{Passing: i.Weight, Warning: 1}
	}
	q := url.Values{"replace-existing-checks": {"true"}}
	_, err = r.web.Do(ctx, web.Exchange{Method: http.MethodPut, Path: "/v1/agent/service/register", Query: r.namespace(q), Body: body})
	return err
}

// Renew passes or fails the check. A Consul that does not know the check answers 404, and
// 500 in older versions.
func (r *Registry) Renew(ctx context.Context, i discovery.Instance, sick error) error {
	output := "serving"
	if sick != nil {
		output = sick.Error()
	}
	_, err := r.web.Do(ctx, web.Exchange{
		Method: http.MethodPut, Path: "/v1/agent/check/update/" + url.PathEscape(checkID(i)), Query: r.namespace(nil),
		Body: map[string]string{"Status": status(sick), "Output": output},
	})
	if s := web.StatusOf(err); s == http.StatusNotFound || s == http.StatusInternalServerError {
		return fmt.Errorf("%w: %w", discovery.ErrUnknown, err)
	}
	return err
}

// Deregister removes the instance and its check.
func (r *Registry) Deregister(ctx context.Context, i discovery.Instance) error {
	_, err := r.web.Do(ctx, web.Exchange{Method: http.MethodPut, Path: "/v1/agent/service/deregister/" + url.PathEscape(i.Name()), Query: r.namespace(nil)})
	if web.StatusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// Every is a third of the TTL.
func (r *Registry) Every() time.Duration { return r.config.TTL / 3 }

func (r *Registry) namespace(q url.Values) url.Values {
	if r.config.Namespace == "" {
		return q
	}
	if q == nil {
		q = url.Values{}
	}
	q.Set("ns", r.config.Namespace)
	return q
}

func checkID(i discovery.Instance) string { return "service:" + i.Name() }

func status(sick error) string {
	if sick != nil {
		return "critical"
	}
	return "passing"
}

// meta adds what Consul has no place for to what the instance says.
func meta(i discovery.Instance) map[string]string {
	m := maps.Clone(i.Meta)
	if m == nil {
		m = map[string]string{}
	}
	for k, v := range map[string]string{MetaServerName: i.ServerName, MetaZone: i.Zone} {
		if v != "" {
			m[k] = v
		}
	}
	if i.Secure {
		m[MetaSecure] = "true"
	}
	return m
}
