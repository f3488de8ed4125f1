package generator

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// findRequests marks what servers read in bodies of requests: there, properties that are
// absent have their defaults. In a patch an absent property stays as it is.
func (p *pass) findRequests() {
	w := walker{seen: map[contract.Schema]bool{}, types: map[*contract.Type]bool{}, union: func(*contract.Union) {}}
	for _, s := range p.c.Services {
		for _, op := range s.Operations {
			wire, ok := op.Wire.(*contract.HTTP)
			if !ok || op.In == nil || strings.EqualFold(wire.Method, http.MethodPatch) {
				continue
			}
			for _, b := range op.In.Bodies {
				w.schema(b.Schema)
			}
		}
	}
	p.requests = w.seen
}

// defaultOf is what a parameter or property is that is absent, as JSON; "" for none. What
// is required is never absent; null says no more than being absent does.
func defaultOf(f *contract.Field, h *held) string {
	if f.Default == nil || f.Required || *f.Default == "null" || h.kind == "Const" || h.kind == "Reader" {
		return ""
	}
	if !json.Valid([]byte(*f.Default)) || !complete(f.Schema, *f.Default) {
		return ""
	}
	return *f.Default
}

// complete says whether an object has what its schema requires. Kubernetes' documents
// give {} as the default of everything, also where it can be none.
func complete(s contract.Schema, text string) bool {
	o, ok := contract.Resolve(s).(*contract.Object)
	if !ok {
		return true
	}
	var has map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &has) != nil {
		return false
	}
	for _, f := range o.Fields {
		value, there := has[f.Name]
		if there && !complete(f.Schema, string(value)) || !there && f.Required {
			return false
		}
	}
	return true
}
