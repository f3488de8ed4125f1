package stub

import (
	"strings"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// operation is any Op: none of its fields depends on the types, so that all that follows
// is compiled once and not once per operation.
type operation = Op[None, None]

// A plan is what can be said of an operation before its first call.
type plan struct {
	method, template string
	names            []string // of the template's parameters
	has              [param.Address + 1]bool
	composed         bool     // a parameter of the path is a list or an object
	accept           []string // value of the Accept header; nil for none
	bodies           []part   // of Bodies
	replies          []part   // of Replies
	streams          bool     // a success is a stream of bytes, or of items in a field
	mixed            bool     // a success is a stream of items in a field
	negotiates       bool     // every success has a body
}

// A part is a body or reply with what the codec needs, ready to be pointed at.
type part struct {
	codec.Field
	form   form
	format Format
	value  Value
	media  string   // what is sent: never a range, "" for no body
	header []string // media as the value of Content-Type
}

// planOf prepares o once; losing a race to do so is harmless.
func planOf(o *operation) *plan {
	if p, ok := o.prepared.Load().(*plan); ok {
		return p
	}
	p := newPlan(o)
	o.prepared.Store(p)
	return p
}

func newPlan(o *operation) *plan {
	p := &plan{negotiates: true}
	p.method, p.template, _ = strings.Cut(o.Route, " ")
	p.names = param.Names(p.template)
	for i := range o.Params {
		p.has[o.Params[i].In] = true
	}
	p.composed = param.HasComposed(o.Params, Path)
	for i := range o.Bodies {
		b := &o.Bodies[i]
		p.bodies = append(p.bodies, newPart(b.Media, codec.Field{T: b.T, R: b.R, Off: b.Off, Kind: b.Kind, Flag: b.Flag}, b.Format))
		if b.Items != nil {
			p.bodies[i].form = sequenceOf(b.Media)
		}
	}
	for i := range o.Replies {
		r := &o.Replies[i]
		p.replies = append(p.replies, newPart(r.Media, codec.Field{T: r.T, R: r.R, Off: r.Off, Kind: r.Kind, Flag: r.Flag}, r.Format))
		if streamed(o.Kind) && !r.Failure && r.Media != "" {
			p.replies[i].form = sequenceOf(r.Media)
		}
		if r.Items != nil {
			p.replies[i].form, p.mixed, p.streams = sequenceOf(r.Media), true, true
		}
		if !r.Failure {
			p.streams = p.streams || r.Kind == codec.Reader && r.Media != ""
			p.negotiates = p.negotiates && r.Media != ""
		}
	}
	p.accept = acceptOf(o.Replies)
	return p
}

func newPart(media string, f codec.Field, format Format) part {
	p := part{Field: f, form: formOf(media, f.Kind), format: format, media: media}
	if format != nil {
		p.form = asFormat
	}
	if strings.Contains(media, "*") {
		p.media = p.form.media()
	}
	p.header = []string{p.media}
	return p
}

// ofItem is p for one item of a stream that a field holds.
func (p *part) ofItem() *part {
	q := *p
	q.Off, q.Flag = 0, p.Flag&^codec.Req
	return &q
}

// present says whether a field that is a body holds one.
func (p *part) present(base pointer) bool {
	if p.form.isSequence() {
		return *(*pointer)(unsafe.Add(base, p.Off)) != nil
	}
	_, ok := p.Value(base)
	return ok
}
