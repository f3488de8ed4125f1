package route

import (
	"slices"
	"strings"
)

// Lookup returns what Add put at method and path, and the values of the template's
// parameters in their order, unescaped, in the memory of params. path is the request's
// escaped path (URL.EscapedPath), so that %2F within a parameter does not end it. HEAD
// finds GET where nothing was added for HEAD. A path that differs from a template only in
// its last "/" finds it where no template fits exactly. A parameter is never empty. In one
// that spans segments, "/" divides them and %2F stays as it is, to be told from that.
//
// With room in params and no percent sign in path it does not allocate.
func (m *Mux[V]) Lookup(method, path string, params []string) (v V, values []string, ok bool) {
	w := walk[V]{method: method}
	escaped := strings.IndexByte(path, '%') >= 0
	if escaped {
		path = normal(path)
	}
	e, values := w.find(&m.root, path, params[:0])
	if e == nil {
		e, values = w.find(&m.root, otherSlash(path), params[:0])
	}
	if e == nil {
		return v, nil, false
	}
	if escaped {
		for i := range values {
			if e.rest && i == len(values)-1 {
				values[i] = strings.ReplaceAll(values[i], "%25", "%")
			} else {
				values[i] = plain(values[i])
			}
		}
	}
	return e.value, values, true
}

// Allowed returns the methods that path has, sorted, HEAD beside GET; none where no
// template fits.
func (m *Mux[V]) Allowed(path string) []string {
	var w walk[V]
	path = normal(path)
	w.find(&m.root, path, nil)
	if w.seen == nil {
		w.find(&m.root, otherSlash(path), nil)
	}
	if slices.Contains(w.seen, "GET") {
		w.seen = append(w.seen, "HEAD")
	}
	slices.Sort(w.seen)
	return slices.Compact(w.seen)
}

// maxSteps bounds how many places for the literals behind parameters one lookup tries,
// since a long path full of them would otherwise cost more than its length.
const maxSteps = 4096

// A walk is one search. Without a method it finds nothing and notes the methods it sees.
type walk[V any] struct {
	method string
	seen   []string
	steps  int
}

// find searches below n, where path is what is left. It calls itself only where a literal
// and a parameter both fit.
func (w *walk[V]) find(n *node[V], path string, values []string) (*entry[V], []string) {
	for path != "" {
		if n.rest != nil {
			return w.spanning(n, path, values)
		}
		child := n.child(path)
		if n.param == nil {
			if child == nil {
				return nil, nil
			}
			n, path = child, path[len(child.text):]
			continue
		}
		if child != nil {
			if e, v := w.find(child, path[len(child.text):], values); e != nil {
				return e, v
			}
		}
		end := segment(path)
		if end == 0 {
			return nil, nil
		}
		if n.param.tails {
			if e, v := w.within(n.param, path, end, values); e != nil {
				return e, v
			}
		}
		n, path, values = n.param, path[end:], append(values, path[:end])
	}
	return w.at(n), values
}

// spanning is find where a parameter that spans segments may follow: last, since it fits
// everything.
func (w *walk[V]) spanning(n *node[V], path string, values []string) (*entry[V], []string) {
	others := *n
	others.rest = nil
	if e, v := w.find(&others, path, values); e != nil {
		return e, v
	}
	last := strings.LastIndexByte(path, '/') + 1
	for i := max(last, 1); i < len(path) && w.steps < maxSteps; i++ {
		w.steps++
		if child := n.rest.child(path[i:]); child != nil {
			if e, v := w.find(child, path[i+len(child.text):], append(values, path[:i])); e != nil {
				return e, v
			}
		}
	}
	return w.at(n.rest), append(values, path)
}

// segment returns where the first segment of path ends. Segments are short, so that a
// plain loop beats a call.
func segment(path string) int {
	for i := range len(path) {
		if path[i] == '/' {
			return i
		}
	}
	return len(path)
}

// child returns the literal below n that path begins with.
func (n *node[V]) child(path string) *node[V] {
	for i := range len(n.first) {
		if n.first[i] != path[0] {
			continue
		}
		child := n.next[i]
		if len(path) < len(child.text) || path[:len(child.text)] != child.text {
			return nil
		}
		return child
	}
	return nil
}

// within looks for a literal inside the segment that the parameter n begins, the shortest
// value first.
func (w *walk[V]) within(n *node[V], path string, end int, values []string) (*entry[V], []string) {
	for i := 1; i < end && w.steps < maxSteps; i++ {
		if slices.Index(n.first, path[i]) < 0 {
			continue
		}
		w.steps++
		child := n.child(path[i:])
		if child == nil {
			continue
		}
		if e, v := w.find(child, path[i+len(child.text):], append(values, path[:i])); e != nil {
			return e, v
		}
	}
	return nil, nil
}

func (w *walk[V]) at(n *node[V]) *entry[V] {
	if w.method == "" {
		for i := range n.routes {
			w.seen = append(w.seen, n.routes[i].method)
		}
		return nil
	}
	var get *entry[V]
	for i := range n.routes {
		switch e := &n.routes[i]; e.method {
		case w.method:
			return e
		case "GET":
			get = e
		}
	}
	if w.method == "HEAD" {
		return get
	}
	return nil
}

func otherSlash(path string) string {
	if strings.HasSuffix(path, "/") {
		return path[:len(path)-1]
	}
	return path + "/"
}
