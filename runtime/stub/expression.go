package stub

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// A LinkValue fills a parameter of a link's target by a runtime expression (OpenAPI 3.1,
// 4.8.20.3), or with JSON.
type LinkValue struct {
	In         Place
	Name       string // "" for the body
	Expression string
	JSON       string // where Expression is ""
}

// CallbackURL evaluates the expressions in the address of a callback against a request
// and, where the address needs one, its reply. The result is what a stranger wrote: give
// it to concordat.NewHook, which is careful with it.
func CallbackURL[In, Out any](op *Op[In, Out], in *In, out *Out, address string) (string, error) {
	return (&exchanged{(*operation)(op), planOf((*operation)(op)), pointer(in), pointer(out)}).text(address)
}

// Follow fills next, a request of op to, from a request of op from and its reply.
func Follow[In, Out, Next, Then any](from *Op[In, Out], in *In, out *Out, to *Op[Next, Then], next *Next, values ...LinkValue) (*Next, error) {
	x := &exchanged{(*operation)(from), planOf((*operation)(from)), pointer(in), pointer(out)}
	if err := x.follow((*operation)(to), pointer(next), values); err != nil {
		return nil, err
	}
	return next, nil
}

// An exchanged is a request and its reply, of which out may be nil.
type exchanged struct {
	op      *operation
	plan    *plan
	in, out pointer
}

func (x *exchanged) follow(to *operation, next pointer, values []LinkValue) error {
	for _, v := range values {
		value := []byte(v.JSON)
		if v.Expression != "" {
			var err error
			if value, err = x.json(v.Expression); err != nil {
				return err
			}
			if value == nil {
				continue // absent there, so absent here
			}
		}
		f := target(to, &v)
		if f == nil {
			return concordat.Errorf(concordat.Internal, "%s has nothing named %q", to.Name, v.Name)
		}
		if err := assign(f, value, next); err != nil {
			return concordat.Errorf(concordat.FailedPrecondition, "%s of %s cannot be %s: %w", v.Name, to.Name, clip(string(value)), err)
		}
	}
	return nil
}

// target is the field that a value of a link goes to.
func target(to *operation, v *LinkValue) *codec.Field {
	if v.Name == "" {
		if len(to.Bodies) > 0 {
			b := &to.Bodies[0]
			return &codec.Field{T: b.T, R: b.R, Off: b.Off, Kind: b.Kind, Flag: b.Flag}
		}
		return nil
	}
	if p := paramOf(to.Params, v.In, v.Name); p != nil {
		return &codec.Field{T: p.T, R: p.R, Off: p.Off, Kind: p.Kind, Flag: p.Flag}
	}
	return nil
}

func paramOf(ps []Param, in Place, name string) *Param {
	for i := range ps {
		if ps[i].In == in && (ps[i].Name == name || in == Header && strings.EqualFold(ps[i].Name, name)) {
			return &ps[i]
		}
	}
	return nil
}

// assign stores a JSON text in a field: as it is, or, where text meets a number or the
// other way round, by what is written.
func assign(f *codec.Field, value []byte, base pointer) error {
	var e codec.Error
	isText, k := len(value) > 0 && value[0] == '"', f.Kind
	switch {
	case isText && k.IsText() && !plainText(f):
		param.ParseText(bare(value), f, base, codec.Request, "", &e)
	case !isText && plainText(f) && len(value) > 0 && value[0] != '{' && value[0] != '[':
		param.ParseText(string(value), f, base, codec.Request, "", &e)
	default:
		collect(&e, f.Decode(value, base, codec.Options{Mode: codec.Request}))
	}
	return e.Err()
}

// bare is a JSON string without its quotes; other JSON as it is.
func bare(value []byte) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}

// json evaluates one expression, or text with expressions in it, to JSON; nil where what
// it leads to is absent.
func (x *exchanged) json(e string) ([]byte, error) {
	if strings.HasPrefix(e, "$") {
		return x.value(e)
	}
	s, err := x.text(e)
	return jsonText(s), err
}

// text replaces the expressions in braces by what they lead to, which must be there.
func (x *exchanged) text(s string) (string, error) {
	var b strings.Builder
	for {
		before, after, open := strings.Cut(s, "{")
		b.WriteString(before)
		if !open {
			return b.String(), nil
		}
		e, rest, _ := strings.Cut(after, "}")
		value, err := x.value(e)
		if err != nil {
			return "", err
		}
		if value == nil {
			return "", concordat.Errorf(concordat.FailedPrecondition, "%s: %s leads to nothing in this call", x.op.Name, e)
		}
		b.WriteString(bare(value))
		s = rest
	}
}

// value evaluates one expression.
func (x *exchanged) value(e string) ([]byte, error) {
	side, rest, _ := strings.Cut(e, ".")
	switch side {
	case "$method":
		return jsonText(x.plan.method), nil
	case "$statusCode":
		return x.status(), nil
	}
	if side == "$response" && x.out == nil || x.in == nil {
		return nil, concordat.Errorf(concordat.InvalidArgument, "%s: %s needs the call's request and reply", x.op.Name, e)
	}
	if body, fragment, _ := strings.Cut(rest, "#"); body == "body" {
		text, err := x.body(side == "$response")
		if err != nil || text == nil {
			return nil, err
		}
		return lookup(text, fragment)
	}
	place, name, _ := strings.Cut(rest, ".")
	ps, base := x.op.Params, x.in
	if side == "$response" {
		ps, base = x.headers(), x.out
	}
	p := paramOf(ps, map[string]Place{"path": Path, "query": Query, "header": Header}[place], name)
	if p == nil {
		return nil, nil
	}
	f := &codec.Field{T: p.T, R: p.R, Off: p.Off, Kind: p.Kind, Flag: p.Flag}
	if _, ok := f.Value(base); !ok {
		return nil, nil
	}
	return f.Append(nil, base, codec.Request|codec.Response)
}

func (x *exchanged) status() []byte {
	if x.op.HasStatus && x.out != nil {
		return strconv.AppendInt(nil, int64(*(*int)(unsafe.Add(x.out, x.op.StatusOff))), 10)
	}
	for i := range x.op.Replies {
		if r := &x.op.Replies[i]; !r.Failure {
			return strconv.AppendInt(nil, int64(statusOf(r)), 10)
		}
	}
	return nil
}

// headers are those that successes declare.
func (x *exchanged) headers() (ps []Param) {
	for i := range x.op.Replies {
		if !x.op.Replies[i].Failure {
			ps = append(ps, x.op.Replies[i].Headers...)
		}
	}
	return ps
}

// body is the body of the request or the reply as JSON; nil where there is none that can
// be read twice.
func (x *exchanged) body(reply bool) ([]byte, error) {
	parts, base := x.plan.bodies, x.in
	if reply {
		parts, base = nil, x.out
		for i := range x.op.Replies {
			if r := &x.op.Replies[i]; !r.Failure && r.Media != "" {
				parts = append(parts, x.plan.replies[i])
			}
		}
	}
	for i := range parts {
		p := &parts[i]
		if k, _ := p.Resolve(); k == codec.Reader || p.form.isSequence() || p.form == asMultipart {
			continue
		}
		if _, ok := p.Value(base); ok {
			return p.Append(nil, base, codec.Request|codec.Response)
		}
	}
	return nil, nil
}

// lookup follows a JSON pointer (RFC 6901) in the form of a URI fragment; nil where it
// leads to nothing.
func lookup(text []byte, fragment string) ([]byte, error) {
	if fragment == "" {
		return text, nil
	}
	path, err := url.PathUnescape(fragment)
	if err != nil {
		return nil, concordat.Errorf(concordat.InvalidArgument, "the pointer %q: %w", fragment, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch c := v.(type) {
		case map[string]any:
			v = c[unpointer(token)]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(c) {
				return nil, nil
			}
			v = c[i]
		default:
			return nil, nil
		}
	}
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}
