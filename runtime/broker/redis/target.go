package redis

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// A target is where the server is found, or the cluster, or the sentinels.
type target struct {
	secure   bool
	addrs    []string
	user     string
	password string
	db       int
	master   string // "" without sentinels
}

func (t *target) cluster() bool { return len(t.addrs) > 1 && t.master == "" }

// String is the address without credentials.
func (t *target) String() string {
	if t.secure {
		return "rediss://" + strings.Join(t.addrs, ",")
	}
	return "redis://" + strings.Join(t.addrs, ",")
}

// parseTarget reads a list of servers. Its errors quote none of it, since there may be a
// password inside.
func parseTarget(list string) (*target, error) {
	t := &target{}
	scheme := ""
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); !strings.Contains(one, "://") && scheme != "" {
			one = scheme + "://" + one
		}
		u, err := url.Parse(one)
		if err != nil || u.Hostname() == "" || u.Scheme != "redis" && u.Scheme != "rediss" {
			return nil, fmt.Errorf("redis: the target is no server's address: write rediss://host:6380/0 or redis://host:6379/0, with %%-encoding in user and password")
		}
		if scheme != "" && u.Scheme != scheme {
			return nil, fmt.Errorf("redis: the servers of one target are all rediss:// or all redis://")
		}
		scheme, t.secure = u.Scheme, u.Scheme == "rediss"
		if err := t.add(u); err != nil {
			return nil, err
		}
	}
	if t.cluster() && t.db != 0 {
		return nil, fmt.Errorf("redis: a cluster has no databases but 0; for sentinels write ?master=name")
	}
	return t, nil
}

func (t *target) add(u *url.URL) error {
	port := u.Port()
	if port == "" {
		port = "6379"
	}
	t.addrs = append(t.addrs, net.JoinHostPort(u.Hostname(), port))
	if u.User != nil {
		t.user = u.User.Username()
		t.password, _ = u.User.Password()
	}
	if path := strings.Trim(u.Path, "/"); path != "" {
		n, err := strconv.Atoi(path)
		if err != nil || n < 0 {
			return fmt.Errorf("redis: the database of %s is %q: it is a number", t, path)
		}
		t.db = n
	}
	for name, values := range u.Query() {
		if name != "master" {
			return fmt.Errorf("redis: the target of %s has an option %q, which is not known: master is; certificates come by redis.WithTLS", t, name)
		}
		t.master = values[0]
	}
	return nil
}
