//go:build unix

package main

import (
	"errors"
	"log/slog"

	"github.com/concordat-dev/concordat/internal/rabbit"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/amqp"
)

var errMissing = errors.New("not installed")

// A peer is a kind of broker.
type peer struct {
	name  string
	start func(dir string) (server, error)
	// open connects to the server at addr, host and port.
	open func(addr string) (broker.Broker, error)
	// mortal says why the server does not survive kill -9, "" where it does.
	mortal string
}

// A server is a broker's own process, which keeps messages on disk.
type server interface {
	Addr() string
	Kill()        // as kill -9 does
	Begin() error // after Kill
	Close()
}

// A disconnecter is a server that can be told to close its connections.
type disconnecter interface{ Disconnect() error }

// quiet is where brokers tell what happens to them, which is the point here.
var quiet = slog.New(slog.DiscardHandler)

var peers = []*peer{
	{name: "amqp, quorum queues", start: startRabbit, mortal: stuckElection, open: func(addr string) (broker.Broker, error) { return openAMQP(addr) }},
	{name: "amqp, classic queues", start: startRabbit, open: func(addr string) (broker.Broker, error) {
		return openAMQP(addr, amqp.WithQueueType("classic"))
	}},
	{name: "redis", start: startRedis, open: openRedis},
	{name: "kafka (kfake)", start: startKafka, open: openKafka},
}

// stuckElection: RabbitMQ 3.10.8, killed as its only node under load, may come back with a
// quorum queue that waits for the election of its leader for ever ("leader call - leader not
// known" in its log) and answers neither who publishes nor who consumes. No client can help;
// `rabbitmqctl eval 'ra:trigger_election(…)'` does. Nodes in a cluster elect each other.
const stuckElection = "RabbitMQ 3.10.8 alone elects no leader"

func startRabbit(dir string) (server, error) {
	if !rabbit.Installed() {
		return nil, errMissing
	}
	s, err := rabbit.Start(dir, rabbit.Options{})
	return rabbitServer{s}, err
}

func openAMQP(addr string, opts ...amqp.Option) (broker.Broker, error) {
	return amqp.New("amqp://guest:guest@"+addr+"?heartbeat=4", append(opts, amqp.WithLogger(quiet))...)
}

type rabbitServer struct{ *rabbit.Server }

// Disconnect has the server close all connections, as an administrator would.
func (s rabbitServer) Disconnect() error {
	_, err := s.Control("close_all_connections", "maintenance")
	return err
}
