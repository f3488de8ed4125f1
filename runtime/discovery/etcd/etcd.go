// Package etcd finds services in etcd, and announces them there under a lease, by the
// JSON API that etcd serves beside gRPC (version 3.4 and later).
//
// An instance is a key <prefix><service>/<id>; its value is JSON:
//
//	{"addr":"10.0.0.1:8443","weight":5,"zone":"a","serverName":"users.test","meta":{"k":"v"}}
//
// It imports runtime/discovery, runtime/tlsconf and the standard library.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// The defaults of Config.
const (
	Local   = "http://127.0.0.1:2379"
	Prefix  = "/services/"
	TTL     = 15 * time.Second
	Refresh = 5 * time.Minute
)

// Config says which etcd, and how to ask it. The zero value asks the one of this machine.
type Config struct {
	Servers        []string        // URLs of members, asked in turn when one fails; none means Local
	TLS            *tlsconf.Config // for https; nil means tlsconf.System
	User, Password string          // where authentication is on
	Prefix         string          // of all keys; "" means Prefix
	TTL            time.Duration   // of the lease of an announced instance
	Refresh        time.Duration   // how often everything is read anew, besides being watched
	// Dial connects; nil means by TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Registry is a resolver for targets such as etcd://users, and a registrar. It is safe
// for concurrent use.
type Registry struct {
	config Config
	web    *web.Client

	mu     sync.Mutex
	token  string
	leases map[string]lease // by the key of what we announced
}

// New returns a Registry. It does no I/O; an error says what is wrong with c.
func New(c Config) (*Registry, error) {
	if len(c.Servers) == 0 {
		c.Servers = []string{Local}
	}
	if c.Prefix == "" {
		c.Prefix = Prefix
	}
	if c.TTL < time.Second {
		c.TTL = TTL
	}
	if c.Refresh <= 0 {
		c.Refresh = Refresh
	}
	if c.Password != "" && c.User == "" {
		return nil, errors.New("etcd: a password without a user")
	}
	r := &Registry{config: c, leases: map[string]lease{}}
	var err error
	r.web, err = web.New(web.Config{Servers: c.Servers, TLS: c.TLS, Dial: c.Dial, Auth: r.authorize})
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	return r, nil
}

// noToken marks the one call that gets a token.
type noToken struct{}

func (r *Registry) authorize(ctx context.Context, h http.Header) error {
	if r.config.User == "" || ctx.Value(noToken{}) != nil {
		return nil
	}
	r.mu.Lock()
	token := r.token
	r.mu.Unlock()
	if token == "" {
		var err error
		if token, err = r.authenticate(ctx); err != nil {
			return err
		}
	}
	h.Set("Authorization", token)
	return nil
}

func (r *Registry) authenticate(ctx context.Context) (string, error) {
	var got struct{ Token string }
	_, err := r.web.JSON(context.WithValue(ctx, noToken{}, true), web.Exchange{
		Method: http.MethodPost, Path: "/v3/auth/authenticate", Body: map[string]string{"name": r.config.User, "password": r.config.Password},
	}, &got)
	if err != nil {
		return "", err
	}
	if got.Token == "" || strings.ContainsFunc(got.Token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", errors.New("etcd gave no usable token")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.token = got.Token
	return got.Token, nil
}

// call posts body and decodes the answer; a token that is not valid any more is replaced
// once.
func (r *Registry) call(ctx context.Context, path string, body, v any) error {
	x := web.Exchange{Method: http.MethodPost, Path: path, Body: body}
	_, err := r.web.JSON(ctx, x, v)
	if r.forget(err) {
		_, err = r.web.JSON(ctx, x, v)
	}
	return err
}

// forget drops the token when err says that it is not valid, and reports whether so.
func (r *Registry) forget(err error) bool {
	e, ok := errors.AsType[*web.StatusError](err)
	if !ok || r.config.User == "" || e.Status != http.StatusUnauthorized && !strings.Contains(e.Body, "invalid auth token") {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.token = ""
	return true
}
