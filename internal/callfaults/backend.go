//go:build unix

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/consul"
	"github.com/concordat-dev/concordat/runtime/policy/admit"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// What a backend can do: workers calls of work at a time, which wait for one another.
const (
	workers = 8
	work    = 50 * time.Millisecond
)

// How a backend is told more: the folder of its certificates, and the URL of a Consul
// that is to know it.
const (
	tlsVariable    = "CONCORDAT_FAULTS_TLS"
	consulVariable = "CONCORDAT_FAULTS_CONSUL"
)

// backend listens where its variable says, prints where that is, and serves until it is
// told to end.
func backend() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	l, err := listen(os.Getenv(backendVariable))
	if err != nil {
		return err
	}
	options := []concordat.ServerOption{concordat.WithListener(l), concordat.WithAdmission(admit.Default), concordat.WithLogger(slog.New(slog.DiscardHandler)), concordat.WithDrain(2 * time.Second)}
	if dir := os.Getenv(tlsVariable); dir != "" {
		options = append(options, concordat.WithTLS(pair(dir, "server")))
	} else {
		options = append(options, concordat.WithPlaintext())
	}
	if at := os.Getenv(consulVariable); at != "" {
		r, err := consul.New(consul.Config{Addr: at, TTL: heartbeats * heartbeat})
		if err != nil {
			return err
		}
		options = append(options, concordat.WithRegistration(r, discovery.Instance{Service: "faults"}))
	}
	s := concordat.NewServer(options...)
	mountAll(s)
	fmt.Println(l.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return s.Run(ctx)
}

// listen waits for an address that another process leaves.
func listen(addr string) (l net.Listener, err error) {
	for range 100 {
		if l, err = net.Listen("tcp", addr); err == nil {
			return l, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, err
}

func pair(dir, name string) *tlsconf.Config {
	return tlsconf.Mutual(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"), filepath.Join(dir, devca.TrustFile))
}

func mountAll(s *concordat.Server) {
	free := make(chan struct{}, workers)
	mount(s, &getSpec, "GET", "/", func(context.Context, *http.Request) (string, error) { return "ok", nil })
	mount(s, &workSpec, "GET", "/work", func(ctx context.Context, _ *http.Request) (string, error) {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		time.Sleep(work)
		<-free
		return "done", nil
	})
	var seen sync.Map
	var mu sync.Mutex
	sent, again := 0, 0
	mount(s, &onceSpec, "POST", "/once", func(_ context.Context, r *http.Request) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		sent++
		if _, ok := seen.LoadOrStore(r.Header.Get("Call"), true); ok {
			again++
		}
		return "ok", nil
	})
	mount(s, &concordat.Spec{Name: "faults.Things/Twice", Route: "GET /twice"}, "GET", "/twice", func(context.Context, *http.Request) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprint(sent, again), nil
	})
	rpc.HandleUnary(s, &unarySpec, func(_ context.Context, in *text) (*text, error) { return in, nil })
	rpc.HandleServerStream(s, &streamSpec, func(_ context.Context, in *text) iter.Seq2[*text, error] {
		return func(yield func(*text, error) bool) {
			for n := range messages {
				if !yield(wrapperspb.String(fmt.Sprint(in.Value, n)), nil) {
					return
				}
			}
		}
	})
}

// mount answers path, as generated code does.
func mount(s *concordat.Server, spec *concordat.Spec, method, path string, handle func(context.Context, *http.Request) (string, error)) {
	s.Mount(spec, method, path, func(w http.ResponseWriter, r *http.Request, _ []string) {
		out, err := s.Intercept(r.Context(), &concordat.Call{Spec: spec, Side: concordat.Incoming}, nil, func(ctx context.Context, _ any) (any, error) {
			return handle(ctx, r)
		})
		if err != nil {
			s.WriteError(w, r, err)
			return
		}
		text, _ := out.(string)
		_, _ = io.WriteString(w, cmp.Or(text, "ok"))
	})
}
