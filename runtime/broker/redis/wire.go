package redis

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Fields of an entry.
const (
	fieldData        = "data"
	fieldID          = "id"
	fieldKey         = "key"
	fieldMedia       = "content-type"
	fieldReplyTo     = "reply-to"
	fieldCorrelation = "correlation-id"
	fieldAddress     = "address" // where the stream's name does not tell it
	fieldFor         = "for"     // the group that a message is for, alone
	fieldTime        = "time"    // RFC 3339
	fieldHeader      = "header:"
)

// fields are m as an entry of stream: names and values in turn.
func fields(m *broker.Message, stream string) []any {
	out := make([]any, 0, 12+2*len(m.Headers))
	add := func(name, value string) {
		if value != "" {
			out = append(out, name, value)
		}
	}
	add(fieldID, m.ID)
	add(fieldKey, m.Key)
	add(fieldMedia, m.Media)
	add(fieldReplyTo, m.ReplyTo)
	add(fieldCorrelation, m.CorrelationID)
	add(fieldFor, broker.Get(m.Settings, "concordat", "group", ""))
	if m.Address != stream {
		add(fieldAddress, m.Address)
	}
	if !m.Time.IsZero() {
		add(fieldTime, m.Time.UTC().Format(time.RFC3339Nano))
	}
	for name, value := range m.Headers {
		out = append(out, fieldHeader+name, value)
	}
	return append(out, fieldData, m.Body)
}

// An arrival is a message with what is ours alone.
type arrival struct {
	*broker.Message
	group string // that it is for, alone; "" is all
}

// arrived reads an entry. address is its own where the entry does not tell.
func arrived(e *redis.XMessage, stream, address string) arrival {
	m := &broker.Message{Address: address, Headers: map[string]string{}, Time: timeOf(e.ID)}
	a := arrival{Message: m}
	whole := false
	for name, value := range e.Values {
		v, _ := value.(string)
		switch name {
		case fieldData:
			m.Body, whole = []byte(v), true
		case fieldID:
			m.ID = v
		case fieldKey:
			m.Key = v
		case fieldMedia:
			m.Media = v
		case fieldReplyTo:
			m.ReplyTo = v
		case fieldCorrelation:
			m.CorrelationID = v
		case fieldAddress:
			m.Address = v
		case fieldFor:
			a.group = v
		case fieldTime:
			if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
				m.Time = t
			}
		default:
			if header, ok := strings.CutPrefix(name, fieldHeader); ok {
				m.Headers[header] = v
			}
		}
	}
	if !whole {
		if body, err := json.Marshal(e.Values); err == nil {
			m.Body, m.Media = body, "application/json"
		}
	}
	if m.ID == "" { // of another client: its place tells duplicates, too
		m.ID = stream + "/" + e.ID
	}
	return a
}

// timeOf is when the server took an entry.
func timeOf(id string) time.Time {
	ms, _, _ := strings.Cut(id, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n)
}

// listKey is the set of streams.
const listKey = "concordat:streams"

// replies is the stream of all answers, and how many of them are kept: those who ask take
// what has their address, at once.
const (
	replies     = "concordat:replies"
	keptReplies = 10_000
)

// place is the stream of an address; its own says that it is named after it.
func (b *Broker) place(address string) (stream string, own bool) {
	if strings.HasPrefix(address, broker.Inbox) {
		return replies, false
	}
	for _, r := range b.streams {
		if r.template == address || r.pattern.Match(address) {
			return r.stream, false
		}
	}
	return address, true
}

func checkAddress(address string) error {
	if address == "" {
		return fmt.Errorf("redis: a message without an address cannot be published")
	}
	return nil
}
