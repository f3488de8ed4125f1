package runtime

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
)

// maxPolicies bounds what PUT /policies takes.
const maxPolicies = 1 << 20

// allPolicies are those of a server and of the connections that WithAdmin was given, by
// their target.
type allPolicies struct {
	Server      json.RawMessage            `json:"server,omitempty"`
	Connections map[string]json.RawMessage `json:"connections,omitempty"`
}

// servePolicies shows the policies, and with PUT replaces those that the body has, all of
// them or none. The port asks for no password, so a request must come from this machine,
// and from no page that a browser shows.
func (s *Server) servePolicies(w http.ResponseWriter, r *http.Request) {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err != nil || !loopback(host) || !loopback(hostOf(r.Host)) || r.Header.Get("Origin") != "" {
		http.Error(w, "only programs of this machine may ask, by a loopback address", http.StatusForbidden)
		return
	}
	if r.Method == http.MethodPut {
		if status, err := s.putPolicies(r); err != nil {
			s.log.Warn("policies were not changed", "by", r.RemoteAddr, "error", err)
			http.Error(w, ErrorOf(err).Message, status)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(s.shownPolicies())
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func (s *Server) shownPolicies() any {
	conns := map[string]*Policies{}
	for _, c := range s.watched {
		conns[c.String()] = c.Policies()
	}
	return struct {
		Server      *Policies            `json:"server"`
		Connections map[string]*Policies `json:"connections,omitempty"`
	}{s.Policies(), conns}
}

func (s *Server) putPolicies(r *http.Request) (status int, err error) {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		return http.StatusUnsupportedMediaType, Errorf(InvalidArgument, "send application/json")
	}
	text, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxPolicies))
	if err != nil {
		return http.StatusRequestEntityTooLarge, Errorf(InvalidArgument, "policies have at most %d bytes: %w", maxPolicies, err)
	}
	swap, err := s.readPolicies(text)
	if err != nil {
		return http.StatusBadRequest, err
	}
	for _, f := range swap {
		f(r.RemoteAddr)
	}
	return http.StatusOK, nil
}

// readPolicies checks all of text, and returns what puts it into force.
func (s *Server) readPolicies(text []byte) (swap []func(by string), err error) {
	var all allPolicies
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, Errorf(InvalidArgument, "not of the form that GET /policies shows: %w", err)
	}
	set := func(k *common, of string, text json.RawMessage, known func(*Policies) error) error {
		p, err := ParsePolicies(text)
		if err == nil {
			err = known(p)
		}
		if err != nil {
			return Errorf(InvalidArgument, "%s: %w", of, err)
		}
		swap = append(swap, func(by string) {
			_ = k.SetPolicies(p) // checked
			s.log.Info("policies were changed", "of", of, "by", by, "to", string(text))
		})
		return nil
	}
	if all.Server != nil {
		if err := set(&s.common, "server", all.Server, s.unknown); err != nil {
			return nil, err
		}
	}
	for _, target := range slices.Sorted(maps.Keys(all.Connections)) {
		i := slices.IndexFunc(s.watched, func(c *Conn) bool { return c.String() == target })
		if i < 0 {
			return nil, Errorf(InvalidArgument, "there is no connection %q; GET /policies shows them", target)
		}
		if err := set(&s.watched[i].common, target, all.Connections[target], s.watched[i].uncalled); err != nil {
			return nil, err
		}
	}
	return swap, nil
}

// uncalled says which operations p names that belong to no service called so far: most
// likely, their names are wrong. A connection does not know what it may yet carry, so one
// that has carried nothing takes all.
func (c *Conn) uncalled(p *Policies) error {
	var called []string
	for _, o := range c.Stats() {
		called = append(called, o.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Operations)) {
		service, _, full := strings.Cut(name, "/")
		known := !full || len(called) == 0 || slices.ContainsFunc(called, func(o string) bool { return strings.HasPrefix(o, service+"/") })
		if !known {
			return fmt.Errorf("no operation of the service %q was called over this connection; those that were: %s", service, strings.Join(called, ", "))
		}
	}
	return nil
}
