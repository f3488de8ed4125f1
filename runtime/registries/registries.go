// Package registries finds services, and announces servers, in whatever registry a target
// names: for programs that learn at run time where they run. The environment says where
// the registry is, in the variables that its own tools read. A program that knows its
// registry imports that one's package instead, and links no other.
//
//	consul://users      CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN[_FILE], CONSUL_HTTP_SSL, CONSUL_CACERT,
//	                    CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY, CONSUL_NAMESPACE
//	eureka://users      EUREKA_CLIENT_SERVICEURL_DEFAULTZONE, EUREKA_CLIENT_REGISTRYFETCHINTERVALSECONDS,
//	                    EUREKA_INSTANCE_LEASEEXPIRATIONDURATIONINSECONDS
//	etcd://users        ETCDCTL_ENDPOINTS, ETCDCTL_USER, ETCDCTL_CACERT, ETCDCTL_CERT, ETCDCTL_KEY
//	kubernetes://users  the pod's service account; outside of pods KUBECONFIG, or ~/.kube/config
//	file:endpoints.txt
//
// Targets of runtime itself (https, dns, static) work as ever. What may follow a target is
// said by the packages below runtime/discovery.
//
// It imports runtime, runtime/discovery and below, and runtime/tlsconf.
package registries

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"sync"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/file"
)

// All lets [concordat.NewConn] understand the targets of every registry. No environment is
// read, and no registry asked, before the first call.
func All() concordat.ConnOption {
	by := map[string]discovery.Resolver{"file": file.Resolver{}}
	for scheme, open := range known {
		by[scheme] = &resolver{open: open}
	}
	return concordat.WithResolvers(by)
}

// Announce registers a server under a target, as [concordat.WithRegistration] does:
//
//	registries.Announce("consul://users?zone=eu-1&weight=2&tag=blue")
//
// The query may say addr (host:port that clients dial), id, zone, weight, tag (several
// times) and server-name; any other key becomes metadata. An error says that the target is
// no registry that takes servers: Kubernetes announces pods by itself.
func Announce(target string) (concordat.ServerOption, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("announcing: %w", err)
	}
	if u.Scheme == "kubernetes" {
		return nil, fmt.Errorf("announcing %s: Kubernetes announces pods by itself, by their readiness", target)
	}
	open, ok := known[u.Scheme]
	if !ok || u.Hostname() == "" {
		return nil, fmt.Errorf("announcing %q: say consul://NAME, eureka://NAME or etcd://NAME", target)
	}
	i, err := instance(u)
	if err != nil {
		return nil, fmt.Errorf("announcing %s: %w", target, err)
	}
	r, err := open()
	if err != nil {
		return nil, err
	}
	to, ok := r.(discovery.Registrar)
	if !ok {
		return nil, fmt.Errorf("announcing %s: that registry takes no servers", target)
	}
	return concordat.WithRegistration(to, i), nil
}

// instance is what the query of a target says of a server.
func instance(u *url.URL) (discovery.Instance, error) {
	i := discovery.Instance{Service: u.Hostname()}
	for key, values := range u.Query() {
		v := values[len(values)-1]
		switch key {
		case "addr":
			i.Addr = v
		case "id":
			i.ID = v
		case "zone":
			i.Zone = v
		case "tag":
			i.Tags = values
		case "server-name":
			i.ServerName = v
		case "weight":
			n, err := strconv.Atoi(v)
			if err != nil || n <= 0 {
				return i, fmt.Errorf("weight %q is not a positive number", v)
			}
			i.Weight = n
		default:
			if i.Meta == nil {
				i.Meta = map[string]string{}
			}
			i.Meta[key] = v
		}
	}
	return i, nil
}

// A resolver opens its registry when it is first asked. What is wrong with the
// environment does not get better, so the answer stays.
type resolver struct {
	open func() (discovery.Resolver, error)

	once sync.Once
	r    discovery.Resolver
	err  error
}

// Resolve is discovery.Resolver.
func (r *resolver) Resolve(ctx context.Context, target *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	r.once.Do(func() { r.r, r.err = r.open() })
	if r.err != nil {
		return func(yield func([]discovery.Endpoint, error) bool) { yield(nil, r.err) }
	}
	return r.r.Resolve(ctx, target)
}
