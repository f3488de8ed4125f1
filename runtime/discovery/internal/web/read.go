package web

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// refusal is how much of a body that says no is kept.
const refusal = 300

// exchange returns the whole answer to r.
func (c *Client) exchange(r *http.Request, x Exchange) (*Answer, error) {
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := refused(r, resp); err != nil {
		return nil, err
	}
	most := x.most()
	b, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s %s: half an answer: %w", r.Method, r.URL.Redacted(), err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s %s: the answer is larger than %d bytes", r.Method, r.URL.Redacted(), most)
	}
	return &Answer{Header: resp.Header, Body: b}, nil
}

func (x Exchange) most() int64 {
	if x.Max > 0 {
		return x.Max
	}
	return MaxBytes
}

func refused(r *http.Request, resp *http.Response) error {
	if resp.StatusCode/100 == 2 {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(resp.Body, refusal)) // what came is better than nothing
	return &StatusError{Status: resp.StatusCode, What: r.Method + " " + r.URL.Redacted(), Body: printable(b)}
}

// printable makes one line of what a stranger wrote.
func printable(b []byte) string {
	s := strings.ToValidUTF8(string(b), "?")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}

// Stream calls line for every line of the answer to x, until it ends, x.Time is over, or
// line returns an error. That it ends is no error, however it does: streams are there to
// be opened again. Its headers must come within Timeout.
func (c *Client) Stream(ctx context.Context, x Exchange, line func([]byte) error) error {
	if x.Time == 0 {
		x.Time = 5 * time.Minute
	}
	return c.each(ctx, x, func(ctx context.Context, r *http.Request) (bool, error) {
		late := fmt.Errorf("%s %s: no answer after %v", r.Method, r.URL.Redacted(), Timeout)
		opening, give := context.WithCancelCause(ctx)
		defer give(nil)
		timer := time.AfterFunc(Timeout, func() { give(late) })
		defer timer.Stop()
		resp, err := c.http.Do(r.WithContext(opening))
		if err != nil {
			if context.Cause(opening) == late {
				return false, late
			}
			return false, err
		}
		defer resp.Body.Close()
		if err := refused(r, resp); err != nil {
			return false, err
		}
		if !timer.Stop() {
			return false, late
		}
		return true, lines(resp.Body, int(x.most()), line)
	})
}

func lines(body io.Reader, most int, line func([]byte) error) error {
	s := bufio.NewScanner(body)
	s.Buffer(nil, most)
	for s.Scan() {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		if err := line(s.Bytes()); err != nil {
			return err
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("a line of the stream is longer than %d bytes", most)
	}
	return nil
}

func handshake(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), network, addr string, conf *tls.Config) (net.Conn, error) {
	raw, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, conf)
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}
