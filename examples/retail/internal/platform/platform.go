// Package platform says who is who on the retail platform: the certificates of each
// role and the addresses at which roles are found, in memory for one process or in a
// folder for several. A real platform has a registry and an authority for that.
package platform

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// A Platform knows certificates and addresses.
type Platform struct {
	ca  *devca.CA
	dir string

	mu    sync.Mutex
	addrs map[string]string
}

// InProcess returns a platform for roles that share a process, with an authority made
// for this run.
func InProcess() (*Platform, error) {
	ca, err := devca.New()
	if err != nil {
		return nil, err
	}
	return &Platform{ca: ca, addrs: map[string]string{}}, nil
}

// Prepare makes an authority and writes a certificate for each role to dir.
func Prepare(dir string, roles ...string) error {
	ca, err := devca.New()
	if err != nil {
		return err
	}
	for _, role := range roles {
		leaf, err := ca.Issue(role)
		if err != nil {
			return err
		}
		if _, _, _, err := leaf.WriteFiles(dir, role); err != nil {
			return err
		}
	}
	return nil
}

// In returns the platform that Prepare made in dir.
func In(dir string) *Platform { return &Platform{dir: dir} }

// TLS returns the identity of a role, and its trust in the others.
func (p *Platform) TLS(role string) (*tlsconf.Config, error) {
	if p.ca != nil {
		return p.ca.Mutual(role)
	}
	c := tlsconf.Mutual(p.file(role+".crt"), p.file(role+".key"), p.file("ca.crt"))
	if err := c.Load(); err != nil {
		return nil, fmt.Errorf("%w; write certificates first: --role certs --state %s", err, p.dir)
	}
	return c, nil
}

func (p *Platform) file(name string) string { return filepath.Join(p.dir, name) }

// Announce says where a role is found.
func (p *Platform) Announce(role, addr string) error {
	if p.ca != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.addrs[role] = addr
		return nil
	}
	tmp := p.file(role + ".tmp")
	if err := os.WriteFile(tmp, []byte(addr), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, p.file(role+".addr"))
}

// Find waits until every one of roles has announced itself, and returns their addresses,
// separated by commas.
func (p *Platform) Find(ctx context.Context, roles ...string) (string, error) {
	var found []string
	for _, role := range roles {
		for {
			if addr := p.lookup(role); addr != "" {
				found = append(found, addr)
				break
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return "", fmt.Errorf("%s does not appear: %w", role, ctx.Err())
			}
		}
	}
	return strings.Join(found, ","), nil
}

func (p *Platform) lookup(role string) string {
	if p.ca != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.addrs[role]
	}
	addr, err := os.ReadFile(p.file(role + ".addr"))
	if err != nil {
		return "" // not there yet
	}
	return string(addr)
}
