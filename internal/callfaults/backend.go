//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/policy/admit"
)

// What a backend can do: workers calls of work at a time, which wait for one another.
const (
	workers = 8
	work    = 50 * time.Millisecond
)

// backend says where it listens, and serves: / at once, /work by its workers.
func backend() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := concordat.NewServer(concordat.WithListener(l), concordat.WithPlaintext(), concordat.WithAdmission(admit.Default), concordat.WithLogger(slog.New(slog.DiscardHandler)))
	free := make(chan struct{}, workers)
	mount(s, "/", func(context.Context) error { return nil })
	mount(s, "/work", func(ctx context.Context) error {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		time.Sleep(work)
		<-free
		return nil
	})
	fmt.Println(l.Addr())
	if err := s.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// mount answers path, as generated code does.
func mount(s *concordat.Server, path string, handle func(context.Context) error) {
	spec := &concordat.Spec{Name: "faults.Things" + path, Route: "GET " + path, Idempotent: true}
	s.Mount(spec, http.MethodGet, path, func(w http.ResponseWriter, r *http.Request, _ []string) {
		_, err := s.Intercept(r.Context(), &concordat.Call{Spec: spec, Side: concordat.Incoming}, nil, func(ctx context.Context, _ any) (any, error) {
			return nil, handle(ctx)
		})
		if err != nil {
			s.WriteError(w, r, err)
			return
		}
		_, _ = io.WriteString(w, "ok")
	})
}
