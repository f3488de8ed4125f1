package amqp

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Settings of the contract for AMQP: those of AsyncAPI's bindings (versions 0.1.0 to
// 0.3.0), dotted where they nest, and a few beside.
type settings struct {
	isQueue  bool     // the channel is a queue, not a routing key
	exchange exchange // where the channel says none, the broker's
	queue    queue

	cc, bcc      []string
	priority     uint8
	transient    bool
	mandatory    bool
	expiration   time.Duration
	userID       string
	replyTo      string
	noTimestamp  bool
	noAck        bool
	encoding     string
	messageType  string
	prefetch     int
	deadExchange string
	origin       string // queue that a message was received from
}

// A queue as the contract describes it.
type queue struct {
	name                           string
	transient, exclusive, autoGone bool
	args                           amqp091.Table
}

// knownSettings do what they say here; "queue.arguments." and "headers." begin others.
var knownSettings = map[string]func(*settings, string) error{
	"is": func(s *settings, v string) error {
		s.isQueue = v == "queue"
		return oneOf(v, "queue", "routingKey")
	},
	"exchange.name":            func(s *settings, v string) error { s.exchange.name = v; return nil },
	"exchange.type":            func(s *settings, v string) error { s.exchange.kind = v; return nil },
	"exchange.durable":         flag(func(s *settings, on bool) { s.exchange.durable = on }),
	"exchange.autoDelete":      flag(func(s *settings, on bool) { s.exchange.autoDelete = on }),
	"queue.name":               func(s *settings, v string) error { s.queue.name = v; return nil },
	"queue.durable":            flag(func(s *settings, on bool) { s.queue.transient = !on }),
	"queue.exclusive":          flag(func(s *settings, on bool) { s.queue.exclusive = on }),
	"queue.autoDelete":         flag(func(s *settings, on bool) { s.queue.autoGone = on }),
	"queue.deadLetterExchange": func(s *settings, v string) error { s.deadExchange = v; return nil },
	"deadLetterExchange":       func(s *settings, v string) error { s.deadExchange = v; return nil },
	"cc":                       func(s *settings, v string) error { return keys(&s.cc, v) },
	"bcc":                      func(s *settings, v string) error { return keys(&s.bcc, v) },
	"priority":                 number(255, func(s *settings, n uint64) { s.priority = uint8(n) }),
	"deliveryMode": func(s *settings, v string) error {
		s.transient = v == "1"
		return oneOf(v, "1", "2")
	},
	"mandatory":       flag(func(s *settings, on bool) { s.mandatory = on }),
	"expiration":      number(1<<32, func(s *settings, n uint64) { s.expiration = time.Duration(n) * time.Millisecond }),
	"userId":          func(s *settings, v string) error { s.userID = v; return nil },
	"replyTo":         func(s *settings, v string) error { s.replyTo = v; return nil },
	"timestamp":       flag(func(s *settings, on bool) { s.noTimestamp = !on }),
	"ack":             flag(func(s *settings, on bool) { s.noAck = !on }),
	"contentEncoding": func(s *settings, v string) error { s.encoding = v; return nil },
	"messageType":     func(s *settings, v string) error { s.messageType = v; return nil },
	originSetting:     func(s *settings, v string) error { s.origin = v; return nil },
	"prefetch":        number(65535, func(s *settings, n uint64) { s.prefetch = int(n) }),
}

// originSetting is on messages that were received, so that dead letters can say from where.
const originSetting = "origin"

const (
	queueArguments = "queue.arguments." // of the queue, as the server knows them
	headerMatches  = "headers."         // what a headers exchange compares; "headers.x-match" is all or any
)

func flag(set func(*settings, bool)) func(*settings, string) error {
	return func(s *settings, v string) error {
		on, err := strconv.ParseBool(v)
		if err != nil {
			return errors.New("it is true or false")
		}
		set(s, on)
		return nil
	}
}

func number(most uint64, set func(*settings, uint64)) func(*settings, string) error {
	return func(s *settings, v string) error {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil || n > most {
			return fmt.Errorf("it is a number from 0 to %d", most)
		}
		set(s, n)
		return nil
	}
}

func oneOf(v string, allowed ...string) error {
	for _, a := range allowed {
		if v == a {
			return nil
		}
	}
	return fmt.Errorf("it is one of %s", strings.Join(allowed, ", "))
}

// keys reads a list of routing keys, or a single one.
func keys(into *[]string, v string) error {
	if !strings.HasPrefix(v, "[") {
		*into = []string{v}
		return nil
	}
	if json.Unmarshal([]byte(v), into) != nil {
		return errors.New("it is a list of routing keys")
	}
	return nil
}

// maxParsed bounds what settingsOf remembers, should a program make settings as it goes.
const maxParsed = 512

// settingsOf is parse for messages, which share what the contract says.
func (b *Broker) settingsOf(all []broker.Setting) (*settings, error) {
	if len(all) == 0 {
		return b.usual, nil
	}
	type list struct {
		first *broker.Setting
		n     int
	}
	key := list{&all[0], len(all)}
	if s, ok := b.parsed.Load(key); ok {
		return s.(*settings), nil
	}
	s, err := b.parse(all, "")
	if err == nil && b.parsedCount.Add(1) <= maxParsed {
		b.parsed.Store(key, s)
	}
	return s, err
}

// parse reads the settings of one channel, operation or message.
func (b *Broker) parse(all []broker.Setting, at string) (*settings, error) {
	s := &settings{exchange: exchange{durable: true}, mandatory: b.mandatory}
	for _, one := range all {
		if one.Protocol != "amqp" {
			continue
		}
		if err := s.set(one.Name, one.Value); err != nil {
			return nil, fmt.Errorf("amqp: the contract's setting %s is %q: %w", one.Name, one.Value, err)
		}
	}
	if err := b.settle(s); err != nil {
		return nil, err
	}
	b.warn(all, at)
	return s, nil
}

func (s *settings) set(name, value string) error {
	if f := knownSettings[name]; f != nil {
		return f(s, value)
	}
	if arg, ok := strings.CutPrefix(name, queueArguments); ok {
		if s.queue.args == nil {
			s.queue.args = amqp091.Table{}
		}
		s.queue.args[arg] = scalar(value)
	}
	if header, ok := strings.CutPrefix(name, headerMatches); ok {
		if s.exchange.match == nil {
			s.exchange.match = amqp091.Table{}
		}
		s.exchange.match[header] = value
	}
	return nil
}

// scalar is a queue's argument as the server wants it typed.
func scalar(v string) any {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return n
	}
	if on, err := strconv.ParseBool(v); err == nil {
		return on
	}
	return v
}

// settle fills in what the contract left out.
func (b *Broker) settle(s *settings) error {
	x := &s.exchange
	switch {
	case x.kind == "default":
		x.name, x.kind = "", direct
	case x.name == "" && s.isQueue:
		x.kind = direct // the default exchange leads to the queue of that name
	case x.name == "":
		match := x.match
		*x = b.exchange
		x.match = match
	case x.kind == "":
		x.kind = topic
	}
	return x.check()
}

// warn tells once of settings that do nothing here.
func (b *Broker) warn(all []broker.Setting, at string) {
	var strange []broker.Setting
	for _, s := range all {
		known := s.Protocol != "amqp" || knownSettings[s.Name] != nil ||
			strings.HasPrefix(s.Name, queueArguments) || strings.HasPrefix(s.Name, headerMatches) ||
			(s.Name == "exchange.vhost" || s.Name == "queue.vhost") && s.Value == b.servers[0].vhost
		if !known {
			strange = append(strange, s)
		}
	}
	if len(strange) > 0 {
		b.unknown.Warn(b.log, strange, "amqp", at, "those of AsyncAPI's bindings for AMQP, queue.arguments.…, headers.…, prefetch")
	}
}
