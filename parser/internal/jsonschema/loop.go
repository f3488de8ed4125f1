package jsonschema

import (
	"slices"
	"strconv"

	"github.com/concordat-dev/concordat/contract"
)

// breakLoops finds types that contain themselves without a list, map or object between:
// no value could ever be written. The step that closes the circle is taken out.
func (r *Reader) breakLoops() {
	state := map[*contract.Type]int8{} // 1 while a type's alternatives are walked, then 2
	for _, t := range r.made {
		r.breakLoop(t, state)
	}
}

const (
	walking int8 = iota + 1
	walked
)

// breakLoop walks from t along references and unions with a stack of its own, since
// chains of references may be as long as a document.
func (r *Reader) breakLoop(t *contract.Type, state map[*contract.Type]int8) {
	type step struct {
		typ  *contract.Type
		next []*contract.Type
	}
	if state[t] != 0 {
		return
	}
	stack := []step{{t, direct(t.Schema)}}
	state[t] = walking
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.next) == 0 {
			state[top.typ] = walked
			stack = stack[:len(stack)-1]
			continue
		}
		next := top.next[0]
		top.next = top.next[1:]
		switch state[next] {
		case walking:
			r.cut(top.typ, next)
		case 0:
			state[next] = walking
			stack = append(stack, step{next, direct(next.Schema)})
		}
	}
}

// direct returns the types that a value of s may be without being inside anything.
func direct(s contract.Schema) []*contract.Type {
	switch s := s.(type) {
	case *contract.Ref:
		return []*contract.Type{s.Type}
	case *contract.Union:
		var all []*contract.Type
		for _, x := range s.Variants {
			all = append(all, direct(x.Schema)...)
		}
		return all
	}
	return nil
}

// cut removes the way from t to target.
func (r *Reader) cut(t, target *contract.Type) {
	d := r.diags.Errorf("reference-loop", t.Span, "the schema %s leads only to itself, by way of %s",
		strconv.Quote(t.Name), strconv.Quote(target.Name))
	if t == target {
		d.Message = "the schema " + strconv.Quote(t.Name) + " is one of its own alternatives"
	}
	t.Schema = without(t.Schema, target)
}

func without(s contract.Schema, target *contract.Type) contract.Schema {
	switch s := s.(type) {
	case *contract.Ref:
		if s.Type == target {
			return &contract.Any{Reason: "it leads only to itself"}
		}
	case *contract.Union:
		s.Variants = slices.DeleteFunc(s.Variants, func(x *contract.Variant) bool {
			ref, ok := x.Schema.(*contract.Ref)
			return ok && ref.Type == target
		})
		for _, x := range s.Variants {
			x.Schema = without(x.Schema, target)
		}
		if len(s.Variants) == 0 {
			return &contract.Any{Reason: "it leads only to itself"}
		}
	}
	return s
}

// longChain is how many types may in turn be only a reference to the next: well below
// where contract.Resolve gives up.
const longChain = 50

// shorten lets types at the head of long chains of references refer to their ends.
func (r *Reader) shorten() {
	type end struct {
		typ   *contract.Type
		steps int
	}
	ends := map[*contract.Type]end{}
	for _, t := range r.made {
		var chain []*contract.Type
		for ends[t].typ == nil {
			ref, ok := t.Schema.(*contract.Ref)
			if !ok {
				ends[t] = end{t, 0}
				break
			}
			chain = append(chain, t)
			t = ref.Type
		}
		e := ends[t]
		for _, link := range slices.Backward(chain) {
			if e.steps++; e.steps > longChain {
				link.Schema = &contract.Ref{Type: e.typ}
				e.steps = 1
			}
			ends[link] = e
		}
	}
}
