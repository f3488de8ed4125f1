package http

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// What a message has beside its body.
const (
	headerID          = "Webhook-Id"
	headerTime        = "Webhook-Timestamp" // seconds since 1970
	headerKey         = "Concordat-Key"
	headerReplyTo     = "Concordat-Reply-To"
	headerCorrelation = "Concordat-Correlation-Id"
	headerNames       = "Concordat-Headers" // the message's own, as they are spelt
)

// taken are headers that belong to HTTP, to connections and to who authenticates: they are
// no headers of messages.
var taken = []string{
	"Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Cookie", "Expect", "Host",
	"Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent",
	headerID, headerTime, headerKey, headerReplyTo, headerCorrelation, headerNames,
}

// headerOf spells m as headers of a request.
func headerOf(m *broker.Message) (http.Header, error) {
	h := http.Header{}
	for name, value := range map[string]string{headerID: m.ID, headerKey: m.Key, headerReplyTo: m.ReplyTo, headerCorrelation: m.CorrelationID} {
		if value != "" {
			h.Set(name, encode(value))
		}
	}
	at := m.Time
	if at.IsZero() {
		at = time.Now()
	}
	h.Set(headerTime, strconv.FormatInt(at.Unix(), 10))
	if m.Media != "" {
		h.Set("Content-Type", m.Media)
	}
	var names []string
	for name, value := range m.Headers {
		if !token(name) || slices.Contains(taken, http.CanonicalHeaderKey(name)) {
			return nil, broker.Permanent(fmt.Errorf("http: a message cannot have the header %q: HTTP has no such name, or means something else by it", name))
		}
		h.Set(name, encode(value))
		names = append(names, name)
	}
	if slices.Sort(names); len(names) > 0 {
		h.Set(headerNames, strings.Join(names, ", "))
	}
	return h, nil
}

// token says whether name can be that of a header (RFC 9110, 5.6.2).
func token(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// encode percent-encodes what headers cannot carry (CloudEvents HTTP binding, 3.1.3.2).
func encode(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c < 0x21 || c > 0x7e || c == '"' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// decode undoes encode; what others wrote without it stays as it is.
func decode(value string) string {
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// messageOf is the message that a request carries.
func messageOf(h http.Header, address string, body []byte) *broker.Message {
	m := &broker.Message{
		Address: address, Body: body, Media: h.Get("Content-Type"), ID: decode(h.Get(headerID)), Key: decode(h.Get(headerKey)),
		ReplyTo: decode(h.Get(headerReplyTo)), CorrelationID: decode(h.Get(headerCorrelation)), Headers: map[string]string{},
	}
	if s, err := strconv.ParseInt(h.Get(headerTime), 10, 64); err == nil {
		m.Time = time.Unix(s, 0)
	}
	if own := h.Get(headerNames); own != "" {
		for name := range strings.SplitSeq(own, ", ") {
			if !slices.Contains(taken, http.CanonicalHeaderKey(name)) {
				m.Headers[name] = decode(h.Get(name))
			}
		}
		return m
	}
	for name, values := range h {
		if !slices.Contains(taken, name) {
			m.Headers[strings.ToLower(name)] = decode(strings.Join(values, ", "))
		}
	}
	return m
}
