package asyncapi

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// An action is what the document's application does.
type action uint8

const (
	send action = iota + 1
	receive
)

func (a action) String() string { return [...]string{"", "send", "receive"}[a] }

func (a action) kind() contract.Kind {
	return [...]contract.Kind{0, contract.Send, contract.Receive}[a]
}

// operation makes an operation out of what both versions have in common, and adds it to
// the service of its action. n is where it was written.
func (r *reader) operation(name string, a action, n *node.Node, l layers, c *channel, m *contract.Message) *contract.Operation {
	bindings := append(r.bindings("operation", l), r.messageBindings(m)...)
	o := &contract.Operation{Name: name, Kind: a.kind(), Doc: r.doc(l), Tags: r.tags(l.get("tags")),
		In: m, Span: n.Span(), Wire: c.on(bindings, r.deadLetters(l)),
		Security: r.secured(l.get("security"), name, c.servers)}
	if o.Doc.Summary == "" && o.Doc.Detail == "" {
		deprecated := o.Doc.Deprecated
		o.Doc = r.doc(layers{c.node})
		o.Doc.Deprecated = cmp.Or(deprecated, o.Doc.Deprecated)
	}
	if m == nil {
		r.diags.Warnf("no-message", n.Span(), "the operation %s carries no message; what it sends is empty", strconv.Quote(name))
	}
	s := r.send
	if a == receive {
		s = r.receive
	}
	s.Operations = append(s.Operations, o)
	return o
}

// messageBindings returns what the messages of an operation say for single protocols.
func (r *reader) messageBindings(m *contract.Message) []*contract.Binding {
	if m == nil {
		return nil
	}
	var out []*contract.Binding
	for _, one := range append([]*contract.Message{m}, m.OneOf...) {
		out = append(out, r.bound[one]...)
	}
	return out
}

// unused returns a name that no operation has: name itself, or with the first number that
// makes it one. told says whether a repetition is the document's fault.
func (r *reader) unused(name string, at contract.Span, told bool) string {
	first, taken := r.names[name]
	if !taken {
		r.names[name] = at
		return name
	}
	other := name
	for i := 2; taken; i++ {
		other = name + "-" + strconv.Itoa(i)
		_, taken = r.names[other]
	}
	r.names[other] = at
	if told {
		d := r.diags.Errorf("duplicate-operation", at, "another operation is called %s, too; this one becomes %s", strconv.Quote(name), other)
		d.Related = []diag.Related{{Span: first, Message: "the first one"}}
	}
	return other
}

// words makes a name out of an action and an address: "send-comment-liked".
func words(a action, address string) string {
	parts := strings.FieldsFunc(address, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	return strings.Join(append([]string{a.String()}, parts...), "-")
}
