package openapi

import (
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// webhooks reads what the document's owner sends to those who subscribed by other means
// (OpenAPI 3.1, and x-webhooks for 3.0), as a service of its own.
func (r *reader) webhooks() {
	s := &contract.Service{Name: r.contract.Name + "Webhooks", Role: "webhooks", Span: r.contract.Span}
	for _, field := range [...]string{"webhooks", "x-webhooks"} {
		list := r.root.Get(field)
		if !node.Expect(r.diags, list, field, node.Map) {
			continue
		}
		for name, item := range list.Entries() {
			if !strings.HasPrefix(name, "x-") && node.Expect(r.diags, item, "a webhook", node.Map) {
				s.Span = list.KeySpan()
				r.within(s, func() { r.place(&place{path: hookPath(name), key: item, hook: name}, item) })
			}
		}
	}
	if len(s.Operations) > 0 {
		r.contract.Services = append(r.contract.Services, s)
	}
}

// within runs f while operations belong to s.
func (r *reader) within(s *contract.Service, f func()) {
	outer := r.service
	r.service = s
	f()
	r.service = outer
}

// hookPath is where a receiver gets a webhook or callback, unless it says otherwise.
func hookPath(name string) string {
	return "/" + strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case strings.ContainsRune("{}?#% \t\r\n\\", c):
			return '-'
		}
		return c
	}, name), "/")
}

// callbacks reads the callbacks of an operation. One that several operations share is one
// operation of the callbacks' service.
func (r *reader) callbacks(op *contract.Operation, list *node.Node) {
	if !node.Expect(r.diags, list, "callbacks", node.Map) {
		return
	}
	for name, n := range list.Entries() {
		if strings.HasPrefix(name, "x-") {
			continue
		}
		at := n.KeySpan()
		if n = r.object(n, "a callback"); n == nil {
			continue
		}
		all, known := r.hooked[n]
		if !known {
			r.hooked[n] = nil // a callback may lead to itself
			all = r.callback(name, n)
			r.hooked[n] = all
		}
		for _, c := range all {
			op.Callbacks = append(op.Callbacks, &contract.Callback{Name: name, URL: c.URL, Operation: c.Operation, Span: at})
		}
	}
}

// callback reads one callback: path items by expressions that say where they are sent.
func (r *reader) callback(name string, n *node.Node) (all []*contract.Callback) {
	if r.hooks == nil {
		r.hooks = &contract.Service{Name: r.contract.Name + "Callbacks", Role: "callbacks", Span: n.KeySpan()}
	}
	several := ""
	for url, item := range n.Entries() {
		if strings.HasPrefix(url, "x-") || !node.Expect(r.diags, item, "a callback's path", node.Map) {
			continue
		}
		if err := checkExpressions(url); err != "" {
			r.diags.Errorf("bad-expression", item.KeySpan(), "%s; the callback %s is left out", err, strconv.Quote(name)).
				Help = "write a URL with runtime expressions in braces, such as {$request.body#/callbackUrl}"
			continue
		}
		first := len(r.hooks.Operations)
		r.within(r.hooks, func() { r.place(&place{path: hookPath(name) + several, key: item, hook: name + several}, item) })
		for _, op := range r.hooks.Operations[first:] {
			all = append(all, &contract.Callback{Name: name, URL: url, Operation: op})
		}
		several = strconv.Itoa(len(all) + 1)
	}
	return all
}

// settleServices adds the callbacks, and leaves out the service of a document that has
// nothing but what it sends.
func (r *reader) settleServices() {
	c := r.contract
	if r.hooks != nil && len(r.hooks.Operations) > 0 {
		c.Services = append(c.Services, r.hooks)
	}
	if len(c.Services) > 1 && len(r.service.Operations) == 0 {
		c.Services = c.Services[1:]
	}
}

// checkExpressions says what is wrong with the runtime expressions in a text; "" for
// nothing (OpenAPI 3.1, 4.8.20.3).
func checkExpressions(text string) string {
	for rest := text; ; {
		_, after, open := strings.Cut(rest, "{")
		if !open {
			return ""
		}
		e, tail, closed := strings.Cut(after, "}")
		if !closed {
			return "the braces of " + strconv.Quote(text) + " do not match"
		}
		if err := checkExpression(e); err != "" {
			return err
		}
		rest = tail
	}
}

// checkExpression is checkExpressions for a single one.
func checkExpression(e string) string {
	what, rest, _ := strings.Cut(strings.TrimPrefix(e, "$"), ".")
	wrong := strconv.Quote(e) + " is no runtime expression"
	switch what {
	case "url", "method", "statusCode":
		if rest != "" || !strings.HasPrefix(e, "$") {
			return wrong
		}
		if what == "url" {
			return "$url is not known to the code that is generated"
		}
		return ""
	case "request", "response":
	default:
		return wrong
	}
	if body, pointer, _ := strings.Cut(rest, "#"); body == "body" {
		if pointer != "" && !strings.HasPrefix(pointer, "/") {
			return wrong + ": a JSON pointer begins with a slash"
		}
		return ""
	}
	place, name, ok := strings.Cut(rest, ".")
	if !ok || name == "" || place != "header" && (what == "response" || place != "path" && place != "query") {
		return wrong
	}
	return ""
}
