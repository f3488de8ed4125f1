package mqtt_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/mqtt"
	"github.com/concordat-dev/concordat/runtime/broker/mqtt/mqttembed"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// A peer runs Mosquitto on a loopback port, and can be killed and begin again.
type peer struct {
	t          *testing.T
	addr, conf string
	cmd        *exec.Cmd
}

// mosquitto starts a server whose configuration has those lines below its listener.
func mosquitto(t *testing.T, lines ...string) *peer {
	t.Helper()
	if binary() == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("mosquitto is not installed, and CI must have it")
		}
		t.Skip("needs mosquitto: apt-get install mosquitto")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, addr: l.Addr().String(), conf: filepath.Join(t.TempDir(), "m.conf")}
	l.Close()
	text := fmt.Sprintf("listener %s 127.0.0.1\n%s\n", p.addr[strings.LastIndex(p.addr, ":")+1:], strings.Join(lines, "\n"))
	if os.Geteuid() == 0 {
		text += "user root\n" // it would give up being root, and then read neither keys nor folders
	}
	if err := os.WriteFile(p.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	p.start()
	return p
}

func binary() string {
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func (p *peer) start() {
	p.t.Helper()
	p.cmd = exec.Command(binary(), "-c", p.conf)
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("mosquitto does not start: %v", err)
		}
	}
}

// kill is kill -9: the server has no time to tidy up.
func (p *peer) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// secured runs f against servers that want certificates: ours, and the real one.
func secured(t *testing.T, f func(t *testing.T, ca *devca.CA, url string)) {
	t.Run("embedded", func(t *testing.T) {
		ca := authority(t)
		config, err := ca.Mutual("server")
		if err != nil {
			t.Fatal(err)
		}
		f(t, ca, start(t, mqttembed.Options{TLS: config}).URL())
	})
	t.Run("mosquitto", func(t *testing.T) {
		ca := authority(t)
		leaf, err := ca.Issue("server")
		if err != nil {
			t.Fatal(err)
		}
		cert, key, roots, err := leaf.WriteFiles(t.TempDir(), "server")
		if err != nil {
			t.Fatal(err)
		}
		f(t, ca, "mqtts://"+mosquitto(t, "allow_anonymous true", "cafile "+roots, "certfile "+cert, "keyfile "+key, "require_certificate true").addr)
	})
}

func authority(t *testing.T) *devca.CA {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestTLS(t *testing.T) {
	secured(t, func(t *testing.T, ca *devca.CA, url string) {
		ours, err := ca.Issue("client")
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := authority(t).Issue("client")
		if err != nil {
			t.Fatal(err)
		}
		for what, c := range map[string]struct {
			config *tlsconf.Config
			want   string // "": it works
		}{
			"mutual":                  {tlsconf.MutualPEM(ours.Cert, ours.Key, ours.CA), ""},
			"we trust somebody else":  {tlsconf.MutualPEM(ours.Cert, ours.Key, theirs.CA), "issued by an unknown authority; give that authority to tlsconf"},
			"no client certificate":   {tlsconf.RootsPEM(ours.CA), "tlsconf.Mutual"},
			"certificate of stranger": {tlsconf.MutualPEM(theirs.Cert, theirs.Key, ours.CA), "does it trust the authority that issued our certificate"},
		} {
			t.Run(what, func(t *testing.T) {
				b := open(t, url, mqtt.WithTLS(c.config))
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				err := b.Publish(ctx, &broker.Message{Address: "secret/1", Body: []byte("x")})
				if c.want == "" {
					if err != nil {
						t.Error(err)
					}
				} else if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), url) {
					t.Error(err)
				}
			})
		}
	})
}

// The server is killed and comes back while messages travel both ways. All are confirmed,
// and all are handled, in the end: they come to a session with a name, which outlives the
// connection, and what was not acknowledged comes again. Mosquitto keeps its sessions in a
// file, but writes that only after it has confirmed, so the test waits for it.
func TestServerIsKilled(t *testing.T) {
	dir := t.TempDir()
	s := mosquitto(t, "allow_anonymous true", "persistence true", "persistence_location "+dir+"/", "autosave_on_changes true", "autosave_interval 1", "max_queued_messages 0")
	b := open(t, "mqtt://"+s.addr, mqtt.WithClientID("worker"))
	const n = 60
	handled, hold := make(chan string, 64*n), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	up, over := make(chan struct{}), make(chan error, 1)
	sub := broker.Subscription{Address: "work/{id}", Concurrency: 4, Ready: func() { close(up) }}
	begun := make(chan bool, 64*n)
	go func() {
		over <- b.Subscribe(ctx, sub, func(_ context.Context, m *broker.Message) error {
			begun <- true
			<-hold
			handled <- m.ID
			return nil
		})
	}()
	<-up
	send := func(from, to int) {
		for i := from; i < to; i++ {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			if err := b.Publish(ctx, &broker.Message{Address: "work/x", ID: fmt.Sprint(i), Body: []byte("x")}); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
			cancel()
		}
	}
	send(0, n/2)
	<-begun // some are in flight
	saved(t, b, filepath.Join(dir, "mosquitto.db"), time.Now())
	s.kill()
	var publishing sync.WaitGroup
	publishing.Go(func() { send(n/2, n) }) // to nobody, at first
	close(hold)                            // these acknowledgements go nowhere
	s.start()
	publishing.Wait()
	missing := map[string]bool{}
	for i := range n {
		missing[fmt.Sprint(i)] = true
	}
	for deadline := time.After(time.Minute); len(missing) > 0; {
		select {
		case id := <-handled:
			delete(missing, id)
		case <-deadline:
			t.Fatalf("confirmed, and lost: %v", missing)
		}
	}
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// saved waits until the server has written the file after since. It does so when something
// to be kept changes, as a retained message does.
func saved(t *testing.T, b *mqtt.Broker, path string, since time.Time) {
	t.Helper()
	retain := []broker.Setting{{Protocol: "mqtt", Name: "retain", Value: "true"}}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err := b.Publish(t.Context(), &broker.Message{Address: "elsewhere", Settings: retain, Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		if f, err := os.Stat(path); err == nil && f.ModTime().After(since) {
			return
		}
	}
	t.Fatalf("%s was not written", path)
}
