package kubernetes

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/runtime/discovery"
)

// A slice is an EndpointSlice, as far as we read it.
// Source: kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1
type slice struct {
	Metadata    struct{ Name, ResourceVersion string }
	AddressType string
	Endpoints   []endpoint
	Ports       []port
}

type endpoint struct {
	Addresses  []string
	Conditions struct{ Ready, Terminating *bool }
	NodeName   string
	Zone       string
	TargetRef  *struct{ Kind, Name, UID string }
}

type port struct {
	Name     string
	Port     *int
	Protocol string
}

// live tells whether calls may come: not being told otherwise counts as ready, and what
// is going away gets none, ready or not.
func (e *endpoint) live() bool {
	c := e.Conditions
	return (c.Ready == nil || *c.Ready) && (c.Terminating == nil || !*c.Terminating)
}

// merge makes one set of all slices, in which an endpoint that has addresses of both
// families stands with one: IPv4, where it has that. Slices without the port asked for are
// left out; the error says which port they lack.
func (w *watch) merge() ([]discovery.Endpoint, error) {
	byTarget := map[string]string{} // the family that stands for a target
	var all []discovery.Endpoint
	var wrong error
	names := slices.SortedFunc(maps.Keys(w.slices), func(a, b string) int {
		if c := strings.Compare(w.slices[a].AddressType, w.slices[b].AddressType); c != 0 {
			return c // "FQDN" < "IPv4" < "IPv6"
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		s := w.slices[name]
		for _, e := range s.Endpoints {
			if !e.live() || len(e.Addresses) == 0 || e.repeats(s, byTarget) {
				continue
			}
			number, err := w.pick(s.Ports)
			if err != nil {
				wrong = err
				break
			}
			all = append(all, w.endpoint(e, number))
		}
	}
	return all, wrong
}

func (e *endpoint) repeats(s *slice, byTarget map[string]string) bool {
	if e.TargetRef == nil || e.TargetRef.UID == "" {
		return false
	}
	family, known := byTarget[e.TargetRef.UID]
	if !known {
		byTarget[e.TargetRef.UID] = s.AddressType
	}
	return known && family != s.AddressType
}

// pick returns the number of the port that the target asks for. A slice without ports
// says that its endpoints have all of them.
func (w *watch) pick(ports []port) (int, error) {
	var names []string
	for _, p := range ports {
		if p.Port == nil || p.Protocol != "" && p.Protocol != "TCP" {
			continue
		}
		number := strconv.Itoa(*p.Port)
		if w.port == number || w.port != "" && w.port == p.Name {
			return *p.Port, nil
		}
		names = append(names, p.Name+" "+number)
	}
	if n, err := strconv.Atoi(w.port); err == nil && len(ports) == 0 {
		return n, nil
	}
	if w.port == "" && len(names) == 1 {
		_, number, _ := strings.Cut(names[0], " ")
		return strconv.Atoi(number)
	}
	return 0, fmt.Errorf("service %s.%s: which port is %q? Its endpoints have: %s", w.name, w.namespace, w.port, strings.Join(names, ", "))
}

func (w *watch) endpoint(e endpoint, number int) discovery.Endpoint {
	d := discovery.Endpoint{
		Addr:       net.JoinHostPort(e.Addresses[0], strconv.Itoa(number)),
		Zone:       e.Zone,
		ServerName: w.name + "." + w.namespace + ".svc",
		Meta:       map[string]string{},
	}
	if e.NodeName != "" {
		d.Meta["kubernetes-node"] = e.NodeName
	}
	if e.TargetRef != nil && e.TargetRef.Name != "" {
		d.Meta["kubernetes-"+strings.ToLower(e.TargetRef.Kind)] = e.TargetRef.Name
	}
	return d
}
