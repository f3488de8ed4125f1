package param

import (
	"strconv"
	"strings"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

func itoa(i int) string { return strconv.Itoa(i) }

// ParseQuery reads the Query parameters of ps from the query as it stands in the URL,
// without the question mark. Names that ps does not hold are ignored.
func ParseQuery(ps []Param, raw string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
	r := reading{ps: ps, in: Query, base: base, m: m, e: e}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		r.pair(pair)
	}
	r.finish()
}

// ParseCookie reads the Cookie parameters of ps from the values of the Cookie headers.
func ParseCookie(ps []Param, lines []string, base unsafe.Pointer, m codec.Mode, e *codec.Error) {
	r := reading{ps: ps, in: Cookie, base: base, m: m, e: e}
	for _, line := range lines {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			if pair = strings.Trim(pair, " \t"); len(pair) > 0 {
				r.pair(pair)
			}
		}
	}
	r.finish()
}

// pair reads one name=value.
func (r *reading) pair(pair string) {
	name, raw, _ := strings.Cut(pair, "=")
	if name == "" {
		return
	}
	if r.in == Cookie && len(raw) > 1 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	name, ok := unescape(name, r.in == Query)
	if !ok {
		return // the name of nothing that is known
	}
	open := strings.IndexByte(name, '[')
	for i := range r.ps {
		p := &r.ps[i]
		if p.In != r.in {
			continue
		}
		if p.style() == DeepObject {
			if open > 0 && p.Name == name[:open] {
				r.deep(i, p, name[open:], raw)
				return
			}
			continue
		}
		if p.Name == name {
			r.named(i, p, raw)
			return
		}
	}
	r.property(name, raw)
}

// named reads the value of a parameter that has its own name in the query.
func (r *reading) named(i int, p *Param, raw string) {
	k, tab := p.fieldKind()
	again := r.saw(i)
	r.see(i)
	if k == codec.Slice && p.style() != JSON {
		var v unsafe.Pointer
		if f := p.field(); again {
			if v, again = f.Value(r.base); !again {
				return
			}
		} else {
			v = f.New(r.base)
			tab.Reset(v)
		}
		if p.Explode {
			if raw != "" || tab.Elem.Kind == codec.String {
				r.item(p, tab, v, decoded(raw, escaped, r, p))
			}
			return
		}
		r.items(p, tab, v, raw, p.separator(false), escaped)
		r.check(p, v)
		return
	}
	if k == codec.Tuple && p.Explode && p.style() != JSON {
		n := r.treeOf(i)
		n.texts = append(n.texts, decoded(raw, escaped, r, p))
		return
	}
	if again {
		r.violate(p, codec.CodeDuplicate, "must not be there twice")
		return
	}
	if (k == codec.Object || k == codec.Map) && p.Explode && p.style() != JSON {
		r.see(i) // a property that happens to have the parameter's name
		r.part(i, p.Name, decoded(raw, escaped, r, p))
		return
	}
	r.one(p, raw, escaped)
}

func (r *reading) treeOf(i int) *tree {
	if r.trees == nil {
		r.trees = make([]*tree, len(r.ps))
	}
	if r.trees[i] == nil {
		r.trees[i] = &tree{}
	}
	r.see(i)
	return r.trees[i]
}

func (r *reading) part(i int, name, value string) {
	n := r.treeOf(i).at(name)
	n.texts = append(n.texts, value)
}

func (r *reading) deep(i int, p *Param, path, raw string) {
	if !r.treeOf(i).deep(path, decoded(raw, escaped, r, p)) {
		r.violate(p, codec.CodeSyntax, "must be written like name[property]=value")
	}
}

// property gives a name that is no parameter to the exploded object that has it.
func (r *reading) property(name, raw string) {
	for i := range r.ps {
		p := &r.ps[i]
		if p.In != r.in || !p.Explode || p.style() == DeepObject || p.style() == JSON {
			continue
		}
		k, tab := p.fieldKind()
		if k == codec.Map || k == codec.Object && (tab.Extra != nil || tab.Find(name) >= 0) {
			r.part(i, name, decoded(raw, escaped, r, p))
			return
		}
	}
}
