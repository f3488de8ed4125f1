package http

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/internal/sse"
)

// A feed keeps the latest messages of an address for those who follow it.
type feed struct {
	pattern broker.Pattern
	epoch   string // begins the IDs, so that those of another process are told apart

	mu     sync.Mutex
	latest []event // a ring: event n lies at n % len
	count  int     // events so far
	more   chan struct{}
}

type event struct {
	address string
	data    []byte
}

// Feed serves, at GET /address of the server, what is published to that address as
// server-sent events: before the server runs. address may be a template with slashes;
// security says who may listen. Each event has an ID: who connects again with Last-Event-ID
// first gets what it missed, as far as the keep latest messages of all such addresses reach
// back. Beyond that this is at most once: nobody acknowledges an event, and Publish does not
// wait for anybody. Who reads too slowly skips what is no longer kept. Bodies must be UTF-8;
// line ends in them arrive as LF (WHATWG HTML, 9.2.6).
func (b *Broker) Feed(s *concordat.Server, address string, keep int, security auth.Requirements) {
	f := &feed{pattern: broker.ParsePattern(address), epoch: rand.Text()[:8], latest: make([]event, max(1, keep)), more: make(chan struct{})}
	b.mu.Lock()
	b.feeds = append(b.feeds, f)
	b.mu.Unlock()
	spec := &concordat.Spec{Name: "http.Feed/" + address, Kind: concordat.ServerStream, Route: "GET /" + address, Security: security}
	s.MountStream(spec, http.MethodGet, "/"+strings.TrimPrefix(address, "/"), func(w http.ResponseWriter, r *http.Request, path []string) {
		at, err := refill(address, path)
		if err != nil {
			s.WriteError(w, r, err)
			return
		}
		r, stop := s.UntilDrain(w, r)
		defer stop()
		call := concordat.Call{Spec: spec, Side: concordat.Incoming, Meta: r.Header, Peer: r.RemoteAddr}
		_, err = s.Intercept(r.Context(), &call, nil, func(ctx context.Context, _ any) (any, error) {
			f.follow(ctx, w, at, r.Header.Get("Last-Event-ID"), s.Heartbeat())
			return nil, nil
		})
		if err != nil {
			s.WriteError(w, r, err)
		}
	})
}

// feed adds m to the feeds of its address, and says whether there are any.
func (b *Broker) feed(m *broker.Message) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	any := false
	for _, f := range b.feeds {
		if !f.pattern.Match(m.Address) {
			continue
		}
		if !utf8.Valid(m.Body) {
			return true, broker.Permanent(fmt.Errorf("http: the message to %s is no UTF-8, as events must be", m.Address))
		}
		f.add(m)
		any = true
	}
	return any, nil
}

func (f *feed) add(m *broker.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latest[f.count%len(f.latest)] = event{m.Address, append([]byte{}, m.Body...)}
	f.count++
	close(f.more)
	f.more = make(chan struct{})
}

// begin says with which event one begins that saw last: the next one, as far as it is kept.
// Who saw nothing begins with what comes.
func (f *feed) begin(last string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last == "" {
		return f.count
	}
	epoch, n, _ := strings.Cut(last, "-")
	seen, err := strconv.Atoi(n)
	if epoch != f.epoch || err != nil || seen < 0 || seen >= f.count {
		seen = -1 // of another process: all that is kept
	}
	return seen + 1
}

// after appends the events from n on that went to address.
func (f *feed) after(b []byte, n int, address string) (_ []byte, next int, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n = max(n, f.count-len(f.latest)); n < f.count; n++ {
		if e := f.latest[n%len(f.latest)]; e.address == address {
			id := f.epoch + "-" + strconv.Itoa(n)
			b = sse.Append(b, "", &id, -1, e.data)
		}
	}
	return b, n, f.more
}

// follow writes events until ctx is done or the other side is gone.
func (f *feed) follow(ctx context.Context, w http.ResponseWriter, address, last string, beat time.Duration) {
	if beat <= 0 {
		beat = 24 * time.Hour // as good as never
	}
	w.Header().Set("Content-Type", sse.Media)
	w.Header().Set("Cache-Control", "no-cache")
	out := http.NewResponseController(w)
	n := f.begin(last)
	t := time.NewTicker(beat)
	defer t.Stop()
	for b := []byte(sse.Comment); ; b = b[:0] {
		var more <-chan struct{}
		b, n, more = f.after(b, n, address)
		if len(b) > 0 {
			_ = out.SetWriteDeadline(time.Now().Add(2 * beat)) // not every writer can
			if _, err := w.Write(b); err != nil || out.Flush() != nil {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-more:
		case <-t.C:
			_ = out.SetWriteDeadline(time.Now().Add(2 * beat))
			if _, err := w.Write([]byte(sse.Comment)); err != nil || out.Flush() != nil {
				return
			}
		}
	}
}
