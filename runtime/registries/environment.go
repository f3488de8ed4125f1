package registries

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/consul"
	"github.com/concordat-dev/concordat/runtime/discovery/etcd"
	"github.com/concordat-dev/concordat/runtime/discovery/eureka"
	"github.com/concordat-dev/concordat/runtime/discovery/kubernetes"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// known are the registries, by scheme.
var known = map[string]func() (discovery.Resolver, error){
	"consul":     openConsul,
	"eureka":     openEureka,
	"etcd":       openEtcd,
	"kubernetes": openKubernetes,
}

// openConsul reads what Consul's own tools read.
func openConsul() (discovery.Resolver, error) {
	c := consul.Config{Addr: os.Getenv("CONSUL_HTTP_ADDR"), Token: os.Getenv("CONSUL_HTTP_TOKEN"), Namespace: os.Getenv("CONSUL_NAMESPACE")}
	if name := os.Getenv("CONSUL_HTTP_TOKEN_FILE"); name != "" {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("CONSUL_HTTP_TOKEN_FILE: %w", err)
		}
		c.Token = strings.TrimSpace(string(b))
	}
	switch v := os.Getenv("CONSUL_HTTP_SSL_VERIFY"); v {
	case "0", "false":
		return nil, fmt.Errorf("CONSUL_HTTP_SSL_VERIFY=%s: unverified servers are refused; name their authority by CONSUL_CACERT", v)
	}
	if path, ok := strings.CutPrefix(c.Addr, "unix://"); ok {
		c.Addr = ""
		c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
	} else if c.Addr != "" && !strings.Contains(c.Addr, "://") {
		scheme := "http://"
		if ssl := os.Getenv("CONSUL_HTTP_SSL"); ssl == "1" || ssl == "true" {
			scheme = "https://"
		}
		c.Addr = scheme + c.Addr
	}
	c.TLS = tlsOf("CONSUL_CACERT", "CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY")
	return consul.New(c)
}

// openEureka reads what Spring's client reads.
func openEureka() (discovery.Resolver, error) {
	c := eureka.Config{Servers: listOf("EUREKA_CLIENT_SERVICEURL_DEFAULTZONE")}
	var err error
	if c.Fetch, err = secondsOf("EUREKA_CLIENT_REGISTRYFETCHINTERVALSECONDS"); err != nil {
		return nil, err
	}
	if c.Lease, err = secondsOf("EUREKA_INSTANCE_LEASEEXPIRATIONDURATIONINSECONDS"); err != nil {
		return nil, err
	}
	return eureka.New(c)
}

// secondsOf is 0 where the variable is not set.
func secondsOf(name string) (time.Duration, error) {
	v := os.Getenv(name)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%s=%q is not a positive number of seconds", name, v)
	}
	return time.Duration(n) * time.Second, nil
}

// openEtcd reads what etcdctl reads.
func openEtcd() (discovery.Resolver, error) {
	c := etcd.Config{Servers: listOf("ETCDCTL_ENDPOINTS"), TLS: tlsOf("ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY")}
	for n, s := range c.Servers {
		if !strings.Contains(s, "://") {
			c.Servers[n] = "http://" + s
		}
	}
	c.User, c.Password, _ = strings.Cut(os.Getenv("ETCDCTL_USER"), ":")
	c.Password = cmp.Or(c.Password, os.Getenv("ETCDCTL_PASSWORD"))
	return etcd.New(c)
}

// openKubernetes is that of the pod, or else kubectl's.
func openKubernetes() (discovery.Resolver, error) {
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		c, err := kubernetes.InCluster("")
		if err != nil {
			return nil, err
		}
		return kubernetes.New(c)
	}
	name := os.Getenv("KUBECONFIG")
	if name == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("no KUBECONFIG, and %w", err)
		}
		name = filepath.Join(home, ".kube", "config")
	}
	c, err := kubernetes.Kubeconfig(name, "")
	if err != nil {
		return nil, err
	}
	return kubernetes.New(c)
}

// tlsOf is made of the files that variables name; nil where they name none.
func tlsOf(ca, cert, key string) *tlsconf.Config {
	ca, cert, key = os.Getenv(ca), os.Getenv(cert), os.Getenv(key)
	switch {
	case cert != "":
		return tlsconf.Mutual(cert, key, ca)
	case ca != "":
		return tlsconf.Roots(ca)
	}
	return nil
}

func listOf(name string) []string {
	var all []string
	for s := range strings.SplitSeq(os.Getenv(name), ",") {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}
