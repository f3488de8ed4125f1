// Package remote gets the documents of other hosts that a contract refers to, within
// limits: on size, number, time, redirects and hosts. Nothing uses it unless the user has
// allowed references to leave this machine.
//
// A document is not trusted to choose what is asked: addresses that are not public (RFC
// 1918, loopback, link-local and their like) are refused unless their host was named.
//
// It imports the standard library.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options are the limits of a Fetcher. Zero values stand for the defaults.
type Options struct {
	Hosts     []string      // that may be asked, "example.com" or "example.com:8443"; empty: all that are public
	MaxBytes  int64         // of one document; 8 MiB
	MaxTotal  int64         // of all documents; 32 MiB
	MaxFiles  int           // documents; 200
	Redirects int           // of one document; 5. -1 allows none
	Timeout   time.Duration // for one document; 15 s
	Cache     Cache         // nil: every document is asked for once per Fetcher
	MaxAge    time.Duration // how long a cached document is used without asking again; 1 h
	Offline   bool          // only the cache is asked, whatever its age

	Transport http.RoundTripper // nil: HTTP/2 and HTTP/1 with the system's certificates and proxies
}

// A Fetcher gets documents. It is safe for concurrent use.
type Fetcher struct {
	o      Options
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex
	held  map[string][]byte
	total int64
	count int
}

// New returns a Fetcher with the limits of o.
func New(o Options) *Fetcher {
	orInt := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt(&o.MaxBytes, 8<<20)
	orInt(&o.MaxTotal, 32<<20)
	orInt((*int64)(&o.Timeout), int64(15*time.Second))
	orInt((*int64)(&o.MaxAge), int64(time.Hour))
	if o.MaxFiles <= 0 {
		o.MaxFiles = 200
	}
	if o.Redirects == 0 {
		o.Redirects = 5
	}
	f := &Fetcher{o: o, held: map[string][]byte{}, now: time.Now}
	f.client = &http.Client{Transport: f.transport(), CheckRedirect: f.redirect}
	return f
}

// transport refuses addresses that are not public when a connection is made, so that no
// name can be resolved twice, to different ends.
func (f *Fetcher) transport() http.RoundTripper {
	if f.o.Transport != nil {
		return f.o.Transport
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	if len(f.o.Hosts) == 0 {
		t.Proxy = nil // a proxy would resolve names itself
		t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, Control: onlyPublic}).DialContext
	}
	return t
}

func onlyPublic(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); !ip.IsGlobalUnicast() || ip.IsPrivate() || sharedSpace.Contains(ip) {
		return fmt.Errorf("%s is no public address; name its host to allow it", ip)
	}
	return nil
}

// sharedSpace is what carriers share among their customers (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func (f *Fetcher) redirect(r *http.Request, via []*http.Request) error {
	if len(via) > max(f.o.Redirects, 0) {
		return fmt.Errorf("redirected more than %d times", max(f.o.Redirects, 0))
	}
	if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return errors.New("redirected from https to " + r.URL.Scheme)
	}
	return f.allowed(r.URL)
}

// allowed says why u must not be asked; nil where it may.
func (f *Fetcher) allowed(u *url.URL) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s is no scheme of the web", u.Scheme)
	case u.User != nil:
		return errors.New("the address holds a name or a password")
	case len(f.o.Hosts) > 0 && !slices.ContainsFunc(f.o.Hosts, func(h string) bool { return strings.EqualFold(h, u.Host) || strings.EqualFold(h, u.Hostname()) }):
		return fmt.Errorf("the host %s is not among those that may be asked", u.Host)
	}
	return nil
}

// A LimitError says that a contract refers to more than is fetched.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return e.What }

// Fetch returns the document at address, an http or https URL without a fragment. A
// document that is not there is fs.ErrNotExist.
func (f *Fetcher) Fetch(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if err := f.allowed(u); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if data, ok := f.held[address]; ok {
		return data, nil
	}
	if f.count++; f.count > f.o.MaxFiles {
		return nil, &LimitError{fmt.Sprintf("the contract refers to more than %d documents on other hosts", f.o.MaxFiles)}
	}
	data, err := f.cached(ctx, address)
	if err != nil {
		return nil, err
	}
	if f.total += int64(len(data)); f.total > f.o.MaxTotal {
		return nil, &LimitError{fmt.Sprintf("the documents on other hosts have more than %d bytes together", f.o.MaxTotal)}
	}
	f.held[address] = data
	return data, nil
}

// cached asks the cache first, and the host where that is not enough. What cannot be asked
// for is taken from the cache however old it is.
func (f *Fetcher) cached(ctx context.Context, address string) ([]byte, error) {
	if f.o.Cache == nil {
		e, err := f.get(ctx, address, "")
		return e.Body, err
	}
	old, have := f.o.Cache.Get(address)
	if have && (f.o.Offline || f.now().Sub(old.At) < f.o.MaxAge) {
		return old.Body, nil
	}
	if f.o.Offline {
		return nil, errors.New("it is not in the cache, and other hosts are not asked")
	}
	e, err := f.get(ctx, address, old.ETag)
	switch {
	case err == nil && e.Body == nil: // not changed
		old.At = e.At
		e = old
	case err != nil && have && !errors.Is(err, fs.ErrNotExist):
		return old.Body, nil
	case err != nil:
		return nil, err
	}
	return e.Body, f.o.Cache.Put(address, e)
}

// get asks the host. Its Entry has no body where the document is still the one of etag.
func (f *Fetcher) get(ctx context.Context, address, etag string) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, f.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Entry{}, err
	}
	req.Header.Set("Accept", "application/yaml, application/json, text/*;q=0.9, */*;q=0.5")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	res, err := f.client.Do(req)
	if err != nil {
		return Entry{}, reason(err)
	}
	defer res.Body.Close()
	e := Entry{At: f.now(), ETag: res.Header.Get("ETag")}
	switch {
	case etag != "" && res.StatusCode == http.StatusNotModified:
		return e, nil
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone:
		return Entry{}, fmt.Errorf("the host answers %d: %w", res.StatusCode, fs.ErrNotExist)
	case res.StatusCode != http.StatusOK:
		return Entry{}, fmt.Errorf("the host answers %d", res.StatusCode)
	}
	e.Body, err = io.ReadAll(io.LimitReader(res.Body, f.o.MaxBytes+1))
	switch {
	case err != nil:
		return Entry{}, reason(err)
	case int64(len(e.Body)) > f.o.MaxBytes:
		return Entry{}, &LimitError{fmt.Sprintf("the document has more than %d bytes", f.o.MaxBytes)}
	case e.Body == nil:
		e.Body = []byte{}
	}
	return e, nil
}

// reason leaves out what the finding says anyway: method and address.
func reason(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		if ue.Timeout() {
			return errors.New("the host did not answer in time")
		}
		return ue.Err
	}
	return err
}
