package transcode

import (
	"io"
	"net/http"
)

// A limited reader gives each message of a stream max bytes. A message may get a little
// more: what was read of it together with the one before.
type limited struct {
	r         io.Reader
	left, max int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, &http.MaxBytesError{Limit: l.max}
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}
