// Package kafkaembed runs what speaks Kafka's protocol inside a program: for demos, tests and
// development on one machine, where a cluster would be too much. It is franz-go's kfake: a
// faithful imitation, one process, not Kafka.
//
// It imports kfake and runtime/tlsconf; nothing that runs in production should import it.
package kafkaembed

import (
	"crypto/tls"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A Server is a cluster on loopback ports.
type Server struct {
	cluster *kfake.Cluster
	scheme  string
}

// Options configure a Server. The zero value is one server without TLS on a free port that
// keeps its topics in memory.
type Options struct {
	Port       int             // 0: a free one
	Brokers    int             // servers of the cluster; 0 is 1, and with Port always
	Partitions int             // of topics for which nobody says; 0 is 1
	Dir        string          // keeps topics and offsets across restarts, synced at every write; "": in memory
	TLS        *tlsconf.Config // nil: plaintext
	Users      []User          // who may come; empty: everybody
	More       []kfake.Opt     // for tests
}

// A User may come by SASL.
type User struct{ Mechanism, Name, Password string } // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512

// Start runs a cluster and returns when it accepts connections.
func Start(o Options) (*Server, error) {
	s := &Server{scheme: "kafka://"}
	opts := []kfake.Opt{kfake.DefaultNumPartitions(max(1, o.Partitions))}
	if o.Port != 0 {
		opts = append(opts, kfake.Ports(o.Port))
	} else {
		opts = append(opts, kfake.NumBrokers(max(1, o.Brokers)))
	}
	if o.Dir != "" {
		opts = append(opts, kfake.DataDir(o.Dir), kfake.SyncWrites())
	}
	if o.TLS != nil {
		c, err := o.TLS.Server()
		if err != nil {
			return nil, err
		}
		s.scheme = "kafka-secure://"
		opts = append(opts, kfake.TLS(withoutProtocols(c)))
	}
	for _, u := range o.Users {
		opts = append(opts, kfake.EnableSASL(), kfake.Superuser(u.Mechanism, u.Name, u.Password))
	}
	var err error
	s.cluster, err = kfake.NewCluster(append(opts, o.More...)...)
	return s, err
}

func withoutProtocols(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.NextProtos = nil
	return c
}

// URL is where clients connect: "kafka://127.0.0.1:39041".
func (s *Server) URL() string { return s.scheme + strings.Join(s.cluster.ListenAddrs(), ",") }

// Cluster is what runs, to break it in tests.
func (s *Server) Cluster() *kfake.Cluster { return s.cluster }

// Close stops the cluster.
func (s *Server) Close() error {
	s.cluster.Close()
	return nil
}
