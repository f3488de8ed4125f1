package codec

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// A violation is one before its pointer is known: only its offset is, which costs
// nothing while all goes well.
type violation struct {
	at    int
	code  Code
	name  string // property below what is at the offset
	has   bool   // name counts
	msg   string
	below string // pointer from what is at the offset; "" for that itself
}

// pointers finds out in which property each violation lies, in one walk over the text.
func pointers(s string, vs []violation) []Violation {
	slices.SortStableFunc(vs, func(a, b violation) int { return a.at - b.at })
	var w walk
	out := make([]Violation, len(vs))
	for i, v := range vs {
		w.to(s, v.at)
		p := w.pointer()
		if v.has {
			p += "/" + Escape(v.name)
		}
		p += v.below
		out[i] = Violation{Pointer: p, Code: v.code, Message: v.msg, Offset: v.at}
	}
	return out
}

// Escape returns a property's name as a token of a JSON pointer (RFC 6901).
func Escape(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// walk is a position in a text and the containers that are open there. It does not mind
// if the text is broken behind that position.
type walk struct {
	pos   int
	stack []container
}

type container struct {
	array bool
	index int
	key   string // with its quotes; "" before it was read
}

func (w *walk) to(s string, at int) {
	for at = min(at, len(s)); w.pos < at; {
		top := (*container)(nil)
		if n := len(w.stack); n > 0 {
			top = &w.stack[n-1]
		}
		c := s[w.pos]
		switch c {
		case '"':
			end := stringEnd(s, w.pos)
			if end > at {
				return
			}
			if top != nil && !top.array && top.key == "" {
				top.key = s[w.pos:end]
			}
			w.pos = end
			continue
		case '{', '[':
			w.stack = append(w.stack, container{array: c == '['})
		case '}', ']':
			if top != nil {
				w.stack = w.stack[:len(w.stack)-1]
			}
		case ',':
			if top != nil {
				top.index++
				top.key = ""
			}
		}
		w.pos++
	}
}

// stringEnd returns the position after the string that begins at i.
func stringEnd(s string, i int) int {
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func (w *walk) pointer() string {
	var sb strings.Builder
	for _, c := range w.stack {
		if c.array {
			sb.WriteString("/" + strconv.Itoa(c.index))
		} else if c.key != "" {
			var name string
			if json.Unmarshal([]byte(c.key), &name) != nil {
				name = "?"
			}
			sb.WriteString("/" + Escape(name))
		}
	}
	return sb.String()
}
