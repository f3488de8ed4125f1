package nats

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Headers that carry what NATS has no place for. JetStream uses the reply subject itself.
const (
	headerMedia       = "Content-Type"
	headerKey         = "Concordat-Key"
	headerReplyTo     = "Concordat-Reply-To"
	headerCorrelation = "Concordat-Correlation-Id"
	headerUser        = "x-" // before a header of the contract, so that none collides
)

func toHeader(m *broker.Message) nats.Header {
	h := nats.Header{}
	for name, value := range map[string]string{
		jetstream.MsgIDHeader: m.ID, headerMedia: m.Media, headerKey: m.Key,
		headerReplyTo: m.ReplyTo, headerCorrelation: m.CorrelationID,
	} {
		if value != "" {
			h[name] = []string{escapeHeader(value)}
		}
	}
	for name, value := range m.Headers {
		if own(name) {
			name = headerUser + name
		}
		h[escapeHeader(name)] = []string{escapeHeader(value)}
	}
	return h
}

// own says whether a header of the contract would be taken for one of ours.
func own(name string) bool {
	switch name {
	case jetstream.MsgIDHeader, headerMedia, headerKey, headerReplyTo, headerCorrelation:
		return true
	}
	return strings.HasPrefix(name, headerUser) && own(name[len(headerUser):])
}

// A header ends with its line.
var lineBreaks = strings.NewReplacer("\r", "%0D", "\n", "%0A")

func escapeHeader(s string) string { return lineBreaks.Replace(s) }

func fromMsg(in jetstream.Msg, template string) *broker.Message {
	m := message(in.Headers(), in.Subject(), in.Data(), template)
	if meta, err := in.Metadata(); err == nil {
		m.Time = meta.Timestamp
	}
	return m
}

func message(h nats.Header, subject string, data []byte, template string) *broker.Message {
	m := &broker.Message{
		Address: addressOf(subject, template), Body: data, Headers: map[string]string{},
		ID: h.Get(jetstream.MsgIDHeader), Media: h.Get(headerMedia), Key: h.Get(headerKey),
		ReplyTo: h.Get(headerReplyTo), CorrelationID: h.Get(headerCorrelation),
	}
	for name, values := range h {
		switch {
		case len(values) == 0 || own(name) && !strings.HasPrefix(name, headerUser):
		case own(name):
			m.Headers[name[len(headerUser):]] = values[0]
		default:
			m.Headers[name] = values[0]
		}
	}
	return m
}

// subjectOf spells an address as a subject.
func subjectOf(address string) (string, error) {
	if !strings.Contains(address, "/") {
		if address == "" || strings.ContainsAny(address, "*> \t\r\n") || strings.Contains("."+address+".", "..") {
			return "", fmt.Errorf("nats: %q is no subject: wildcards, spaces and empty tokens are not allowed", address)
		}
		return address, nil
	}
	parts := strings.Split(address, "/")
	for i, p := range parts {
		if p == "" {
			return "", fmt.Errorf("nats: address %q has an empty segment", address)
		}
		parts[i] = escape(p)
	}
	return strings.Join(parts, "."), nil
}

// escape percent-encodes what has a meaning in subjects.
func escape(s string) string {
	if !strings.ContainsAny(s, ".*>% \t\r\n") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(".*>% \t\r\n", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// filterOf spells a template as a subject with wildcards.
func filterOf(template string) string {
	if strings.Contains(template, "/") {
		return broker.ParsePattern(template).Wildcard("*", ".", escape)
	}
	return broker.ParsePattern(template).Wildcard("*", ".", func(s string) string { return s })
}

// addressOf undoes subjectOf in the way in which the template is spelled.
func addressOf(subject, template string) string {
	if !strings.Contains(template, "/") {
		return subject
	}
	parts := strings.Split(subject, ".")
	for i, p := range parts {
		if u, err := url.PathUnescape(p); err == nil {
			parts[i] = u
		}
	}
	return strings.Join(parts, "/")
}

func groupOf(s broker.Subscription) string {
	if s.Group != "" {
		return s.Group
	}
	return broker.Get(s.Settings, "nats", "queue", "")
}

// Names of streams and consumers may hold none of the characters of subjects.
func streamName(token string) string { return nameOf(token) }

func consumerName(group, subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return nameOf(group) + "-" + hex.EncodeToString(sum[:4])
}

func nameOf(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, s)
}
