// Package eureka finds services in Netflix's Eureka, and announces them there, by its
// REST API: the whole registry once, then what changed, checked by its hash.
//
// It imports runtime/discovery, runtime/tlsconf and the standard library.
package eureka

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// The defaults of Config: Eureka's own.
const (
	Local = "http://127.0.0.1:8761/eureka"
	Fetch = 30 * time.Second
	Lease = 90 * time.Second
)

// Full is after how many fetches of changes everything is fetched again, since changes do
// not say who still sends heartbeats.
const Full = 10

// The metadata in which Concordat keeps what Eureka has no place for.
const (
	MetaServerName = "concordat-server-name"
	MetaZone       = "zone"
	MetaWeight     = "weight"
	MetaTags       = "tags"
)

// Config says which Eureka, and how to ask it. The zero value asks the one of this machine.
type Config struct {
	// Servers are base URLs, with the path: /eureka of Spring's server, /eureka/v2 of
	// Netflix's. Those of the own zone stand first; the next is asked when one fails. A user
	// and password in a URL are sent. None means Local.
	Servers []string
	TLS     *tlsconf.Config // for https; nil means tlsconf.System
	Fetch   time.Duration   // how often changes are fetched
	Lease   time.Duration   // after how long without a heartbeat an announced instance may be evicted
	// Dial connects; nil means by TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Registry is a resolver for targets such as
//
//	eureka://users              the secure port of those that have one, or else the other
//	eureka://users?secure=true  the secure port only
//
// and a registrar. It is safe for concurrent use.
type Registry struct {
	config Config
	web    *web.Client

	mu    sync.Mutex
	dirty int64             // the newest lastDirtyTimestamp, in milliseconds
	told  map[string]string // the status that Eureka was last told, by instance
}

// New returns a Registry. It does no I/O; an error says what is wrong with c.
func New(c Config) (*Registry, error) {
	if len(c.Servers) == 0 {
		c.Servers = []string{Local}
	}
	if c.Fetch <= 0 {
		c.Fetch = Fetch
	}
	if c.Lease < time.Second {
		c.Lease = Lease
	}
	client, err := web.New(web.Config{Servers: c.Servers, TLS: c.TLS, Dial: c.Dial})
	if err != nil {
		return nil, fmt.Errorf("eureka: %w", err)
	}
	return &Registry{config: c, web: client, told: map[string]string{}}, nil
}

// Register posts the instance as UP or, when it is sick, as DOWN.
func (r *Registry) Register(ctx context.Context, i discovery.Instance, sick error) error {
	host, number, err := i.HostPort()
	if err != nil {
		return err
	}
	app := strings.ToUpper(i.Service)
	open, secure := portOf(number, !i.Secure), portOf(number, i.Secure)
	body := map[string]any{"instance": map[string]any{
		"instanceId": i.Name(), "app": app, "hostName": cmp.Or(i.ServerName, host), "ipAddr": host,
		"vipAddress": i.Service, "secureVipAddress": i.Service, "status": status(sick), "port": open, "securePort": secure,
		"dataCenterInfo":     map[string]string{"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
		"leaseInfo":          map[string]int{"renewalIntervalInSecs": seconds(r.Every()), "durationInSecs": seconds(r.config.Lease)},
		"lastDirtyTimestamp": strconv.FormatInt(r.newer(), 10),
		"metadata":           metadata(i),
	}}
	if _, err = r.web.Do(ctx, web.Exchange{Method: http.MethodPost, Path: "/apps/" + url.PathEscape(app), Body: body}); err != nil {
		return err
	}
	r.tell(i, status(sick))
	return nil
}

// portOf is how Eureka's JSON has ports; one that is not enabled needs a number all the
// same.
func portOf(number int, enabled bool) map[string]any {
	return map[string]any{"$": number, "@enabled": strconv.FormatBool(enabled)}
}

// newer returns a timestamp that is later than all before, even if the clock went back:
// Eureka ignores a registration that is older than what it knows.
func (r *Registry) newer() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirty = max(r.dirty+1, time.Now().UnixMilli())
	return r.dirty
}

// tell notes what Eureka was told; "" forgets it.
func (r *Registry) tell(i discovery.Instance, status string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told[i.Name()] = status; status == "" {
		delete(r.told, i.Name())
	}
}

// Renew sends a heartbeat. A change of health is a registration: heartbeats do not change
// the status.
func (r *Registry) Renew(ctx context.Context, i discovery.Instance, sick error) error {
	r.mu.Lock()
	told, dirty := r.told[i.Name()], r.dirty
	r.mu.Unlock()
	if told != status(sick) {
		return r.Register(ctx, i, sick)
	}
	_, err := r.web.Do(ctx, web.Exchange{Method: http.MethodPut, Path: path(i), Query: url.Values{
		"status": {told}, "lastDirtyTimestamp": {strconv.FormatInt(dirty, 10)},
	}})
	if web.StatusOf(err) == http.StatusNotFound {
		return fmt.Errorf("%w: %w", discovery.ErrUnknown, err)
	}
	return err
}

// Deregister removes the instance.
func (r *Registry) Deregister(ctx context.Context, i discovery.Instance) error {
	r.tell(i, "")
	_, err := r.web.Do(ctx, web.Exchange{Method: http.MethodDelete, Path: path(i)})
	if web.StatusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// Every is a third of the lease.
func (r *Registry) Every() time.Duration { return r.config.Lease / 3 }

func path(i discovery.Instance) string {
	return "/apps/" + url.PathEscape(strings.ToUpper(i.Service)) + "/" + url.PathEscape(i.Name())
}

func status(sick error) string {
	if sick != nil {
		return "DOWN"
	}
	return "UP"
}

func seconds(d time.Duration) int { return max(int(d/time.Second), 1) }

func metadata(i discovery.Instance) map[string]string {
	m := maps.Clone(i.Meta)
	if m == nil {
		m = map[string]string{}
	}
	weight := ""
	if i.Weight > 0 {
		weight = strconv.Itoa(i.Weight)
	}
	for k, v := range map[string]string{MetaServerName: i.ServerName, MetaZone: i.Zone, MetaWeight: weight, MetaTags: strings.Join(i.Tags, ",")} {
		if v != "" {
			m[k] = v
		}
	}
	return m
}
