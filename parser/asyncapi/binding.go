package asyncapi

import (
	"cmp"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// schemaSettings are the settings of the official bindings whose value is a schema.
var schemaSettings = []string{
	"kafka.key", "kafka.groupId", "kafka.clientId",
	"ws.query", "ws.headers", "http.query", "http.headers", "jms.headers", "anypointmq.headers",
	"mqtt.correlationData", "mqtt.responseTopic", "mqtt.sessionExpiryInterval", "mqtt.maximumPacketSize",
	"mqtt.messageExpiryInterval", "solace.timeToLive", "solace.priority", "solace.msgVpn",
}

// bindings reads what an object and its traits say for single protocols. on is the kind
// of the object. Of a setting that several layers have, the first counts.
func (r *reader) bindings(on string, l layers) []*contract.Binding {
	by := map[string]*contract.Binding{}
	var out []*contract.Binding
	for all := range l.all("bindings") {
		for protocol, n := range r.mapping(all, "bindings").Entries() {
			if strings.HasPrefix(protocol, "x-") {
				continue
			}
			n = r.mapping(n, "a binding")
			if n == nil {
				continue
			}
			if by[protocol] == nil {
				by[protocol] = &contract.Binding{Protocol: protocol, On: on, Span: n.Span()}
				out = append(out, by[protocol])
			}
			b := by[protocol]
			b.Values = union(b.Values, r.values(protocol, "", n, nil))
		}
	}
	return out
}

// union adds the values whose key is new.
func union(have, more []contract.Value) []contract.Value {
	seen := map[string]bool{}
	for _, v := range have {
		seen[v.Key] = true
	}
	for _, v := range more {
		if !seen[v.Key] {
			have = append(have, v)
		}
	}
	return have
}

// values flattens a map to dotted keys. Lists stay JSON.
func (r *reader) values(protocol, prefix string, n *node.Node, out []contract.Value) []contract.Value {
	for key, kid := range n.Entries() {
		path := prefix + key
		v := contract.Value{Key: path, Span: kid.KeySpan()}
		switch {
		case kid.Kind() == node.Map && slices.Contains(schemaSettings, protocol+"."+path):
			if text, ok := single(kid); ok {
				v.Text = text
				break
			}
			v.Schema, v.Text = r.setting(kid), kid.JSON()
		case kid.Kind() == node.Map && kid.Len() > 0 && !kid.Has("$ref"):
			out = r.values(protocol, path+".", kid, out)
			continue
		case kid.Kind() == node.Map || kid.Kind() == node.List:
			v.Text = kid.JSON()
		default:
			v.Text = kid.Text()
		}
		out = append(out, v)
	}
	return out
}

// single is the value of a setting whose schema allows no other: so contracts name the group
// and the client of Kafka.
func single(schema *node.Node) (string, bool) {
	if c := schema.Get("const"); c != nil && c.Kind() == node.String {
		return c.Text(), true
	}
	e := schema.Get("enum")
	if e == nil || e.Kind() != node.List || e.Len() != 1 || e.At(0).Kind() != node.String {
		return "", false
	}
	return e.At(0).Text(), true
}

// setting reads a setting that is a schema. Where it is described elsewhere, in a schema
// language or on a host that is not read, it is kept as it stands.
func (r *reader) setting(n *node.Node) contract.Schema {
	if text, ref := n.Ref(); ref != nil && r.loader.Lookup(n, text) == nil && strings.Contains(text, "://") {
		r.diags.Warnf("remote-reference", ref.Span(), "the setting is described on another host, which is not asked: %s", text)
		return &contract.Any{Reason: "described on another host"}
	}
	n = r.unwrapped(n)
	if n == nil {
		return &contract.Any{Reason: "described in another schema language"}
	}
	return r.schemas.Schema(n)
}

// deadLetters finds where messages go that cannot be processed: our extension, the usual
// one, and what brokers of AMQP 0-9-1 are told. It is one setting of no protocol.
func (r *reader) deadLetters(l layers) []*contract.Binding {
	n := cmp.Or(l.get("x-concordat-dead-letter"), l.get("x-dead-letter"))
	if n == nil {
		for b := range l.all("bindings") {
			n = cmp.Or(n, amqpDeadLetter(r.follow(r.follow(b).Get("amqp"))))
		}
	}
	if n == nil {
		return nil
	}
	address := text(n)
	if n.Kind() == node.Map {
		address = r.addressOf(n)
	}
	if address == "" {
		r.diags.Errorf("dead-letter", n.Span(), "%s does not say an address", n.Key()).Help = "write the address as text, or refer to a channel"
		return nil
	}
	return []*contract.Binding{{On: "operation", Span: n.Span(),
		Values: []contract.Value{{Key: "deadLetter", Text: address, Span: n.Span()}}}}
}

// addressOf returns the address that a map names, or that of the channel it refers to.
func (r *reader) addressOf(n *node.Node) string {
	target := r.follow(n)
	if a := text(target.Get("address")); a != "" {
		return a
	}
	if r.version.major == 2 && n.Has("$ref") {
		return target.Key()
	}
	return ""
}

// amqpDeadLetter returns the exchange that a queue's rejected messages go to, as bindings
// spell it.
func amqpDeadLetter(n *node.Node) *node.Node {
	queue := n.Get("queue")
	return cmp.Or(n.Get("deadLetterExchange"), queue.Get("deadLetterExchange"),
		queue.Get("arguments").Get("x-dead-letter-exchange"))
}
