package mqtt

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// User properties that carry what MQTT has no place for.
const (
	userKey  = "concordat-key"
	userID   = "concordat-id"
	userTime = "concordat-time"
	userOwn  = "x-" // before a header of the contract, so that none collides
)

func toUser(m *broker.Message) paho.UserProperties {
	var u paho.UserProperties
	at := m.Time
	if at.IsZero() {
		at = time.Now()
	}
	u.Add(userTime, at.UTC().Format(time.RFC3339Nano))
	if m.Key != "" {
		u.Add(userKey, m.Key)
	}
	if m.ID != "" {
		u.Add(userID, m.ID)
	}
	for name, value := range m.Headers {
		if own(name) {
			name = userOwn + name
		}
		u.Add(text(name), text(value))
	}
	return u
}

func own(name string) bool {
	switch name {
	case userKey, userID, userTime:
		return true
	}
	return strings.HasPrefix(name, userOwn) && own(name[len(userOwn):])
}

// text makes s a UTF-8 string of MQTT (1.5.4): valid, and without NUL.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func fromPublish(p *paho.Publish) *broker.Message {
	m := &broker.Message{Address: addressOf(p.Topic), Body: p.Payload, Headers: map[string]string{}}
	if p.Properties == nil {
		return m
	}
	m.Media, m.CorrelationID = p.Properties.ContentType, string(p.Properties.CorrelationData)
	m.ReplyTo = addressOf(p.Properties.ResponseTopic)
	for _, u := range p.Properties.User {
		switch {
		case u.Key == userKey:
			m.Key = u.Value
		case u.Key == userID:
			m.ID = u.Value
		case u.Key == userTime:
			m.Time, _ = time.Parse(time.RFC3339Nano, u.Value) // zero: unknown
		case own(u.Key):
			m.Headers[u.Key[len(userOwn):]] = u.Value
		default:
			m.Headers[u.Key] = u.Value
		}
	}
	return m
}

// topicOf spells an address as a topic name: wildcards that stand in values are
// percent-encoded, and what would then read as an encoding, too.
func topicOf(address string) (string, error) {
	if address == "" || len(address) > 65535 {
		return "", fmt.Errorf("mqtt: an address has 1 to 65535 bytes, this one %d", len(address))
	}
	return escape(address), nil
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '+', c == '#', c == 0, c == '%' && encoded(s[i:]):
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func encoded(s string) bool {
	if len(s) < 3 {
		return false
	}
	_, err := strconv.ParseUint(s[1:3], 16, 8)
	return err == nil
}

func addressOf(topic string) string {
	if !strings.Contains(topic, "%") {
		return topic
	}
	parts := strings.Split(topic, "/")
	for i, p := range parts {
		if u, err := url.PathUnescape(p); err == nil {
			parts[i] = u
		}
	}
	return strings.Join(parts, "/")
}

// filterOf spells a template as a topic filter. A parameter takes a whole level: what
// does not fit its template is left out when it arrives.
func filterOf(template, group string) string {
	levels := strings.Split(template, "/")
	for i, l := range levels {
		if levels[i] = "+"; !strings.Contains(l, "{") {
			levels[i] = escape(l)
		}
	}
	filter := strings.Join(levels, "/")
	if group == "" {
		return filter
	}
	return "$share/" + strings.NewReplacer("/", "_", "+", "_", "#", "_").Replace(group) + "/" + filter
}

// settingNames are those of the contract that parse knows.
var settingNames = []string{"qos", "retain", "messageExpiryInterval"}

// Settings of the contract for MQTT.
type settings struct {
	qos    byte
	retain bool
	expiry uint32
}

func parse(all []broker.Setting, qos byte) (settings, error) {
	out := settings{qos: qos}
	for _, s := range all {
		if s.Protocol != "mqtt" {
			continue
		}
		var err error
		switch s.Name {
		case "qos":
			var n uint64
			if n, err = strconv.ParseUint(s.Value, 10, 8); err == nil && n > 2 {
				err = fmt.Errorf("%d is no quality of service", n)
			}
			out.qos = byte(n)
		case "retain":
			out.retain, err = strconv.ParseBool(s.Value)
		case "messageExpiryInterval":
			var n uint64
			n, err = strconv.ParseUint(s.Value, 10, 32)
			out.expiry = uint32(n)
		}
		if err != nil {
			return out, fmt.Errorf("mqtt: the contract's setting %s: %w", s.Name, err)
		}
	}
	return out, nil
}
