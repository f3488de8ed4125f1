package rpc

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// A hop is where one attempt goes. It travels in the context from the method to doer.
type hop struct {
	conn *concordat.Conn
	base string // path that all routes begin with
	sent chan struct{}
	once sync.Once
	err  error // of the transport, set before sent is closed
}

type hopKey struct{}

// dial returns the context in which a's exchange happens.
func dial(ctx context.Context, conn *concordat.Conn, a *concordat.Attempt) (context.Context, context.CancelFunc, *hop) {
	h := &hop{conn: conn}
	if base := strings.Trim(a.Base.Path, "/"); base != "" {
		h.base = "/" + base
	}
	ctx, cancel := a.Context(ctx)
	return context.WithValue(ctx, hopKey{}, h), cancel, h
}

// watch makes h know when a connection was found.
func (h *hop) watch(ctx context.Context) context.Context {
	h.sent = make(chan struct{})
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { h.opened(nil) },
	})
}

func (h *hop) opened(err error) {
	if h.sent == nil {
		return
	}
	h.once.Do(func() {
		h.err = err
		close(h.sent)
	})
}

// wait returns when the request has a connection, so that what fails before can be tried
// elsewhere: nothing of the stream was taken from its owner yet.
func (h *hop) wait(ctx context.Context) error {
	select {
	case <-h.sent:
		return h.err
	case <-ctx.Done():
		return concordat.ErrorOf(context.Cause(ctx))
	}
}

// doer is the HTTP client that connect-go is given: it sends to the endpoint that
// Conn.Try picked.
type doer struct {
	gzip bool // replies may be compressed
}

// modest takes back that replies may be compressed, or servers would compress all that
// they can. One that does so all the same is understood.
func (d doer) modest(h http.Header) {
	if d.gzip {
		return
	}
	h.Del("Grpc-Accept-Encoding")
	h.Del("Connect-Accept-Encoding")
	if h.Get("Accept-Encoding") != "" {
		h.Set("Accept-Encoding", "identity") // without one, net/http would ask for gzip
	}
}

// Do implements connect.HTTPClient.
func (d doer) Do(req *http.Request) (*http.Response, error) {
	h, ok := req.Context().Value(hopKey{}).(*hop)
	if !ok {
		return nil, concordat.Errorf(concordat.Internal, "a request outside of a call")
	}
	d.modest(req.Header)
	if h.base != "" {
		req = req.Clone(req.Context())
		req.URL.Path = h.base + req.URL.Path
	}
	if h.sent != nil && req.Body != nil && req.Body != http.NoBody {
		req.Body = gather(req.Body)
	}
	resp, err := h.conn.Transport().Do(req)
	if err != nil {
		h.opened(err)
	}
	return resp, err
}

// carry sets what travels beside the message. Names that belong to the protocol are left
// out.
func carry(to http.Header, meta concordat.Meta) {
	for k, v := range meta {
		switch {
		case strings.HasPrefix(k, "Grpc-"), strings.HasPrefix(k, "Connect-"):
		case k == "Content-Type", k == "Content-Length", k == "Content-Encoding":
		default:
			to[k] = v
		}
	}
}
