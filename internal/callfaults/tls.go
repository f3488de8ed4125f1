//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// tlsFaults befall the certificates.
func tlsFaults() []*fault {
	return []*fault{
		{name: "certificates and root rotate", promise: promise{answered: 1, attempts: 1.02}, least: 12 * time.Second, over: []wire{http1, http2, unary}, prepare: certified, strike: rotate, after: putOut},
		{name: "new certificates are invalid", promise: promise{answered: 1, attempts: 1}, least: 5 * time.Second, over: []wire{http2, unary}, prepare: certified, strike: spoil, after: alarmed},
	}
}

// certificates are those of a stage.
type certificates struct {
	dir    string
	folder *devca.Folder
	behind *concordat.Conn // stays with what there was at first
	alarms atomic.Int64
}

// certified gives both sides certificates in files.
func certified(s *stage) error {
	dir, err := os.MkdirTemp("", "callfaults")
	if err != nil {
		return err
	}
	s.later(func() { os.RemoveAll(dir) })
	f, err := devca.Create(dir, 0)
	if err != nil {
		return err
	}
	for _, name := range []string{"server", "client"} {
		if _, _, err := f.Issue(devca.Request{Name: name}); err != nil {
			return err
		}
	}
	s.certs = &certificates{dir: dir, folder: f}
	if err := s.processes(nil, tlsVariable+"="+dir); err != nil {
		return err
	}
	stays, err := s.certs.now()
	if err != nil {
		return err
	}
	s.options = []concordat.ConnOption{concordat.WithTLS(stays)}
	if s.certs.behind, err = s.dial(); err != nil {
		return err
	}
	s.later(func() { s.certs.behind.Close() })
	if err := s.wire.call(context.Background(), s.certs.behind, ""); err != nil {
		return err
	}
	s.options = []concordat.ConnOption{concordat.WithTLS(pair(dir, "client")), concordat.WithLogger(slog.New(bell{slog.DiscardHandler, &s.certs.alarms}))}
	return nil
}

// now is what the client's files hold.
func (c *certificates) now() (*tlsconf.Config, error) {
	var text [3][]byte
	for i, name := range []string{"client.crt", "client.key", devca.TrustFile} {
		b, err := os.ReadFile(filepath.Join(c.dir, name))
		if err != nil {
			return nil, err
		}
		text[i] = b
	}
	return tlsconf.MutualPEM(text[0], text[1], text[2]), nil
}

// A bell counts the warnings of invalid certificates.
type bell struct {
	slog.Handler
	rung *atomic.Int64
}

func (b bell) Enabled(context.Context, slog.Level) bool { return true }

func (b bell) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn && strings.Contains(r.Message, "certificate") {
		b.rung.Add(1)
	}
	return nil
}

// rotate renews all certificates every second, and the authority in between: as operators
// must, it lets everybody read the new root before something is signed by it.
func rotate(ctx context.Context, s *stage) error {
	f := s.certs.folder
	renew := func() error { return errors.Join(f.Renew("server"), f.Renew("client")) }
	forget := func() error { _, err := f.Forget(); return err }
	none := func() error { return nil }
	for _, step := range []func() error{renew, renew, func() error { return f.RenewAuthority(0) }, none, renew, renew, none, forget, renew, renew} {
		if err := step(); err != nil {
			return err
		}
		if !sleep(ctx, tlsconf.Recheck) {
			return errors.New("the calls were over before the root was forgotten")
		}
	}
	return nil
}

// putOut holds that who stayed with the forgotten root is refused, on connections that it
// has, and when it resumes its session.
func putOut(s *stage, r *result) error {
	for range 3 {
		if err := s.wire.call(context.Background(), s.certs.behind, ""); err == nil {
			return errors.New("a client of the forgotten root was let in")
		}
	}
	r.note = "who stayed with the old root is refused"
	return nil
}

// spoil writes what is no certificate.
func spoil(_ context.Context, s *stage) error {
	var errs []error
	for _, name := range []string{"client.crt", "server.crt", "server.key"} {
		errs = append(errs, os.WriteFile(filepath.Join(s.certs.dir, name), []byte("half a certif"), 0o600))
	}
	return errors.Join(errs...)
}

// alarmed holds that somebody was told.
func alarmed(s *stage, r *result) error {
	n := s.certs.alarms.Load()
	r.note = fmt.Sprintf("%d alarms of the client", n)
	if n == 0 {
		return errors.New("nobody was told")
	}
	return nil
}
