package jsonpath

import (
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// A condition is what a filter asks of a node.
type condition interface {
	holds(e *evaluation, at *node.Node) bool
}

type (
	both   struct{ a, b condition }
	either struct{ a, b condition }
	not    struct{ c condition }
	exists struct{ p *Path }
	test   struct { // match and search
		text, expr operand
		whole      bool
	}
	comparison struct {
		a, b operand
		op   string
	}
)

func (c both) holds(e *evaluation, at *node.Node) bool   { return c.a.holds(e, at) && c.b.holds(e, at) }
func (c either) holds(e *evaluation, at *node.Node) bool { return c.a.holds(e, at) || c.b.holds(e, at) }
func (c not) holds(e *evaluation, at *node.Node) bool    { return !c.c.holds(e, at) }
func (c exists) holds(e *evaluation, at *node.Node) bool { return len(e.walk(c.p, at)) > 0 }

func (c test) holds(e *evaluation, at *node.Node) bool {
	text, expr := c.text.value(e, at), c.expr.value(e, at)
	if text.kind != node.String || expr.kind != node.String {
		return false
	}
	pattern := expr.text
	if c.whole {
		pattern = `\A(?:` + pattern + `)\z`
	}
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(text.text)
}

func (c comparison) holds(e *evaluation, at *node.Node) bool {
	a, b := c.a.value(e, at), c.b.value(e, at)
	switch c.op {
	case "==":
		return same(a, b)
	case "!=":
		return !same(a, b)
	case "<":
		return less(a, b)
	case "<=":
		return less(a, b) || same(a, b)
	case ">":
		return less(b, a)
	}
	return less(b, a) || same(a, b)
}

// A value is what is compared: a scalar, or a list or map by its node. The kind Absent is
// RFC 9535's Nothing.
type value struct {
	kind node.Kind
	text string
	n    *node.Node
}

func valueOf(n *node.Node) value { return value{n.Kind(), n.Text(), n} }

func same(a, b value) bool {
	switch {
	case a.kind != b.kind:
		return false
	case a.kind >= node.List:
		return node.Equal(a.n, b.n)
	case a.kind == node.Number:
		return compare(a, b) == 0
	}
	return a.text == b.text
}

func less(a, b value) bool {
	switch {
	case a.kind != b.kind:
		return false
	case a.kind == node.Number:
		return compare(a, b) < 0
	}
	return a.kind == node.String && a.text < b.text
}

// compare compares numbers exactly; those that are too long to be worth it by their text.
func compare(a, b value) int {
	x, okA := rational(a.text)
	y, okB := rational(b.text)
	if !okA || !okB {
		return strings.Compare(a.text, b.text)
	}
	return x.Cmp(y)
}

func rational(s string) (*big.Rat, bool) {
	if i := strings.IndexAny(s, "eE"); len(s) > 100 || i >= 0 && len(s)-i > 5 {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// An operand is one side of a comparison, or an argument of a function.
type operand interface {
	value(e *evaluation, at *node.Node) value
}

type (
	literal value
	query   struct{ p *Path } // of at most one node
	length  struct{ of operand }
	count   struct{ p *Path }
)

func (l literal) value(*evaluation, *node.Node) value { return value(l) }

func (q query) value(e *evaluation, at *node.Node) value {
	if found := e.walk(q.p, at); len(found) == 1 {
		return valueOf(found[0])
	}
	return value{}
}

func (l length) value(e *evaluation, at *node.Node) value {
	v := l.of.value(e, at)
	switch v.kind {
	case node.String:
		return number(utf8.RuneCountInString(v.text))
	case node.List, node.Map:
		return number(v.n.Len())
	}
	return value{}
}

func (c count) value(e *evaluation, at *node.Node) value { return number(len(e.walk(c.p, at))) }

func number(i int) value { return value{kind: node.Number, text: big.NewInt(int64(i)).String()} }
