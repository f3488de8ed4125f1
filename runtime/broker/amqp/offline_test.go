package amqp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

func TestTarget(t *testing.T) {
	for target, want := range map[string]server{
		"amqp://h":                         {host: "h", addr: "h:5672", vhost: "/", heartbeat: defaultHeartbeat},
		"amqps://u:p%40@h:1/v%2Fw":         {secure: true, host: "h", addr: "h:1", vhost: "v/w", user: "u", password: "p@", heartbeat: defaultHeartbeat},
		"amqps://h/?heartbeat=2":           {secure: true, host: "h", addr: "h:5671", vhost: "/", heartbeat: 2 * time.Second},
		"amqp://h?auth_mechanism=amqplain": {host: "h", addr: "h:5672", vhost: "/", heartbeat: defaultHeartbeat, mechanism: "AMQPLAIN"},
	} {
		if got, err := parseServer(target); err != nil || *got != want {
			t.Errorf("%s: got %+v, %v", target, got, err)
		}
	}
}

// What is wrong with a target is said, and no password with it.
func TestWrongTarget(t *testing.T) {
	for target, want := range map[string]string{
		"http://u:secret@h":                         "no server's address",
		"amqp://u:secret%zz@h":                      "no server's address",
		"amqp://u:secret@h/a/b":                     "%2F",
		"amqp://u:secret@h?heartbeat=0":             "1 or more",
		"amqp://u:secret@h?cacertfile=":             "amqp.WithTLS",
		"amqp://u:secret@h,amqps://h":               "all amqps",
		"amqp://u:secret@h?auth_mechanism=kerberos": "not supported",
	} {
		if _, err := New(target); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", target, err)
		}
	}
	if _, err := New("amqp://h", WithTLS(tlsconf.System())); err == nil || !strings.Contains(err.Error(), "write amqps://") {
		t.Error(err)
	}
	if _, err := New("amqp://h", WithExchange("x", "round")); err == nil || !strings.Contains(err.Error(), "topic, direct, fanout or headers") {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	for address, want := range map[string]string{"a/b": "a.b", "a/b.c*#%/d": "a.b%2Ec%2A%23%25.d", "a.b": "a.b"} {
		key, err := keyOf(address)
		if err != nil || key != want {
			t.Errorf("%s: got %s, %v", address, key, err)
		}
		if back := addressOf(key, strings.Replace(address, "b", "{x}", 1)); strings.Contains(address, "/") && back != address {
			t.Errorf("%s came back as %s", address, back)
		}
	}
	if long := short(strings.Repeat("é", 200)); len(long) > maxName || long != short(strings.Repeat("é", 200)) {
		t.Errorf("a name of %d bytes", len(long))
	}
}

// A server that is not there is an error that names it and what kept us, when time is over;
// one that answers rubbish, too.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			c.Close()
		}
	}()
	for addr, want := range map[string]string{"127.0.0.1:1": "is the server running", l.Addr().String(): "cannot connect to"} {
		b, err := New("amqp://"+addr, WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err = b.Publish(ctx, &broker.Message{Address: "a"})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: %v", addr, err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Messages share what the contract says; what a program makes as it goes is not kept for
// ever.
func TestSettingsAreRemembered(t *testing.T) {
	b, err := New("amqp://h", WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	s := []broker.Setting{{Protocol: "amqp", Name: "priority", Value: "3"}, {Protocol: "amqp", Name: "is", Value: "queue"}}
	first, err := b.settingsOf(s)
	if second, _ := b.settingsOf(s); err != nil || first != second || first.priority != 3 || !first.isQueue {
		t.Errorf("got %+v, %v", first, err)
	}
	for range 2 * maxParsed {
		if _, err := b.settingsOf(slices.Clone(s)); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	b.parsed.Range(func(any, any) bool { n++; return true })
	if n > maxParsed {
		t.Errorf("%d lists are remembered", n)
	}
}

// A quorum queue loses none on its way to the dead letters; what the contract says wins.
func TestArguments(t *testing.T) {
	b, err := New("amqp://h")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		set  []broker.Setting
		kind any
		dead any
	}{
		"silent":           {nil, "quorum", "dead-letter"},
		"classic":          {[]broker.Setting{{Protocol: "amqp", Name: "queue.arguments.x-queue-type", Value: "classic"}}, "classic", nil},
		"priorities":       {[]broker.Setting{{Protocol: "amqp", Name: "queue.arguments.x-max-priority", Value: "9"}}, nil, nil},
		"transient":        {[]broker.Setting{{Protocol: "amqp", Name: "queue.durable", Value: "false"}}, nil, nil},
		"own dead letters": {[]broker.Setting{{Protocol: "amqp", Name: "queue.arguments.x-dead-letter-exchange", Value: "x"}}, "quorum", nil},
	} {
		set, err := b.parse(c.set, "")
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.place(broker.Subscription{Address: "a/{b}", Group: "g", DeadLetter: "dead-letter"}, set)
		if err != nil || p.args["x-queue-type"] != c.kind || p.args["x-dead-letter-routing-key"] != c.dead || p.name != "g/a.*" {
			t.Errorf("%s: %s %v, %v", what, p.name, p.args, err)
		}
	}
}
