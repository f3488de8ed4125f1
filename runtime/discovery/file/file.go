// Package file finds endpoints in a file, which is watched: for machines without a
// registry, and for other programs that write one down.
//
// It imports runtime/discovery and the standard library.
package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/feed"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/pace"
)

// The limits and the default.
const (
	Every    = time.Second
	MaxBytes = 16 << 20
	// unlooked is how many looks in a row may trust the time of the last change: a file
	// system's clock is coarse, and may go back.
	unlooked = 10
)

// A Resolver reads targets such as file:endpoints.txt and file:///etc/users.json. The
// zero value is ready.
//
// A file is JSON, an array of endpoints or an object that has it:
//
//	[{"addr":"10.0.0.1:80","weight":2,"zone":"a","serverName":"users.test","meta":{"k":"v"}}]
//	{"endpoints":[…]}
//
// or it has an endpoint on each line, with what else is known of it behind; # begins
// a comment:
//
//	10.0.0.1:80 weight=2 zone=a server-name=users.test k=v
type Resolver struct {
	Every time.Duration // how often to look; 0 means the default
}

// Resolve yields what the file says whenever that changes. A file that is absent, empty,
// or not understood is an error, so that half a file is not taken for the whole; that
// there are no endpoints has to be said, by [] or a comment.
func (r Resolver) Resolve(ctx context.Context, target *url.URL) iter.Seq2[[]discovery.Endpoint, error] {
	every := r.Every
	if every <= 0 {
		every = Every
	}
	return func(yield func([]discovery.Endpoint, error) bool) {
		name, err := Name(target)
		if err != nil {
			yield(nil, err)
			return
		}
		w := watch{name: name, feed: feed.Feed{Yield: yield}}
		for w.look() && pace.Sleep(ctx, every) {
		}
	}
}

// Name returns the file that target names: file:relative, file:/absolute or
// file:///absolute, file:///C:/absolute on Windows.
func Name(target *url.URL) (string, error) {
	name := target.Path
	if target.Opaque != "" {
		var err error
		if name, err = url.PathUnescape(target.Opaque); err != nil {
			return "", fmt.Errorf("target %s: %w", target, err)
		}
	}
	if target.Host != "" && target.Host != "localhost" || target.RawQuery != "" || name == "" || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("target %s: say file:name or file:///name; a file is on this machine", target)
	}
	if len(name) > 2 && name[0] == '/' && name[2] == ':' {
		name = name[1:]
	}
	return name, nil
}

// A watch is one run of the resolver.
type watch struct {
	name  string
	feed  feed.Feed
	stamp stamp
	looks int // since the content was read
	sum   [sha256.Size]byte
	wrong string // what was told last
}

// A stamp changes when a file does, mostly.
type stamp struct {
	changed int64
	size    int64
}

// look reads the file if it seems to have changed, and tells what it says if it has. It
// returns false when nobody listens any more.
func (w *watch) look() bool {
	info, err := os.Stat(w.name)
	if err != nil {
		return w.fail(err)
	}
	if info.Size() > MaxBytes {
		return w.fail(tooLarge(w.name))
	}
	s := stamp{info.ModTime().UnixNano(), info.Size()}
	if w.looks++; s == w.stamp && w.looks < unlooked {
		return true
	}
	b, err := read(w.name)
	if err != nil {
		return w.fail(err)
	}
	w.stamp, w.looks = s, 0
	sum := sha256.Sum256(b)
	if sum == w.sum && w.wrong == "" {
		return true
	}
	set, err := Parse(b)
	if err != nil {
		return w.fail(fmt.Errorf("%s: %w", w.name, err))
	}
	w.sum, w.wrong = sum, ""
	return w.feed.Set(set)
}

// fail tells an error, once for as long as it lasts.
func (w *watch) fail(err error) bool {
	w.stamp = stamp{}
	if err.Error() == w.wrong {
		return true
	}
	w.wrong = err.Error()
	return w.feed.Err(err)
}

func read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err == nil && len(b) > MaxBytes {
		err = tooLarge(name)
	}
	return b, err
}

func tooLarge(name string) error { return fmt.Errorf("%s is larger than %d bytes", name, MaxBytes) }

// An entry is an endpoint in JSON.
type entry struct {
	Addr       string            `json:"addr"`
	Weight     int               `json:"weight"`
	Zone       string            `json:"zone"`
	ServerName string            `json:"serverName"`
	Meta       map[string]string `json:"meta"`
}

// Parse understands the content of a file. Whether addresses are sound is not looked at.
func Parse(b []byte) ([]discovery.Endpoint, error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	if len(b) == 0 {
		return nil, errors.New("the file is empty; no endpoints at all are written as []")
	}
	if isJSON(b) {
		return parseJSON(b)
	}
	return parseLines(string(b))
}

// isJSON tells an array from an IPv6 address, which begins with a bracket, too.
func isJSON(b []byte) bool {
	rest := bytes.TrimSpace(b[1:])
	return b[0] == '{' || b[0] == '[' && (len(rest) == 0 || rest[0] == '{' || rest[0] == ']')
}

func parseJSON(b []byte) ([]discovery.Endpoint, error) {
	whole := struct {
		Endpoints *[]entry `json:"endpoints"`
	}{new([]entry)}
	into := any(whole.Endpoints)
	if b[0] == '{' {
		whole.Endpoints, into = nil, &whole
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return nil, err
	}
	if whole.Endpoints == nil {
		return nil, errors.New("there is no list of endpoints in it")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON")
	}
	set := make([]discovery.Endpoint, 0, len(*whole.Endpoints))
	for _, e := range *whole.Endpoints {
		set = append(set, discovery.Endpoint{Addr: e.Addr, Weight: e.Weight, Zone: e.Zone, ServerName: e.ServerName, Meta: e.Meta})
	}
	return set, nil
}

func parseLines(text string) ([]discovery.Endpoint, error) {
	set := []discovery.Endpoint{}
	n := 0
	for l := range strings.Lines(text) {
		n++
		l, _, _ = strings.Cut(l, "#")
		f := strings.Fields(l)
		if len(f) == 0 {
			continue
		}
		e := discovery.Endpoint{Addr: f[0]}
		for _, s := range f[1:] {
			if err := attribute(&e, s); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
		set = append(set, e)
	}
	return set, nil
}

func attribute(e *discovery.Endpoint, s string) error {
	k, v, ok := strings.Cut(s, "=")
	if !ok || k == "" {
		return fmt.Errorf("%.40q is not key=value", s)
	}
	switch k {
	case "weight":
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil {
			return fmt.Errorf("the weight %.40q is not a number", v)
		}
		e.Weight = int(n)
	case "zone":
		e.Zone = v
	case "server-name":
		e.ServerName = v
	default:
		if e.Meta == nil {
			e.Meta = map[string]string{}
		}
		e.Meta[k] = v
	}
	return nil
}
