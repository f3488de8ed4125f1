package openapidoc

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/concordat-dev/concordat/contract"
)

// A route is a path in OpenAPI's terms.
type route struct {
	path   string
	params []any
	taken  map[string]bool // fields that the path fills, by their names in the file
}

func (e *emitter) route(r *contract.Route, m protoreflect.MethodDescriptor) (*route, error) {
	segments, verb, err := r.Segments()
	if err != nil {
		return nil, err
	}
	out := &route{taken: map[string]bool{}}
	alone := map[string]int{} // how many segments a field has
	for _, s := range segments {
		alone[s.Field]++
	}
	var b strings.Builder
	used := map[string]bool{}
	before := ""
	for _, s := range segments {
		b.WriteByte('/')
		if s.Field != "" {
			out.taken[s.Field] = true
		}
		if s.Text != "" {
			b.WriteString(s.Text)
			before = s.Text
			continue
		}
		name := s.Field
		if name == "" || alone[s.Field] > 1 {
			name = singular(before)
		}
		name = unique(name, used)
		b.WriteString("{" + name + "}")
		out.params = append(out.params, e.pathParam(name, s, alone[s.Field] == 1, m))
	}
	if verb != "" {
		b.WriteString(":" + verb)
	}
	out.path = b.String()
	return out, nil
}

func (e *emitter) pathParam(name string, s contract.Segment, whole bool, m protoreflect.MethodDescriptor) *dict {
	schema, about := typed("string"), ""
	if s.Field != "" && whole {
		if fd := find(m.Input(), s.Field); fd != nil && !s.Rest {
			schema = e.single(fd)
			about = comment(fd)
		}
	} else if s.Field != "" {
		about = "A part of " + s.Field + "."
	}
	if s.Rest {
		about = strings.TrimSpace(about + " It may hold slashes, as %2F.")
	}
	return new(dict).add("name", name).add("in", "path").add("required", true).add("description", about).add("schema", schema)
}

// find returns the field at a path of names.
func find(md protoreflect.MessageDescriptor, path string) protoreflect.FieldDescriptor {
	var fd protoreflect.FieldDescriptor
	for name := range strings.SplitSeq(path, ".") {
		if md == nil {
			return nil
		}
		if fd = md.Fields().ByName(protoreflect.Name(name)); fd == nil {
			return nil
		}
		md = fd.Message()
	}
	return fd
}

// singular makes the name of one of many: "shelves" gives shelf, "books" book.
func singular(s string) string {
	s = strings.NewReplacer("-", "_", ".", "_").Replace(s)
	for _, r := range [...][2]string{{"elves", "elf"}, {"ies", "y"}, {"sses", "ss"}, {"ches", "ch"}, {"xes", "x"}, {"ss", "ss"}, {"s", ""}} {
		if stem, ok := strings.CutSuffix(s, r[0]); ok && stem != "" {
			return stem + r[1]
		}
	}
	if s == "" {
		return "id"
	}
	return s
}

func unique(name string, used map[string]bool) string {
	for n := 2; used[name]; n++ {
		name = fmt.Sprintf("%s_%d", strings.TrimRight(name, "_0123456789"), n)
	}
	used[name] = true
	return name
}

// query are the parameters of fields that neither path nor body carries.
func (e *emitter) query(m protoreflect.MethodDescriptor, r *contract.Route, rt *route) []any {
	if r.Body == "*" {
		return nil
	}
	var out []any
	e.queryFields(m.Input(), "", "", map[protoreflect.FullName]bool{}, func(name, path string, fd protoreflect.FieldDescriptor) {
		if rt.taken[path] || path == r.Body {
			return
		}
		p := new(dict).add("name", name).add("in", "query").add("description", comment(fd))
		out = append(out, p.add("schema", e.field(fd)))
	}, r.Body)
	return out
}

// queryFields visits everything below md that a query parameter can name: no map, no list
// of messages, and no message within itself.
func (e *emitter) queryFields(md protoreflect.MessageDescriptor, name, path string, above map[protoreflect.FullName]bool, visit func(name, path string, fd protoreflect.FieldDescriptor), body string) {
	above[md.FullName()] = true
	defer delete(above, md.FullName())
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		field, at := name+fd.JSONName(), path+string(fd.Name())
		switch {
		case fd.IsMap(), at == body:
		case fd.Message() == nil || plain(fd.Message()) && !shapeless(fd.Message()):
			visit(field, at, fd)
		case fd.IsList() || above[fd.Message().FullName()] || known(fd.Message()):
		default:
			e.queryFields(fd.Message(), field+".", at+".", above, visit, body)
		}
	}
}
