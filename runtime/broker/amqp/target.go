package amqp

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A server is one of those that a target lists.
type server struct {
	secure    bool
	host      string // without port
	addr      string
	vhost     string
	user      string // "" for none
	password  string
	heartbeat time.Duration
	mechanism string
}

// defaultHeartbeat lets a connection that went silent count as lost after nine seconds.
const defaultHeartbeat = 6 * time.Second

// String is the server's address without credentials.
func (s *server) String() string {
	scheme := "amqp://"
	if s.secure {
		scheme = "amqps://"
	}
	return scheme + s.addr
}

func parseTarget(target string) ([]*server, error) {
	var out []*server
	for t := range strings.SplitSeq(target, ",") {
		s, err := parseServer(strings.TrimSpace(t))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// parseServer reads one address (RabbitMQ URI specification). Its errors quote none of it,
// since there may be a password inside.
func parseServer(t string) (*server, error) {
	u, err := url.Parse(t)
	if err != nil || u.Hostname() == "" || u.Scheme != "amqp" && u.Scheme != "amqps" {
		return nil, fmt.Errorf("amqp: the target is no server's address: write amqps://host:5671/vhost or amqp://host:5672/vhost, with %%-encoding in user, password and vhost")
	}
	s := &server{secure: u.Scheme == "amqps", host: u.Hostname(), vhost: "/", heartbeat: defaultHeartbeat}
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "5671", false: "5672"}[s.secure]
	}
	s.addr = net.JoinHostPort(s.host, port)
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
	}
	if path := strings.TrimPrefix(u.EscapedPath(), "/"); path != "" {
		if s.vhost, err = url.PathUnescape(path); err != nil || strings.Contains(path, "/") {
			return nil, fmt.Errorf("amqp: the virtual host %q of %s is not well-formed: write %%2F for a slash", path, s)
		}
	}
	return s, s.query(u.Query())
}

// query reads the options of an address.
func (s *server) query(q url.Values) error {
	for name, values := range q {
		switch name {
		case "heartbeat":
			n, err := strconv.ParseUint(values[0], 10, 16)
			if err != nil || n == 0 {
				return fmt.Errorf("amqp: heartbeat=%s in the target of %s: it is a number of seconds, 1 or more", values[0], s)
			}
			s.heartbeat = time.Duration(n) * time.Second
		case "auth_mechanism":
			s.mechanism = strings.ToUpper(values[0])
		default:
			return fmt.Errorf("amqp: the target of %s has an option %q, which is not known: heartbeat and auth_mechanism are; certificates come by amqp.WithTLS", s, name)
		}
	}
	return nil
}
