package asyncapi

import (
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// A channel is what all operations on one address share.
type channel struct {
	node     *node.Node
	base     contract.Channel
	servers  []*node.Node        // on which it exists
	dead     []*contract.Binding // where dead letters go, unless an operation says otherwise
	keys     []string            // of messages
	messages []*node.Node        // as they stand in the channel, by key
	targets  map[*node.Node]bool // what messages lead to, once somebody asks
	all      *contract.Message   // of them, once somebody asks
}

// channelAt reads the channel that n is or refers to, once. Its name, and in version 2 its
// address, is its key among the document's channels, or else the key that the first
// reference leads to.
func (r *reader) channelAt(n *node.Node) *channel {
	place := n
	if _, ref := n.Ref(); ref != nil && n.Parent() != r.root.Get("channels") {
		if target := r.loader.Target(n); target != nil {
			place = target
		}
	}
	if c := r.channels[place]; c != nil {
		return c
	}
	n = r.mapping(n, "a channel")
	if n == nil {
		return nil
	}
	c := &channel{node: n}
	c.base = contract.Channel{Name: place.Key(), Address: text(n.Get("address")), Span: place.Span()}
	if r.version.major == 2 {
		c.base.Address = place.Key()
	}
	c.base.Params = r.params(n, c.base.Address)
	c.base.Bindings = r.bindings("channel", layers{n})
	c.dead = r.deadLetters(layers{n})
	for key, m := range n.Get("messages").Entries() {
		c.keys, c.messages = append(c.keys, key), append(c.messages, m)
	}
	r.placed(c)
	r.channels[place] = c
	return c
}

// placed finds the servers that a channel exists on: all where it names none.
func (r *reader) placed(c *channel) {
	all := r.root.Get("servers")
	named := c.node.Get("servers")
	if named.Len() == 0 {
		for _, n := range all.Entries() {
			if n = r.follow(n); n != nil {
				c.servers = append(c.servers, n)
			}
		}
		return
	}
	for item := range named.Items() {
		n := r.serverOf(item, all)
		if n == nil {
			continue
		}
		c.servers = append(c.servers, n)
		c.base.Servers = append(c.base.Servers, r.servers[n])
	}
}

// serverOf returns the server that an item of a channel's servers means: by name in
// version 2, by reference in version 3.
func (r *reader) serverOf(item, all *node.Node) *node.Node {
	if key, ok := item.Str(); ok {
		if !all.Has(key) {
			r.diags.Errorf("unknown-server", item.Span(), "no server is called %q", key).Help = "declare it under servers"
			return nil
		}
		item = all.Get(key)
	}
	key := item.Key()
	if _, ref := item.Ref(); ref != nil && key == "" {
		key = r.loader.Target(item).Key()
	}
	if r.server(key, item) == nil {
		return nil
	}
	return r.follow(item)
}

// params reads the parameters of an address, in the order of the address.
func (r *reader) params(n *node.Node, address string) []*contract.Param {
	var out []*contract.Param
	declared := n.Get("parameters")
	used := placeholders(address)
	for _, name := range used {
		p := declared.Get(name)
		if p == nil {
			at := n.Get("address")
			if at == nil {
				at = n
			}
			r.diags.Warnf("undeclared-parameter", at.Span(), "the address has a parameter {%s} that the channel does not declare; it is taken as text", name).
				Help = "declare it under parameters of the channel"
			out = append(out, &contract.Param{In: "address", Field: contract.Field{Name: name, Required: true,
				Schema: &contract.Scalar{Kind: contract.String}, Span: at.Span()}})
			continue
		}
		out = append(out, r.param(name, p))
	}
	for name, p := range declared.Entries() {
		if !strings.Contains(address, "{"+name+"}") && !strings.HasPrefix(name, "x-") {
			r.diags.Warnf("unused-parameter", p.KeySpan(), "the address has no parameter {%s}; it is ignored", name)
		}
	}
	return out
}

func (r *reader) param(name string, n *node.Node) *contract.Param {
	place := n.KeySpan()
	p := &contract.Param{In: "address", Field: contract.Field{Name: name, Required: true, Span: place,
		Schema: &contract.Scalar{Kind: contract.String}}}
	n = r.mapping(n, "a parameter")
	if n == nil {
		return p
	}
	p.Doc = r.doc(layers{n})
	p.Location = r.location(n.Get("location"))
	if schema := n.Get("schema"); schema != nil { // version 2
		p.Schema = r.schemas.Schema(schema)
		if d := r.follow(schema).Get("default"); d != nil {
			p.Default = new(d.JSON())
		}
		return p
	}
	if values := n.Get("enum"); values.Len() > 0 {
		e := &contract.Enum{Base: contract.String}
		for v := range values.Items() {
			e.Values = append(e.Values, contract.EnumValue{JSON: node.Quote(text(v)), Span: v.Span()})
		}
		p.Schema = e
	}
	if d := n.Get("default"); d != nil {
		p.Default = new(node.Quote(text(d)))
	}
	return p
}

// on returns the channel as one operation sees it, with the bindings that it adds and its
// own dead letters, if any.
func (c *channel) on(bindings, dead []*contract.Binding) *contract.Channel {
	if dead == nil {
		dead = c.dead
	}
	out := c.base
	out.Bindings = slices.Concat(out.Bindings, bindings, dead)
	return &out
}

// combined returns all messages of the channel as one.
func (r *reader) combined(c *channel) *contract.Message {
	if c.all == nil {
		var all []*contract.Message
		for i, n := range c.messages {
			if m := r.message(c.keys[i], n); m != nil {
				all = append(all, m)
			}
		}
		c.all = r.oneOf(all, c.base.Span)
	}
	return c.all
}
