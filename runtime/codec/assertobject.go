package codec

import (
	"maps"
	"slices"
	"strconv"
)

func (a *asserter) object(s *schema, v map[string]any, e *evaluated) bool {
	ok := a.count(len(v), s.MinProperties, s.MaxProperties, CodeMinItems, CodeMaxItems, "properties")
	ok = a.required(v, s.Required, "is required") && ok
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if s.PropertyNames != nil {
			if !a.tries(s.PropertyNames, name, nil) {
				ok = a.fault(CodeUnknown, "has a name that the contract does not allow", name)
			}
		}
		ok = a.property(s, name, v[name], e) && ok
		if more := s.DependentRequired[name]; more != nil {
			ok = a.required(v, more, "is required beside "+name) && ok
		}
		if more := s.DependentSchemas[name]; more != nil {
			ok = a.holds(more, v, e) && ok
		}
	}
	return ok
}

func (a *asserter) required(v map[string]any, names []string, message string) bool {
	ok := true
	for _, name := range names {
		if _, there := v[name]; !there {
			ok = a.fault(CodeRequired, message, name)
		}
	}
	return ok
}

func (a *asserter) property(s *schema, name string, v any, e *evaluated) bool {
	ok, known := true, false
	if of := s.Properties[name]; of != nil {
		known = true
		ok = a.below(name, of, v)
	}
	for _, p := range s.patterns {
		if p.re.MatchString(name) {
			known = true
			ok = a.below(name, p.of, v) && ok
		}
	}
	if !known && s.AdditionalProperties != nil {
		known = true
		ok = a.below(name, s.AdditionalProperties, v) && ok
	}
	if known {
		e.name(name)
	}
	return ok
}

// others checks the schemas that s combines. Each of them learns for itself what it looks
// at, since what fails has looked at nothing.
func (a *asserter) others(s *schema, v any, e *evaluated) bool {
	ok := true
	if s.target != nil {
		ok = a.holds(s.target, v, e)
	}
	for _, one := range s.AllOf {
		ok = a.holds(one, v, e) && ok
	}
	ok = a.alternatives(s, v, e) && ok
	if s.Not != nil && a.tries(s.Not, v, nil) {
		ok = a.fault(CodeNot, "must not be what the contract rules out")
	}
	if s.If == nil {
		return ok
	}
	seen := e.again()
	next := s.Else
	if a.tries(s.If, v, seen) {
		e.add(seen)
		next = s.Then
	}
	if next != nil {
		ok = a.holds(next, v, e) && ok
	}
	return ok
}

func (a *asserter) alternatives(s *schema, v any, e *evaluated) bool {
	ok := true
	if n := a.fitting(s.AnyOf, v, e); len(s.AnyOf) > 0 && n == 0 {
		ok = a.unfit(s.AnyOf, v)
	}
	switch n := a.fitting(s.OneOf, v, e); {
	case len(s.OneOf) == 0 || n == 1:
	case n == 0:
		ok = a.unfit(s.OneOf, v)
	default:
		ok = a.fault(CodeUnion, "must be one of the alternatives, not "+strconv.Itoa(n)+" at once")
	}
	return ok
}

// unfit says that no alternative fits; where they all only ask for properties, which.
func (a *asserter) unfit(of []*schema, v any) bool {
	if o, ok := v.(map[string]any); ok {
		missing := map[string]bool{}
		for _, s := range of {
			for _, name := range s.Required {
				if _, there := o[name]; !there {
					missing[name] = true
				}
			}
		}
		if len(missing) > 0 {
			return a.fault(CodeUnion, "must have more properties: one of the alternatives of "+joined(slices.Sorted(maps.Keys(missing))))
		}
	}
	return a.fault(CodeUnion, "must be one of the alternatives that the contract lists")
}

func joined(names []string) string {
	out := ""
	for i, n := range names {
		if i == 5 {
			return out + ", ..."
		}
		if i > 0 {
			out += ", "
		}
		out += n
	}
	return out
}

func (a *asserter) fitting(of []*schema, v any, e *evaluated) (n int) {
	for _, one := range of {
		seen := e.again()
		if a.tries(one, v, seen) {
			e.add(seen)
			n++
		}
	}
	return n
}

// rest checks what nobody has looked at.
func (a *asserter) rest(s *schema, v any, e *evaluated) bool {
	ok := true
	switch v := v.(type) {
	case []any:
		if s.UnevaluatedItems == nil {
			return true
		}
		for i, item := range v {
			if !e.items[i] {
				ok = a.below(strconv.Itoa(i), s.UnevaluatedItems, item) && ok
				e.item(i)
			}
		}
	case map[string]any:
		if s.UnevaluatedProperties == nil {
			return true
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !e.names[name] {
				ok = a.below(name, s.UnevaluatedProperties, v[name]) && ok
				e.name(name)
			}
		}
	}
	return ok
}
