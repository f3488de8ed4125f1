// Package kubernetes finds the endpoints of services by the EndpointSlices of the API
// server, listed and watched over HTTPS. Servers need not announce themselves: Kubernetes
// does, by readiness probes.
//
// It imports runtime/discovery, runtime/tlsconf and the standard library.
package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// Refresh is how often everything is read anew, besides being watched: Config's default.
const Refresh = 5 * time.Minute

// Config says which API server, and who asks. [InCluster] and [Kubeconfig] make one.
type Config struct {
	Server     string          // https://host:port
	TLS        *tlsconf.Config // trusted authorities, and a client certificate where there is one
	ServerName string          // that the server's certificate must bear; "" means its host
	Token      string          // sent as a bearer token
	TokenFile  string          // read anew for every request: Kubernetes replaces it within the hour
	Namespace  string          // of services that name none; "" means "default"
	Refresh    time.Duration   // 0 means Refresh
	// Dial connects; nil means by TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Registry is a resolver for targets such as
//
//	kubernetes://users.shop:8443      container port 8443 of service users in namespace shop
//	kubernetes://users.shop?port=api  the port named api
//	kubernetes://users                the only port, in the configured namespace
//
// It is safe for concurrent use.
type Registry struct {
	config Config
	web    *web.Client
}

// New returns a Registry. It does no I/O; an error says what is wrong with c.
func New(c Config) (*Registry, error) {
	if c.Namespace == "" {
		c.Namespace = "default"
	}
	if c.Refresh <= 0 {
		c.Refresh = Refresh
	}
	if strings.HasPrefix(c.Server, "http://") && (c.Token != "" || c.TokenFile != "") {
		return nil, errors.New("kubernetes: a token must not travel in plaintext; say https://")
	}
	r := &Registry{config: c}
	var err error
	r.web, err = web.New(web.Config{Servers: []string{c.Server}, TLS: c.TLS, ServerName: c.ServerName, Dial: c.Dial, Auth: r.authorize})
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	return r, nil
}

func (r *Registry) authorize(_ context.Context, h http.Header) error {
	token := r.config.Token
	if r.config.TokenFile != "" {
		b, err := os.ReadFile(r.config.TokenFile)
		if err != nil {
			return err
		}
		token = strings.TrimSpace(string(b))
	}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return nil
}

// Account is where a pod finds its service account.
const Account = "/var/run/secrets/kubernetes.io/serviceaccount"

// InCluster returns the configuration of a pod: its service account in dir, "" meaning
// Account, and the API server by the name that every cluster gives it.
func InCluster(dir string) (Config, error) {
	if dir == "" {
		dir = Account
	}
	ns, err := os.ReadFile(filepath.Join(dir, "namespace"))
	if err != nil {
		return Config{}, fmt.Errorf("kubernetes: this is not a pod with a service account: %w; elsewhere use Kubeconfig", err)
	}
	return Config{
		Server:    "https://kubernetes.default.svc",
		TLS:       tlsconf.Roots(filepath.Join(dir, "ca.crt")),
		TokenFile: filepath.Join(dir, "token"),
		Namespace: strings.TrimSpace(string(ns)),
	}, nil
}
