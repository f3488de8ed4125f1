package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/broker"
)

const (
	maxBackoff = time.Minute
	maxReply   = 64 << 10 // bytes that are read of a reply, to use the connection again
)

// deliver asks one hook until it confirms, refuses for good, or is given up.
func (b *Broker) deliver(ctx context.Context, h *hook, m *broker.Message, header http.Header) error {
	method := broker.Get(m.Settings, "http", "method", http.MethodPost)
	for n := 1; ; n++ {
		status, after, err := h.ask(ctx, method, m.Body, header)
		switch {
		case err == nil && status/100 == 2:
			return nil
		case err == nil:
			err = fmt.Errorf("http: %s answered %d %s", h.conn, status, http.StatusText(status))
			if !again(status) {
				return broker.Permanent(err)
			}
		case forGood(err):
			return broker.Permanent(fmt.Errorf("http: %s: %w", h.conn, err))
		default:
			err = fmt.Errorf("http: %s: %w", h.conn, err)
		}
		if n >= b.attempts || !sleep(ctx, max(after, b.wait(n))) {
			return fmt.Errorf("%w (attempt %d)", err, n)
		}
	}
}

// forGood says that a request could not be made, and never will.
func forGood(err error) bool {
	code := concordat.ErrorOf(err).Code
	return code == concordat.InvalidArgument || code == concordat.PermissionDenied
}

func (b *Broker) wait(n int) time.Duration {
	bound := max(time.Millisecond, min(maxBackoff, b.backoff<<min(n-1, 16)))
	return bound/2 + rand.N(bound/2+1)
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ask makes one request. after is what the reply wants to be waited for.
func (h *hook) ask(ctx context.Context, method string, body []byte, header http.Header) (status int, after time.Duration, err error) {
	call := concordat.Call{Spec: h.spec, Meta: header}
	_, err = h.conn.Invoke(ctx, &call, nil, func(ctx context.Context, _ any) (any, error) {
		return nil, h.conn.Try(ctx, h.spec, func(ctx context.Context, a *concordat.Attempt) error {
			req, err := http.NewRequestWithContext(ctx, method, h.conn.Hook().String(), bytes.NewReader(body))
			if err != nil {
				return concordat.Errorf(concordat.InvalidArgument, "%w", err)
			}
			for k, v := range call.Meta {
				req.Header[k] = v
			}
			resp, err := a.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.CopyN(io.Discard, resp.Body, maxReply)
			if err != nil && !errors.Is(err, io.EOF) {
				return concordat.Errorf(concordat.Unavailable, "the reply broke off: %w", err)
			}
			status = resp.StatusCode
			if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
				after = min(maxBackoff, time.Duration(min(s, 3600))*time.Second)
			}
			return nil
		})
	})
	return status, after, err
}
