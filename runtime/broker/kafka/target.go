package kafka

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// A target is where a cluster is found.
type target struct {
	secure    bool
	seeds     []string
	user      string
	password  string
	mechanism string
}

// String is the first server's address without credentials.
func (t *target) String() string {
	if t.secure {
		return "kafka-secure://" + strings.Join(t.seeds, ",")
	}
	return "kafka://" + strings.Join(t.seeds, ",")
}

// parseTarget reads a list of servers: kafka://a:9092,b:9092 or each with its scheme. Its
// errors quote none of it, since there may be a password inside.
func parseTarget(list string) (*target, error) {
	t := &target{}
	scheme := ""
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); !strings.Contains(one, "://") && scheme != "" {
			one = scheme + "://" + one
		}
		u, err := url.Parse(one)
		if err != nil || u.Hostname() == "" || u.Scheme != "kafka" && u.Scheme != "kafka-secure" || strings.Trim(u.Path, "/") != "" {
			return nil, fmt.Errorf("kafka: the target is no list of servers: write kafka-secure://host:9093,host:9093 or kafka://host:9092, with %%-encoding in user and password")
		}
		if scheme != "" && u.Scheme != scheme {
			return nil, fmt.Errorf("kafka: the servers of one target are all kafka-secure:// or all kafka://")
		}
		scheme, t.secure = u.Scheme, u.Scheme == "kafka-secure"
		if err := t.add(u); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *target) add(u *url.URL) error {
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "9093", false: "9092"}[t.secure]
	}
	t.seeds = append(t.seeds, net.JoinHostPort(u.Hostname(), port))
	if u.User != nil {
		t.user = u.User.Username()
		t.password, _ = u.User.Password()
	}
	for name, values := range u.Query() {
		if name != "sasl_mechanism" {
			return fmt.Errorf("kafka: the target of %s has an option %q, which is not known: sasl_mechanism is; certificates come by kafka.WithTLS", t, name)
		}
		t.mechanism = strings.ToUpper(values[0])
	}
	return nil
}

// The mechanisms of SASL that we speak.
const (
	mechanismPlain    = "PLAIN"
	mechanismScram256 = "SCRAM-SHA-256"
	mechanismScram512 = "SCRAM-SHA-512"
	mechanismOAuth    = "OAUTHBEARER"
)

func checkMechanism(name string, credentials bool) error {
	if !slices.Contains([]string{"", mechanismPlain, mechanismScram256, mechanismScram512, mechanismOAuth}, name) {
		return fmt.Errorf("kafka: the mechanism %q is not supported: use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", name)
	}
	if name != "" && !credentials {
		return fmt.Errorf("kafka: the mechanism %s needs a user in the target, or kafka.WithCredentials", name)
	}
	return nil
}
