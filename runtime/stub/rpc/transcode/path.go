package transcode

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// A route is a compiled rule.
type route struct {
	template string // of the server's router: "/v1/shelves/{0}/books/{1}:archive"
	vars     []variable
	whole    bool                         // the body is the whole request
	body     protoreflect.FieldDescriptor // the body is this field; nil: none, or all
	reply    protoreflect.FieldDescriptor // the body of the reply; nil: all of it
	taken    map[string]bool              // fields that path and body fill, by their names in the file
}

// A variable is a field that the path fills: literal text and values of the template.
type variable struct {
	field  field
	pieces []piece
}

// A piece of a variable's value is text, or the value of the template's parameter at.
type piece struct {
	text string
	at   int // -1: text
	rest bool
}

// value joins the pieces. A slash inside of one segment stays escaped where there are
// several, as google/api/http.proto has it, since it would divide them otherwise.
func (v *variable) value(path []string) string {
	if len(v.pieces) == 1 && v.pieces[0].at >= 0 {
		return path[v.pieces[0].at]
	}
	var b strings.Builder
	for _, p := range v.pieces {
		switch {
		case p.at < 0:
			b.WriteString(p.text)
		case p.rest:
			b.WriteString(path[p.at])
		default:
			b.WriteString(strings.ReplaceAll(path[p.at], "/", "%2F"))
		}
	}
	return b.String()
}

// compile resolves what rule names within its messages.
func compile(rule Rule, in, out protoreflect.MessageDescriptor) (*route, error) {
	r := &route{taken: map[string]bool{}, whole: rule.Body == "*"}
	p := pathParser{}
	if err := p.parse(rule.Path); err != nil {
		return nil, err
	}
	r.template = p.out.String()
	for i, name := range p.names {
		f, err := resolve(in, name)
		if err != nil {
			return nil, err
		}
		r.vars = append(r.vars, variable{f, p.pieces[i]})
		r.taken[f.name()] = true
	}
	if rule.Body != "" && !r.whole {
		if r.body = in.Fields().ByName(protoreflect.Name(rule.Body)); r.body == nil {
			return nil, fmt.Errorf("%s has no field %s for the body", in.FullName(), rule.Body)
		}
		r.taken[rule.Body] = true
	}
	if rule.Reply != "" {
		if r.reply = out.Fields().ByName(protoreflect.Name(rule.Reply)); r.reply == nil {
			return nil, fmt.Errorf("%s has no field %s for the body", out.FullName(), rule.Reply)
		}
	}
	return r, nil
}

// A pathParser reads the grammar of google/api/http.proto:
//
//	Template = "/" Segments [ ":" LITERAL ]
//	Segments = Segment { "/" Segment }
//	Segment  = "*" | "**" | LITERAL | "{" FieldPath [ "=" Segments ] "}"
type pathParser struct {
	out    strings.Builder
	n      int // values so far
	spans  bool
	names  []string
	pieces [][]piece
}

func (p *pathParser) parse(path string) error {
	if !strings.HasPrefix(path, "/") {
		return errors.New("a path begins with /")
	}
	path, verb := cutVerb(path)
	for rest := path[1:]; ; {
		segment, after, more := cutSegment(rest)
		p.out.WriteByte('/')
		if p.spans {
			return errors.New("nothing may follow **")
		}
		if err := p.segment(segment); err != nil {
			return err
		}
		if !more {
			break
		}
		rest = after
	}
	p.out.WriteString(verb)
	return nil
}

// cutVerb takes ":archive" off the end.
func cutVerb(path string) (before, verb string) {
	i := strings.LastIndexByte(path, ':')
	if i < 0 || i < strings.LastIndexByte(path, '}') || i < strings.LastIndexByte(path, '/') {
		return path, ""
	}
	return path[:i], path[i:]
}

// cutSegment cuts at the first slash outside of braces.
func cutSegment(s string) (segment, after string, more bool) {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			depth--
		case '/':
			if depth == 0 {
				return s[:i], s[i+1:], true
			}
		}
	}
	return s, "", false
}

func (p *pathParser) segment(s string) error {
	if !strings.HasPrefix(s, "{") {
		if strings.ContainsAny(s, "{}") {
			return fmt.Errorf("%q: a variable is a whole segment", s)
		}
		_, err := p.plain(s)
		return err
	}
	inner, ok := strings.CutSuffix(s[1:], "}")
	name, segments, given := strings.Cut(inner, "=")
	if !ok || name == "" || strings.ContainsAny(inner, "{}") {
		return fmt.Errorf("%q: a variable is {field} or {field=segments}", s)
	}
	if !given {
		segments = "*"
	}
	var pieces []piece
	for i, part := range strings.Split(segments, "/") {
		if i > 0 {
			p.out.WriteByte('/')
			pieces = append(pieces, piece{text: "/", at: -1})
		}
		if p.spans {
			return errors.New("nothing may follow **")
		}
		one, err := p.plain(part)
		if err != nil {
			return err
		}
		pieces = append(pieces, one)
	}
	p.names, p.pieces = append(p.names, name), append(p.pieces, pieces)
	return nil
}

// plain writes a segment that is no variable.
func (p *pathParser) plain(s string) (piece, error) {
	switch s {
	case "":
		return piece{}, errors.New("a segment is empty")
	case "*", "**":
		one := piece{at: p.n, rest: s == "**"}
		sign := ""
		if one.rest {
			sign, p.spans = "+", true
		}
		p.out.WriteString("{" + sign + strconv.Itoa(p.n) + "}")
		p.n++
		return one, nil
	}
	if strings.Contains(s, "*") {
		return piece{}, fmt.Errorf("%q: * is a whole segment", s)
	}
	p.out.WriteString(s)
	return piece{text: s, at: -1}, nil
}
