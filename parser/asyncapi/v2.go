package asyncapi

import (
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// channels2 reads the operations of version 2, which stand in their channels.
func (r *reader) channels2() {
	for address, n := range r.root.Get("channels").Entries() {
		if r.stopped() {
			return
		}
		if strings.HasPrefix(address, "x-") && n.Kind() != node.Map {
			continue
		}
		c := r.channelAt(n)
		if c == nil {
			continue
		}
		for key, o := range c.node.Entries() {
			switch key {
			case "publish":
				r.operation2(receive, key, c, o)
			case "subscribe":
				r.operation2(send, key, c, o)
			}
		}
	}
	r.missing()
}

// operation2 lifts one operation of version 2. Its verbs say what others do to the
// application: they subscribe to what it sends and publish what it receives.
func (r *reader) operation2(a action, verb string, c *channel, n *node.Node) {
	r.seen++
	place := n
	n = r.mapping(n, "an operation")
	if n == nil {
		return
	}
	l := r.layered(n, "an operation trait")
	id := l.get("operationId")
	name := words(a, c.base.Address)
	if s := text(id); s != "" {
		name = r.unused(s, id.Span(), true)
	} else {
		name = r.unused(name, place.Span(), false)
	}
	o := r.operation(name, a, place, l, c, r.message2(l.get("message")))
	o.Doc.Detail = paragraphs(o.Doc.Detail, "AsyncAPI 2 writes this as "+verb+": the application of the document "+a.String()+"s it.")
}

// message2 reads the message, or the alternatives, of an operation of version 2.
func (r *reader) message2(n *node.Node) *contract.Message {
	target := r.follow(n)
	alternatives := target.Get("oneOf")
	if alternatives == nil {
		if n == nil {
			return nil
		}
		return r.message("", n)
	}
	var all []*contract.Message
	for item := range alternatives.Items() {
		if m := r.message("", item); m != nil {
			all = append(all, m)
		}
	}
	return r.oneOf(all, alternatives.Span())
}

// missing warns about a document that promises types, but nothing to send or receive.
func (r *reader) missing() {
	if r.seen > 0 {
		return
	}
	at := r.root.Span()
	why := "the document has no operations; only its types are read"
	if n := r.root.Get("channels"); n.Len() > 0 {
		at = n.Span()
		why = "no operation uses these channels; only the document's types are read"
	}
	d := r.diags.Warnf("no-operations", at, "%s", why)
	d.Help = "add operations that say what the application sends and receives"
}

// stopped says whether the caller has given up, and reports that once.
func (r *reader) stopped() bool {
	if r.ctx.Err() == nil {
		return false
	}
	r.diags.Errorf("cancelled", r.root.Span(), "reading was cut short: %v", r.ctx.Err())
	return true
}
