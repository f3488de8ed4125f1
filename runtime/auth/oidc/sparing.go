package oidc

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"time"
)

// sparing fetches one document at most every so often, and gives the last answer in
// between: go-oidc fetches keys for each token that no known key has signed, and anybody
// can send those.
type sparing struct {
	http.RoundTripper
	every time.Duration

	mu   sync.Mutex
	at   time.Time
	resp *http.Response
	body []byte
	err  error
}

// RoundTrip implements http.RoundTripper.
func (s *sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() || time.Since(s.at) >= s.every {
		s.fetch(r)
		s.at = time.Now()
	}
	if s.err != nil {
		return nil, s.err
	}
	again := *s.resp
	again.Request, again.Body = r, io.NopCloser(bytes.NewReader(s.body))
	return &again, nil
}

func (s *sparing) fetch(r *http.Request) {
	s.resp, s.err = s.RoundTripper.RoundTrip(r)
	if s.err != nil {
		return
	}
	s.body, s.err = io.ReadAll(s.resp.Body)
	s.resp.Body.Close()
}
