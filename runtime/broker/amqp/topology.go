package amqp

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// Types of exchanges.
const (
	topic   = "topic"
	direct  = "direct"
	fanout  = "fanout"
	headers = "headers"
)

// An exchange is where messages are published to.
type exchange struct {
	name       string // "" is the default exchange, whose keys are queues
	kind       string
	durable    bool
	autoDelete bool
	match      amqp091.Table // of a headers exchange: what bindings ask for
}

func (x exchange) check() error {
	if !slices.Contains([]string{topic, direct, fanout, headers}, x.kind) && !strings.HasPrefix(x.kind, "x-") {
		return fmt.Errorf("amqp: the exchange %q has the type %q: it is topic, direct, fanout or headers", x.name, x.kind)
	}
	return nil
}

// given says that the server has the exchange by itself (AMQP 0-9-1, 3.1.3).
func (x exchange) given() bool { return x.name == "" || strings.HasPrefix(x.name, "amq.") }

// declare makes the exchange, or asks whether it is there.
func (x exchange) declare(ch *amqp091.Channel, make bool) error {
	switch {
	case x.given():
		return nil
	case make:
		return ch.ExchangeDeclare(x.name, x.kind, x.durable, x.autoDelete, false, false, nil)
	}
	return ch.ExchangeDeclarePassive(x.name, x.kind, x.durable, x.autoDelete, false, false, nil)
}

// A place is a queue and what leads to it.
type place struct {
	queue
	exchange exchange
	key      string // of the binding; "" with the default exchange
	own      bool   // the queue belongs to one subscription, and goes with it
}

// declare makes queue and binding, or asks whether the queue is there.
func (p *place) declare(ch *amqp091.Channel, make bool) error {
	if err := p.exchange.declare(ch, make); err != nil {
		return err
	}
	if !make && !p.own {
		_, err := ch.QueueDeclarePassive(p.name, !p.transient, p.autoGone, p.exclusive, false, p.args)
		return err
	}
	if _, err := ch.QueueDeclare(p.name, !p.transient, p.autoGone, p.exclusive, false, p.args); err != nil {
		return err
	}
	if p.exchange.name == "" {
		return nil
	}
	return ch.QueueBind(p.name, p.key, p.exchange.name, false, p.exchange.match)
}

// place is where the messages of a subscription wait.
func (b *Broker) place(s broker.Subscription, set *settings) (*place, error) {
	if strings.HasPrefix(s.Address, broker.Inbox) && s.Group == "" {
		q := queue{name: s.Address[len(broker.Inbox):], transient: true, exclusive: true, autoGone: true}
		return &place{queue: q, own: true}, nil
	}
	p := &place{queue: set.queue, exchange: set.exchange, key: patternOf(s.Address)}
	if set.exchange.name != "" && set.exchange.kind == direct && strings.Contains(s.Address, "{") {
		return nil, fmt.Errorf("amqp: the direct exchange %q cannot match the parameters of %s: make it a topic exchange", set.exchange.name, s.Address)
	}
	switch {
	case p.name != "": // the contract names it
	case set.isQueue:
		p.name = patternOf(s.Address)
	case s.Group == "":
		p.own, p.transient, p.exclusive, p.autoGone = true, true, true, true
		p.name = "concordat." + randomName()
	default:
		p.name = queueName(s, set.exchange, b.exchange)
	}
	p.args = b.arguments(p, s.DeadLetter)
	return p, nil
}

// queueName is that of a group without a name in the contract. The group that receives
// dead letters has the queue that everybody looks for.
func queueName(s broker.Subscription, x, usual exchange) string {
	name := s.Group + "/"
	if x.name != usual.name {
		name += x.name + "/"
	}
	name += patternOf(s.Address)
	if s.Group == broker.ReplayGroup {
		name = patternOf(s.Address)
	}
	return short(name)
}

// maxName is how long names are (AMQP 0-9-1, 4.2.1: short strings).
const maxName = 255

func short(name string) string {
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return strings.ToValidUTF8(name[:200], "") + "#" + hex.EncodeToString(sum[:8])
}

// deliveryLimit is how often a message comes again, after which it must be what kills the
// programs that take it.
const deliveryLimit = 20

// arguments are those of a queue: the contract's, and where it is silent a quorum queue,
// which moves what cannot be handled to the dead letters without losing any.
func (b *Broker) arguments(p *place, deadLetter string) amqp091.Table {
	args := amqp091.Table{}
	maps.Copy(args, p.args)
	_, typed := args["x-queue-type"]
	_, priorities := args["x-max-priority"] // which quorum queues lack
	if p.transient || p.exclusive || p.autoGone || typed || priorities || b.queueType != "quorum" {
		if !typed && b.queueType == "classic" && !p.transient {
			args["x-queue-type"] = "classic"
		}
		return args
	}
	return quorum(args, deadLetter)
}

func quorum(args amqp091.Table, deadLetter string) amqp091.Table {
	args["x-queue-type"] = "quorum"
	if deadLetter == "" || args["x-dead-letter-exchange"] != nil {
		return args
	}
	for k, v := range safely("", short(patternOf(deadLetter))) {
		if args[k] == nil {
			args[k] = v
		}
	}
	if args["x-delivery-limit"] == nil {
		args["x-delivery-limit"] = int64(deliveryLimit)
	}
	return args
}

// safely has a quorum queue move messages so that none is lost on the way.
func safely(exchange, key string) amqp091.Table {
	return amqp091.Table{
		"x-queue-type": "quorum", "x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": key,
		"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish",
	}
}

// deadPlace is where dead letters wait to be seen.
func (b *Broker) deadPlace(address string, set *settings) *place {
	p := &place{queue: queue{name: short(patternOf(address))}, exchange: b.exchange, key: patternOf(address)}
	if set.deadExchange != "" && set.deadExchange == address {
		p.exchange, p.key = exchange{name: set.deadExchange, kind: topic, durable: true}, "#"
		b.aliases.Store(address, p.exchange)
	}
	p.args = b.arguments(p, "")
	return p
}

// delayPlace is where messages wait for d before they go to the queue.
func (b *Broker) delayPlace(to string, d time.Duration) *place {
	ms := d.Milliseconds()
	args := safely("", to)
	args["x-message-ttl"] = ms
	if b.queueType != "quorum" {
		args = amqp091.Table{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": to, "x-message-ttl": ms}
	}
	return &place{queue: queue{name: short(to + "/delay/" + strconv.FormatInt(ms, 10)), args: args}}
}

// keyOf spells an address as a routing key.
func keyOf(address string) (string, error) {
	key := address
	if strings.Contains(address, "/") {
		parts := strings.Split(address, "/")
		for i, p := range parts {
			parts[i] = escape(p)
		}
		key = strings.Join(parts, ".")
	}
	if len(key) > maxName {
		return "", fmt.Errorf("amqp: the routing key of %.60s… has %d bytes, and %d are allowed", address, len(key), maxName)
	}
	return key, nil
}

// escape percent-encodes what has a meaning in keys and bindings.
func escape(s string) string {
	if !strings.ContainsAny(s, ".*#%") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(".*#%", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// patternOf spells a template as the key of a binding.
func patternOf(template string) string {
	plain := escape
	if !strings.Contains(template, "/") {
		plain = func(s string) string { return s }
	}
	return broker.ParsePattern(template).Wildcard("*", ".", plain)
}
