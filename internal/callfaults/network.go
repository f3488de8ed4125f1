//go:build unix

package main

import (
	"context"
	"time"
)

// networkFaults happen between us and the processes.
func networkFaults() []*fault {
	return []*fault{
		{name: "replies reset midway", promise: promise{answered: 1, attempts: 1.1}, over: []wire{http1, http2, unary}, prepare: proxied, strike: one(cut)},
		{name: "replies reset midway, POST", promise: promise{attempts: 1}, over: rest, path: "/once", prepare: proxied, strike: one(cut), after: twice},
		{name: "one in a black hole", promise: promise{answered: 1, attempts: 1.02, back: 2 * time.Second, streams: 0.98}, prepare: proxied, strike: one(hole)},
		{name: "connections forgotten when idle", promise: promise{answered: 0.9, attempts: 1.2, back: 2 * time.Second}, prepare: proxied, strike: forget},
		{name: "all away for 3 s", promise: promise{attempts: 1.2}, least: 8 * time.Second, prepare: proxied, strike: blip, after: afterBlip},
		{name: "one that is slow to ask", promise: promise{answered: 1, attempts: 1.01}, over: rest, least: 14 * time.Second, strike: loris, after: cutOff},
		{name: "200 clients reconnect", promise: promise{answered: 1, attempts: 1.02}, over: []wire{http1, unary}, prepare: proxied, strike: crowd, after: spread},
	}
}

// one lets a fault befall one of three.
func one(mode int32) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error {
		s.proxies[1].set(mode)
		return nil
	}
}

// forget makes all connections dead that there are; new ones are fine.
func forget(_ context.Context, s *stage) error {
	for _, p := range s.proxies {
		p.set(forgotten)
	}
	return nil
}
