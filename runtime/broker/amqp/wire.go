package amqp

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Headers that carry what AMQP has no place for.
const (
	headerKey     = "concordat-key"
	headerAddress = "concordat-address"  // where the routing key does not tell it
	headerReplyTo = "concordat-reply-to" // the address, where it is not a queue
	headerQueue   = "concordat-queue"    // of a dead letter: where it was received
	headerOwn     = "x-"                 // before a header of the contract, so that none collides
)

func own(name string) bool {
	switch name {
	case headerKey, headerAddress, headerReplyTo, "CC", "BCC":
		return true
	}
	return strings.HasPrefix(name, headerOwn) && own(name[len(headerOwn):])
}

// An envelope is a message on its way to the server.
type envelope struct {
	exchange  exchange
	key       string
	queue     *place // to be declared before, where the contract says that the channel is one
	mandatory bool
	amqp091.Publishing
}

// envelope spells m for the wire.
func (b *Broker) envelope(m *broker.Message) (*envelope, error) {
	set, err := b.settingsOf(m.Settings)
	if err != nil {
		return nil, err
	}
	e := &envelope{mandatory: set.mandatory}
	h := tableOf(m, set)
	told, err := b.route(e, m, set)
	if err != nil {
		return nil, err
	}
	if told != m.Address {
		h[headerAddress] = m.Address
	}
	e.Publishing = amqp091.Publishing{
		Headers: h, ContentType: m.Media, CorrelationId: m.CorrelationID, MessageId: m.ID, Body: m.Body,
		ContentEncoding: set.encoding, Type: set.messageType, UserId: set.userID, Priority: set.priority, DeliveryMode: amqp091.Persistent,
	}
	if e.MessageId == "" {
		e.MessageId = randomName()
	}
	if set.transient {
		e.DeliveryMode = amqp091.Transient
	}
	if set.expiration > 0 {
		e.Expiration = strconv.FormatInt(set.expiration.Milliseconds(), 10)
	}
	if e.Timestamp = m.Time; m.Time.IsZero() {
		e.Timestamp = time.Now()
	}
	if set.noTimestamp {
		e.Timestamp = time.Time{}
	}
	replyTo(e, m.ReplyTo, set.replyTo)
	return e, e.pack()
}

func tableOf(m *broker.Message, set *settings) amqp091.Table {
	h := make(amqp091.Table, len(m.Headers)+2)
	for name, value := range m.Headers {
		if own(name) {
			name = headerOwn + name
		}
		h[name] = value
	}
	if m.Key != "" {
		h[headerKey] = m.Key
	}
	if len(set.cc) > 0 {
		h["CC"] = anyList(set.cc)
	}
	if len(set.bcc) > 0 {
		h["BCC"] = anyList(set.bcc)
	}
	if set.origin != "" && m.Headers[broker.HeaderReason] != "" {
		h[headerQueue] = set.origin
	}
	return h
}

func anyList(keys []string) []any {
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = k
	}
	return out
}

// route says where m goes, and which address a receiver will take the key for.
func (b *Broker) route(e *envelope, m *broker.Message, set *settings) (told string, err error) {
	if queue, ok := strings.CutPrefix(m.Address, broker.Inbox); ok {
		e.exchange, e.key = exchange{kind: direct}, queue
		return m.Address, nil
	}
	if queue := m.Headers[headerQueue]; queue != "" && m.Headers[broker.HeaderReplays] != "" && m.Headers[broker.HeaderReason] == "" {
		e.exchange, e.key = exchange{kind: direct}, queue
		delete(e.Headers, headerQueue)
		return "", nil
	}
	if e.key, err = keyOf(m.Address); err != nil {
		return "", err
	}
	e.exchange = set.exchange
	if x, ok := b.aliases.Load(m.Address); ok {
		e.exchange = x.(exchange)
		return m.Address, nil
	}
	told = m.Address
	if set.isQueue {
		e.queue = &place{queue: set.queue, exchange: set.exchange, key: e.key}
		if e.queue.name == "" {
			e.queue.name = e.key
		}
		e.queue.args = b.arguments(e.queue, "")
		if set.exchange.name == "" && e.key != e.queue.name {
			e.key, told = e.queue.name, ""
		}
	}
	if e.exchange.kind == fanout || e.exchange.kind == headers {
		told = "" // bindings do not tell addresses apart
	}
	return told, nil
}

// replyTo names the queue for the answer, as AMQP has it, and the address, where that is
// something else.
func replyTo(e *envelope, address, contract string) {
	if address == "" {
		e.ReplyTo = contract
		return
	}
	queue, ok := strings.CutPrefix(address, broker.Inbox)
	if !ok {
		queue, _ = keyOf(address)
		e.Headers[headerReplyTo] = address
	}
	e.ReplyTo = queue
}

// pack compresses the body where the contract says so.
func (e *envelope) pack() error {
	if e.ContentEncoding != "gzip" {
		return nil
	}
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(e.Body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	e.Body = buf.Bytes()
	return nil
}

// maxUnpacked is how large a compressed body may become.
const maxUnpacked = 64 << 20

func unpack(body []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err == nil && len(out) > maxUnpacked {
		err = fmt.Errorf("more than %d bytes", maxUnpacked)
	}
	return out, err
}

// message reads what was delivered to the subscription of template.
func message(d *amqp091.Delivery, template string) *broker.Message {
	m := &broker.Message{
		Address: addressOf(d.RoutingKey, template), Media: d.ContentType, ID: d.MessageId, CorrelationID: d.CorrelationId,
		Body: d.Body, Time: d.Timestamp, Headers: make(map[string]string, len(d.Headers)),
	}
	if d.ReplyTo != "" {
		m.ReplyTo = broker.Inbox + d.ReplyTo
	}
	for name, value := range d.Headers {
		switch {
		case name == headerKey:
			m.Key = textOf(value)
		case name == headerAddress:
			m.Address = textOf(value)
		case name == headerReplyTo:
			m.ReplyTo = textOf(value)
		case name == "CC", name == "x-delivery-count":
		case strings.HasPrefix(name, "x-") && own(name):
			m.Headers[name[len(headerOwn):]] = textOf(value)
		default:
			m.Headers[name] = textOf(value)
		}
	}
	if deaths, ok := d.Headers["x-death"].([]any); ok && m.Headers[broker.HeaderReason] == "" {
		died(m, deaths)
	}
	if d.ContentEncoding == "gzip" {
		if body, err := unpack(d.Body); err == nil { // else who reads it will say what is wrong
			m.Body = body
		}
	}
	return m
}

// died explains a dead letter that the server itself moved.
func died(m *broker.Message, deaths []any) {
	if len(deaths) == 0 {
		return
	}
	death, ok := deaths[0].(amqp091.Table)
	reason := textOf(death["reason"])
	if !ok || reason == "expired" { // it was put off
		return
	}
	m.Headers[broker.HeaderReason] = reason
	m.Headers[headerQueue] = textOf(death["queue"])
	if m.Headers[broker.HeaderOriginalAddress] = m.Headers[headerAddress]; m.Headers[headerAddress] != "" {
		return
	}
	if keys, ok := death["routing-keys"].([]any); ok && len(keys) > 0 {
		m.Headers[broker.HeaderOriginalAddress] = addressOf(textOf(keys[0]), "/")
	}
}

// textOf is a header's value as text: structured ones are JSON.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case amqp091.Table, []any:
		if text, err := json.Marshal(v); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(v)
}

// addressOf undoes keyOf in the way in which the template is spelled. A key that fits no
// way is that of an exchange that ignores keys, and the address the template's own.
func addressOf(key, template string) string {
	if !strings.Contains(template, "{") && template != "/" {
		return template
	}
	if !strings.Contains(template, "/") {
		return key
	}
	parts := strings.Split(key, ".")
	for i, p := range parts {
		if u, err := url.PathUnescape(p); err == nil {
			parts[i] = u
		}
	}
	return strings.Join(parts, "/")
}
