package codec

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// also holds the text of a value, from pos to end, against what the contract says beyond
// the table; false says that reading should stop.
func (d *dec) also(r *Rule, pos, end int) bool {
	pos = d.space(pos)
	more := true
	r.Also.Assert(d.s[pos:end], func(pointer string, c Code, message string) bool {
		d.vio = append(d.vio, violation{at: pos, code: c, below: pointer, msg: message})
		more = len(d.vio) < MaxViolations
		return more
	})
	return more
}

// An asserter holds one value against a schema.
type asserter struct {
	root    *schema
	work    int // steps that are left
	quiet   int // inside what is only tried
	path    []string
	report  func(pointer string, c Code, message string) bool
	stopped bool
}

// evaluated is which parts of one object or array a schema has looked at (JSON Schema
// 2020-12, core, 11); nil where nobody asks.
type evaluated struct {
	names map[string]bool
	items map[int]bool
}

func (e *evaluated) name(n string) {
	if e != nil {
		e.names[n] = true
	}
}

func (e *evaluated) item(i int) {
	if e != nil {
		e.items[i] = true
	}
}

func (e *evaluated) add(o *evaluated) {
	if e == nil || o == nil {
		return
	}
	for n := range o.names {
		e.names[n] = true
	}
	for i := range o.items {
		e.items[i] = true
	}
}

func noted() *evaluated { return &evaluated{map[string]bool{}, map[int]bool{}} }

// again is a new record where e is one.
func (e *evaluated) again() *evaluated {
	if e == nil {
		return nil
	}
	return noted()
}

// fault reports what is wrong with the value at the path, below which name lies.
func (a *asserter) fault(c Code, message string, name ...string) bool {
	if a.quiet == 0 && !a.stopped {
		var sb strings.Builder
		for _, token := range slices.Concat(a.path, name) {
			sb.WriteString("/" + Escape(token))
		}
		a.stopped = !a.report(sb.String(), c, message)
	}
	return false
}

// tries says whether v is what s says, without telling anybody.
func (a *asserter) tries(s *schema, v any, e *evaluated) bool {
	a.quiet++
	ok := a.holds(s, v, e)
	a.quiet--
	return ok
}

func (a *asserter) below(token string, s *schema, v any) bool {
	a.path = append(a.path, token)
	ok := a.holds(s, v, nil)
	a.path = a.path[:len(a.path)-1]
	return ok
}

// holds says whether v is what s says. e learns what s looked at, where v is as s says.
func (a *asserter) holds(s *schema, v any, e *evaluated) bool {
	if a.work--; a.work < 0 || a.stopped {
		return false
	}
	if s.never {
		return a.fault(CodeUnknown, "must not be there")
	}
	own := e
	if s.UnevaluatedItems != nil || s.UnevaluatedProperties != nil {
		own = noted()
	}
	ok := a.self(s, v)
	switch v := v.(type) {
	case string:
		ok = a.text(s, v) && ok
	case json.Number:
		ok = a.number(s, v) && ok
	case []any:
		ok = a.array(s, v, own) && ok
	case map[string]any:
		ok = a.object(s, v, own) && ok
	}
	ok = a.others(s, v, own) && ok
	ok = a.rest(s, v, own) && ok
	if own != e {
		e.add(own)
	}
	return ok
}

// self checks what needs no look inside.
func (a *asserter) self(s *schema, v any) bool {
	if len(s.Type) > 0 && !slices.ContainsFunc(s.Type, func(t string) bool { return isOf(t, v) }) {
		return a.fault(CodeType, "must be of the type "+strings.Join(s.Type, " or "))
	}
	if s.values == nil && s.constant == "" {
		return true
	}
	text := string(appendCanonical(nil, v))
	if s.constant != "" && s.constant != text {
		return a.fault(CodeConst, "must be "+string(s.Const))
	}
	if s.values == nil || slices.Contains(s.values, text) {
		return true
	}
	list := make([]string, len(s.Enum))
	for i, one := range s.Enum {
		list[i] = string(one)
	}
	return a.fault(CodeEnum, listed(list))
}

func isOf(t string, v any) bool {
	switch v := v.(type) {
	case nil:
		return t == "null"
	case bool:
		return t == "boolean"
	case string:
		return t == "string"
	case json.Number:
		_, _, exp := decimal(nil, v.String())
		return t == "number" || t == "integer" && exp >= 0
	case []any:
		return t == "array"
	}
	return t == "object"
}

func (a *asserter) count(n int, low, high *int, under, over Code, unit string) bool {
	if low != nil && n < *low {
		return a.fault(under, "must have at least "+strconv.Itoa(*low)+" "+unit)
	}
	if high != nil && n > *high {
		return a.fault(over, "must have at most "+strconv.Itoa(*high)+" "+unit)
	}
	return true
}

func (a *asserter) text(s *schema, v string) bool {
	ok := true
	if s.MinLength != nil || s.MaxLength != nil {
		ok = a.count(utf8.RuneCountInString(v), s.MinLength, s.MaxLength, CodeMinLength, CodeMaxLength, "characters")
	}
	if s.pattern != nil && !s.pattern.MatchString(v) {
		return a.fault(CodePattern, "must match "+s.Pattern)
	}
	return ok
}

func (a *asserter) number(s *schema, v json.Number) bool {
	if len(s.limits) == 0 && s.MultipleOf == "" {
		return true
	}
	x, ok := rational(v), true
	if x == nil {
		return a.fault(CodeRange, "is beyond what can be checked")
	}
	for _, l := range s.limits {
		if !l.ok(x.Cmp(l.bound)) {
			ok = a.fault(l.code, l.say)
		}
	}
	if m := rational(s.MultipleOf); m != nil && m.Sign() > 0 && !new(big.Rat).Quo(x, m).IsInt() {
		return a.fault(CodeMultiple, "must be a multiple of "+s.MultipleOf.String())
	}
	return ok
}

func (a *asserter) array(s *schema, v []any, e *evaluated) bool {
	ok := a.count(len(v), s.MinItems, s.MaxItems, CodeMinItems, CodeMaxItems, "items")
	for i, item := range v {
		of := s.Items
		if i < len(s.PrefixItems) {
			of = s.PrefixItems[i]
		}
		if of == nil {
			break
		}
		e.item(i)
		ok = a.below(strconv.Itoa(i), of, item) && ok
	}
	if s.UniqueItems && a.repeats(v) {
		ok = a.fault(CodeUnique, "must not have equal items")
	}
	return a.contains(s, v, e) && ok
}

func (a *asserter) repeats(v []any) bool {
	seen := map[string]bool{}
	for _, item := range v {
		key := string(appendCanonical(nil, item))
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}

func (a *asserter) contains(s *schema, v []any, e *evaluated) bool {
	if s.Contains == nil {
		return true
	}
	n, low := 0, 1
	if s.MinContains != nil {
		low = *s.MinContains
	}
	for i, item := range v {
		if a.tries(s.Contains, item, nil) {
			e.item(i)
			n++
		}
	}
	return a.count(n, &low, s.MaxContains, CodeMinItems, CodeMaxItems, "items of the form that the contract names")
}
