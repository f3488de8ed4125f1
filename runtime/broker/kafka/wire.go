package kafka

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Headers that carry what Kafka has no place for.
const (
	headerMedia       = "content-type"
	headerID          = "concordat-id"
	headerAddress     = "concordat-address" // where the topic does not tell it
	headerReplyTo     = "concordat-reply-to"
	headerCorrelation = "concordat-correlation-id"
	headerFor         = "concordat-for"   // the group that a message is for, alone
	headerDue         = "concordat-due"   // when, in milliseconds since 1970
	headerOrigin      = "concordat-topic" // that a dead letter came from
	headerUser        = "x-"              // before a header of the contract, so that none collides
)

func own(name string) bool {
	switch name {
	case headerMedia, headerID, headerAddress, headerReplyTo, headerCorrelation, headerFor, headerDue, headerOrigin:
		return true
	}
	return strings.HasPrefix(name, headerUser) && own(name[len(headerUser):])
}

// record is m as it travels.
func record(m *broker.Message, topic string) *kgo.Record {
	r := &kgo.Record{Topic: topic, Value: m.Body, Headers: make([]kgo.RecordHeader, 0, len(m.Headers)+4)}
	if m.Key != "" {
		r.Key = []byte(m.Key)
	}
	if r.Value == nil {
		r.Value = []byte{} // nil would delete the key from a compacted topic
	}
	add := func(name, value string) {
		if value != "" {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
		}
	}
	add(headerMedia, m.Media)
	add(headerID, m.ID)
	add(headerReplyTo, m.ReplyTo)
	add(headerCorrelation, m.CorrelationID)
	if m.Headers[broker.HeaderReason] != "" {
		add(headerOrigin, broker.Get(m.Settings, "kafka", originSetting, ""))
	}
	add(headerFor, broker.Get(m.Settings, "concordat", "group", ""))
	if m.Address != topic {
		add(headerAddress, m.Address)
	}
	for name, value := range m.Headers {
		if own(name) {
			name = headerUser + name
		}
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
	}
	if !m.Time.IsZero() {
		r.Timestamp = m.Time
	}
	return r
}

// An arrival is a message with what is ours alone.
type arrival struct {
	*broker.Message
	group string    // that it is for, alone; "" is all
	due   time.Time // not before
}

// arrived reads a record. fallback is its address where the record does not tell.
func arrived(r *kgo.Record, fallback func(topic string) string) arrival {
	m := &broker.Message{Key: string(r.Key), Body: r.Value, Headers: make(map[string]string, len(r.Headers)), Time: r.Timestamp}
	a, origin := arrival{Message: m}, r.Topic
	for _, h := range r.Headers {
		v := string(h.Value)
		switch name := h.Key; {
		case name == headerMedia:
			m.Media = v
		case name == headerID:
			m.ID = v
		case name == headerAddress:
			m.Address = v
		case name == headerReplyTo:
			m.ReplyTo = v
		case name == headerCorrelation:
			m.CorrelationID = v
		case name == headerFor:
			a.group = v
		case name == headerOrigin:
			origin = v
		case name == headerDue:
			if ms, err := strconv.ParseInt(v, 10, 64); err == nil {
				a.due = time.UnixMilli(ms)
			}
		case own(name):
			m.Headers[name[len(headerUser):]] = v
		default:
			m.Headers[name] = v
		}
	}
	if m.Address == "" {
		m.Address = fallback(r.Topic)
	}
	m.Settings = []broker.Setting{{Protocol: "kafka", Name: originSetting, Value: origin}}
	if m.ID == "" { // of another client: its place tells duplicates, too
		m.ID = r.Topic + "/" + strconv.Itoa(int(r.Partition)) + "/" + strconv.FormatInt(r.Offset, 10)
	}
	return a
}

// maxTopic is how long a topic's name may be.
const maxTopic = 249

func checkTopic(topic string) error {
	if topic == "" || topic == "." || topic == ".." || len(topic) > maxTopic || strings.IndexFunc(topic, illegal) >= 0 {
		return fmt.Errorf("kafka: %q cannot be a topic: one has letters, digits, dots, _ and -, and %d of them at most", topic, maxTopic)
	}
	return nil
}

func illegal(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
}

// spell writes an address as a topic.
func spell(address string) string {
	if !strings.Contains(address, "/") {
		return address
	}
	parts := strings.Split(address, "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	return strings.Join(parts, ".")
}

// escape writes what topics may not hold, and dots, as _ and two digits.
func escape(s string) string {
	if strings.IndexFunc(s, illegal) < 0 && !strings.Contains(s, ".") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c == '.' || c >= 0x80 || illegal(rune(c)) {
			fmt.Fprintf(&b, "_%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// addressOf is the address of a message from a client that does not tell it.
func addressOf(topic, template string) string {
	if strings.Contains(template, "/") {
		return strings.ReplaceAll(topic, ".", "/")
	}
	return topic
}

var parameter = regexp.MustCompile(`\{[^{}]*\}`)

// filterOf matches the topics of a template's addresses, which an address in a header then
// tells apart for good.
func filterOf(template string) *regexp.Regexp {
	var b strings.Builder
	slashes := strings.Contains(template, "/")
	literal := func(s string) string {
		if !slashes {
			return regexp.QuoteMeta(s)
		}
		parts := strings.Split(s, "/")
		for i, p := range parts {
			parts[i] = escape(p)
		}
		return regexp.QuoteMeta(strings.Join(parts, "."))
	}
	at := 0
	for _, p := range parameter.FindAllStringIndex(template, -1) {
		b.WriteString(literal(template[at:p[0]]) + `[^.]+`)
		at = p[1]
	}
	b.WriteString(literal(template[at:]))
	return regexp.MustCompile("^" + b.String() + "$")
}

// delayed is m as it waits in a topic until it is due.
func delayed(m *broker.Message, topic string, due time.Time) *kgo.Record {
	r := record(m, topic)
	r.Timestamp = time.Time{}
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: headerDue, Value: strconv.AppendInt(nil, due.UnixMilli(), 10)},
		kgo.RecordHeader{Key: headerOrigin, Value: []byte(broker.Get(m.Settings, "kafka", originSetting, ""))})
	return r
}
