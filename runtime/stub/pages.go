package stub

import (
	"context"
	"iter"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// Pages says how an operation gives its results in pages.
type Pages struct {
	Kind  Paging
	Param string // query parameter that says which page
	Items string // JSON pointers into the reply's body
	Next  string
	More  string
	Total string
	First int64
}

// Paging is a way to divide results into pages.
type Paging uint8

// The ways. Links are those of the Link header (RFC 8288), of which only the query is
// taken, so that a server cannot lead a client elsewhere.
const (
	ByCursor Paging = iota
	ByOffset
	ByPage
	ByLink
)

// All yields the items of all pages, and calls op for a page when it gets there. in says
// where to begin, and is not changed. An error is the last thing that it yields; a server
// that leads in a circle is one.
func All[Item, In, Out any](ctx context.Context, conn *concordat.Conn, op *Op[In, Out], pages *Pages, in *In) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		request := new(In)
		if in != nil {
			*request = *in
		}
		p := &pager{Pages: pages, op: (*operation)(op), in: pointer(request)}
		for {
			out, err := Call(ctx, conn, op, request)
			if err != nil {
				yield(nil, err)
				return
			}
			list, more, err := p.turn(reflect.ValueOf(out).Elem())
			for i := 0; list.IsValid() && i < list.Len(); i++ {
				item, ok := list.Index(i).Addr().Interface().(*Item)
				if !ok {
					item, _ = list.Index(i).Interface().(*Item) // of a list of pointers, some nil
				}
				if item != nil && !yield(item, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// A pager knows where the iteration is. It compares where it goes with one place where it
// was, which it moves up after 1, 2, 4, 8… pages (Brent): so it notices every circle, and
// needs no more memory for a million pages than for one.
type pager struct {
	*Pages
	op *operation
	in pointer

	mark        string
	taken, upTo int
	before      any // the page before, of offsets and numbers
}

// turn looks at a page: its items, and whether there is another, for which it prepares
// the request.
func (p *pager) turn(out reflect.Value) (list reflect.Value, more bool, err error) {
	body := p.body(out)
	list = p.find(body, p.Items)
	if list.IsValid() && list.Kind() != reflect.Slice {
		return reflect.Value{}, false, p.fault("there is no list at %q", p.Items)
	}
	switch p.Kind {
	case ByCursor:
		more, err = p.cursor(written(p.find(body, p.Next)))
	case ByLink:
		more, err = p.link(out)
	default:
		more, err = p.count(list, body)
	}
	return list, more, err
}

// cursor goes on to the page that the reply names, if it does.
func (p *pager) cursor(next string) (bool, error) {
	if next == "" {
		return false, nil
	}
	if next == p.now() {
		return false, p.fault("the server leads in a circle: after the page %q comes the same", clip(next))
	}
	if err := p.visit(next); err != nil {
		return false, err
	}
	return true, p.set(next)
}

// visit notes where the iteration goes, and fails where it was there before.
func (p *pager) visit(next string) error {
	if p.taken > 0 && next == p.mark {
		return p.fault("the server leads in a circle: the page %q was there before", clip(next))
	}
	if p.taken >= p.upTo {
		p.mark, p.upTo = next, 2*p.upTo+1
	}
	p.taken++
	return nil
}

// count goes on to the next offset or number, until a page is empty or the reply says
// that it is the last. A page may be shorter than was asked for without being the last.
func (p *pager) count(list, body reflect.Value) (bool, error) {
	if !list.IsValid() || list.Len() == 0 || p.More != "" && written(p.find(body, p.More)) == "false" {
		return false, nil
	}
	at, err := p.get()
	if err != nil {
		return false, err
	}
	step := int64(1)
	if p.Kind == ByOffset {
		step = int64(list.Len())
	}
	if total, err := strconv.ParseInt(written(p.find(body, p.Total)), 10, 64); err == nil && p.Total != "" && at-p.First+step >= total {
		return false, nil
	}
	page := list.Interface()
	if reflect.DeepEqual(p.before, page) {
		return false, p.fault("the server gives the same page again and again; does it heed %q?", p.Param)
	}
	p.before = page
	return true, p.set(strconv.FormatInt(at+step, 10))
}

// link goes on to where the header Link leads.
func (p *pager) link(out reflect.Value) (bool, error) {
	next := ""
	for i := range p.op.Replies {
		if h := paramOf(p.op.Replies[i].Headers, Header, "Link"); h != nil && !p.op.Replies[i].Failure {
			next = nextLink(written(indirect(fieldAt(out, h.Off))))
		}
	}
	if next == "" {
		return false, nil
	}
	u, err := url.Parse(next)
	if err != nil {
		return false, p.fault("the link to the next page is no URL")
	}
	if err := p.visit(u.RawQuery); err != nil {
		return false, err
	}
	for name := range u.Query() {
		if paramOf(p.op.Params, Query, name) == nil {
			return false, p.fault("the link to the next page has the parameter %q, which the contract does not", clip(name))
		}
	}
	var e codec.Error
	param.ParseQuery(p.op.Params, u.RawQuery, p.in, codec.Request, &e)
	if err := e.Err(); err != nil {
		return false, p.fault("the link to the next page is not what the contract allows: %w", err)
	}
	return true, nil
}

// nextLink is the target of rel="next" in a Link header (RFC 8288, 3); "" for none.
func nextLink(header string) string {
	for {
		_, after, ok := strings.Cut(header, "<")
		if !ok {
			return ""
		}
		target, rest, ok := strings.Cut(after, ">")
		if !ok {
			return ""
		}
		var params string
		params, header = until(',', rest)
		for params != "" {
			var p string
			p, params = until(';', params)
			name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			if !strings.EqualFold(strings.TrimSpace(name), "rel") {
				continue
			}
			for rel := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
				if strings.EqualFold(rel, "next") {
					return target
				}
			}
		}
	}
}

// until cuts s at the first end that stands in no quotes.
func until(end byte, s string) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == end && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// now is the cursor of the request; "" where there is none.
func (p *pager) now() string {
	q := paramOf(p.op.Params, Query, p.Param)
	if q == nil {
		return ""
	}
	f := &codec.Field{T: q.T, R: q.R, Off: q.Off, Kind: q.Kind, Flag: q.Flag}
	at, ok := f.Value(p.in)
	if !ok {
		return ""
	}
	text, _ := f.AppendText(nil, at, codec.Request) // or it could not have been sent
	return string(text)
}

// get is the number in the request's parameter, or the first one.
func (p *pager) get() (int64, error) {
	text := p.now()
	if text == "" {
		return p.First, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, p.fault("the parameter %q holds no number", p.Param)
	}
	return n, nil
}

// set gives the request's parameter a value.
func (p *pager) set(text string) error {
	q := paramOf(p.op.Params, Query, p.Param)
	if q == nil {
		return p.fault("there is no parameter %q", p.Param)
	}
	var e codec.Error
	param.ParseText(text, &codec.Field{T: q.T, R: q.R, Off: q.Off, Kind: q.Kind, Flag: q.Flag}, p.in, codec.Request, "", &e)
	if err := e.Err(); err != nil {
		return p.fault("the next page %q is not what the contract allows: %w", clip(text), err)
	}
	return nil
}

func (p *pager) fault(format string, args ...any) error {
	e := concordat.Errorf(concordat.Internal, format, args...)
	e.Message = p.op.Name + ": " + e.Message
	return e
}

// body is the reply's body: out, or a field of it.
func (p *pager) body(out reflect.Value) reflect.Value {
	for i := range p.op.Replies {
		r := &p.op.Replies[i]
		if r.Failure || r.Media == "" {
			continue
		}
		f := codec.Field{T: r.T, Off: r.Off, Kind: r.Kind, Flag: r.Flag}
		if _, t := f.Resolve(); t != nil && t.Go != nil && r.Off == 0 && reflect.TypeOf(t.Go) == reflect.PointerTo(out.Type()) {
			return out
		}
		return indirect(fieldAt(out, r.Off))
	}
	return reflect.Value{}
}

// fieldAt is the field of a struct at an offset.
func fieldAt(v reflect.Value, off uintptr) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Offset == off {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// find follows a JSON pointer by the tags of structs.
func (p *pager) find(v reflect.Value, pointer string) reflect.Value {
	if pointer == "" {
		return indirect(v)
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if v = indirect(v); !v.IsValid() || v.Kind() != reflect.Struct {
			return reflect.Value{}
		}
		v = tagged(v, unpointer(token))
	}
	return indirect(v)
}

func tagged(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); tag == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// indirect follows pointers, interfaces and optional values; an invalid value where
// nothing is there.
func indirect(v reflect.Value) reflect.Value {
	for v.IsValid() {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			v = v.Elem()
			continue
		case reflect.Struct:
			if get, ok := v.Type().MethodByName("Get"); ok && get.Type.NumIn() == 1 && get.Type.NumOut() == 2 && get.Type.Out(1).Kind() == reflect.Bool {
				got := v.MethodByName("Get").Call(nil)
				if !got[1].Bool() {
					return reflect.Value{}
				}
				v = got[0]
				continue
			}
		}
		return v
	}
	return v
}

// written is a scalar as text; "" where there is none.
func written(v reflect.Value) string {
	switch {
	case !v.IsValid():
		return ""
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	if t, ok := v.Interface().(interface{ MarshalText() ([]byte, error) }); ok {
		if text, err := t.MarshalText(); err == nil {
			return string(text)
		}
	}
	return ""
}
