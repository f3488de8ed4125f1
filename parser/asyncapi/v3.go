package asyncapi

import (
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// operations3 reads the operations of version 3, and all channels, whether used or not,
// since their faults are faults of the document.
func (r *reader) operations3() {
	for key, n := range r.root.Get("channels").Entries() {
		if strings.HasPrefix(key, "x-") {
			continue
		}
		if c := r.channelAt(n); c != nil {
			for _, m := range c.messages {
				r.follow(m) // says so where it leads nowhere
			}
		}
	}
	for key, n := range r.root.Get("operations").Entries() {
		if r.stopped() {
			return
		}
		if !strings.HasPrefix(key, "x-") {
			r.operation3(key, n)
		}
	}
	r.missing()
}

func (r *reader) operation3(name string, place *node.Node) {
	r.seen++
	n := r.mapping(place, "an operation")
	if n == nil {
		return
	}
	l := r.layered(n, "an operation trait")
	a := r.action(name, n)
	c := r.operationChannel(name, n)
	if a == 0 || c == nil {
		return
	}
	m := r.carried(n, c)
	o := r.operation(r.unused(name, place.Span(), true), a, place, l, c, m)
	if reply := n.Get("reply"); reply != nil && reply.Kind() != node.Null {
		r.reply(o, reply)
	}
	if ch, ok := o.Wire.(*contract.Channel); ok && ch.Address == "" {
		r.diags.Warnf("no-address", c.base.Span, "the channel %s has no address; the program must give one for %s", c.base.Name, name)
	}
}

func (r *reader) action(name string, n *node.Node) action {
	v := n.Get("action")
	switch text(v) {
	case "send":
		return send
	case "receive":
		return receive
	}
	at := n
	if v != nil {
		at = v
	}
	r.diags.Errorf("unknown-action", at.Span(), "the operation %s has no action that is known: %s", name, quote(v)).Help =
		`write "action: send" or "action: receive", as seen from the application that the document describes`
	return 0
}

func (r *reader) operationChannel(name string, n *node.Node) *channel {
	ref := n.Get("channel")
	if ref == nil {
		r.diags.Errorf("no-channel", n.Span(), "the operation %s has no channel", name).Help = `write "channel: {$ref: '#/channels/NAME'}"`
		return nil
	}
	return r.channelAt(ref)
}

// carried reads the messages that n, an operation or a reply, chooses from its channel;
// all of them where it does not choose.
func (r *reader) carried(n *node.Node, c *channel) *contract.Message {
	chosen := n.Get("messages")
	if chosen.Kind() != node.List {
		if c == nil {
			return nil
		}
		return r.combined(c)
	}
	var all []*contract.Message
	for item := range chosen.Items() {
		key := ""
		if _, ref := item.Ref(); ref != nil {
			key = r.loader.Target(item).Key()
		}
		m := r.message(key, item)
		if m == nil {
			continue
		}
		all = append(all, m)
		r.offered(item, c)
	}
	return r.oneOf(all, chosen.Span())
}

// offered warns about a message that an operation carries though its channel does not.
func (r *reader) offered(item *node.Node, c *channel) {
	if c == nil || len(c.messages) == 0 {
		return
	}
	want := r.follow(item)
	if c.targets == nil {
		c.targets = map[*node.Node]bool{}
		for _, m := range c.messages {
			c.targets[r.follow(m)] = true
		}
	}
	if !c.targets[want] {
		r.diags.Warnf("message-not-in-channel", item.Span(), "the channel %s does not list this message", c.base.Name).Help =
			"add it to the messages of the channel"
	}
}

// reply makes a request of an operation: its answer comes on a channel, at an address
// that the request carries, or both.
func (r *reader) reply(o *contract.Operation, n *node.Node) {
	n = r.mapping(n, "a reply")
	if n == nil {
		return
	}
	out := &contract.Reply{Address: r.location(r.follow(n.Get("address")).Get("location"))}
	var c *channel
	if ref := n.Get("channel"); ref != nil && ref.Kind() != node.Null {
		if c = r.channelAt(ref); c != nil {
			out.Channel = c.on(nil, nil)
		}
	}
	out.Message = r.carried(n, c)
	if out.Address == nil && (c == nil || c.base.Address == "") {
		r.diags.Warnf("no-address", n.Span(), "nothing says where the reply goes; the broker's own way is used").Help =
			"give the reply's channel an address, or the reply an address with a location"
	}
	if ch, ok := o.Wire.(*contract.Channel); ok {
		ch.Reply = out
	}
	o.Kind, o.Incoming = contract.Request, o.Kind == contract.Receive
	o.Out = []*contract.Success{{Body: out.Message, Span: n.Span()}}
}
