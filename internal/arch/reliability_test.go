package arch

import "testing"

// What makes messaging reliable links the one SDK that it is for.
func TestWhatReliabilityLinks(t *testing.T) {
	checkLinks(t, map[string][]string{
		"runtime/broker/dedup/memory":   {"github.com/", "google.golang.org/", "golang.org/x/"},
		"runtime/broker/dedup/redis":    {"github.com/jackc/", "github.com/nats-io/", "google.golang.org/"},
		"runtime/broker/dedup/postgres": {"github.com/redis/", "github.com/nats-io/", "google.golang.org/"},
		"runtime/broker/dedup/natskv":   {"github.com/jackc/", "github.com/redis/", "google.golang.org/", "github.com/nats-io/nats-server"},
		"runtime/broker/http":           {"github.com/", "google.golang.org/", "golang.org/x/"},
		"runtime/outbox":                {"github.com/", "google.golang.org/", "golang.org/x/"},
		"runtime/outbox/postgres":       {"github.com/redis/", "github.com/nats-io/", "google.golang.org/", "modernc.org/"},
		"runtime/outbox/sqlite":         {"github.com/jackc/", "github.com/redis/", "github.com/nats-io/", "google.golang.org/"},
	})
}
