package stub

import (
	"net/http"
	"slices"
	"strings"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// acceptOf is the value of the Accept header: everything that the contract declares, and
// less of what is only another form of the same answer.
func acceptOf(replies []Reply) []string {
	var all, seen []string
	for i := range replies {
		r := &replies[i]
		if r.Media == "" || slices.Contains(seen, r.Media) {
			continue
		}
		seen = append(seen, r.Media)
		other := slices.ContainsFunc(replies[:i], func(o Reply) bool { return o.Media != "" && o.Status == r.Status && !o.Failure && !r.Failure })
		if other {
			all = append(all, r.Media+";q=0.5")
		} else {
			all = append(all, r.Media)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return []string{strings.Join(all, ", ")}
}

// mediaOf is the media type that came, without the boundary that only its reader needs.
func mediaOf(header http.Header, p *part) string {
	got := header.Get("Content-Type")
	if p.form == asMultipart {
		got, _, _ = strings.Cut(got, ";")
	}
	return got
}

// named is the media type that a field names, "" where there is no field.
func named(has bool, off uintptr, base pointer) string {
	if !has {
		return ""
	}
	return *(*string)(unsafe.Add(base, off))
}

// choose returns which body to send, and its media type where the caller names one: the first
// whose field holds something, or the one that has the media type. It is false where there
// is none to send.
func (x *exchange) choose(in pointer) (i int, media string, ok bool, err error) {
	media = named(x.op.HasInMedia, x.op.InMediaOff, in)
	essence, there := parseMedia(media).essence, false
	best, score := -1, 0
	for i := range x.plan.bodies {
		p := &x.plan.bodies[i]
		if !p.present(in) {
			continue
		}
		if media == "" {
			return i, "", true, nil
		}
		there = true
		if s := p.form.covers(x.op.Bodies[i].Media, essence); s > score {
			best, score = i, s
		}
	}
	switch {
	case best >= 0:
		return best, media, true, nil
	case there:
		return -1, "", false, concordat.Errorf(concordat.InvalidArgument, "ContentType is %q, but this body can be sent as %s",
			media, strings.Join(takes(x.op), ", "))
	case x.op.BodyRequired:
		return -1, "", false, concordat.Errorf(concordat.InvalidArgument, "a body is required: set one of its fields")
	}
	return -1, "", false, nil
}

// takes are the media types that requests may have.
func takes(op *operation) []string {
	var all []string
	for i := range op.Bodies {
		if !slices.Contains(all, op.Bodies[i].Media) {
			all = append(all, op.Bodies[i].Media)
		}
	}
	return all
}

// suits says whether the reply at i can have the media type that the result names.
func (h *handler) suits(i int, media string) bool {
	return media == "" || h.plan.replies[i].form.covers(h.op.Replies[i].Media, parseMedia(media).essence) > 0
}

// another says whether the reply at i is the same bytes as one before it, under another
// name, which only the handler can tell apart: it names the media type, or means the first.
func (h *handler) another(i int) bool {
	f := h.plan.replies[i].form
	if !h.op.HasOutMedia || f != asStream && f != asBytes && f != asText {
		return false
	}
	return slices.ContainsFunc(h.op.Replies[:i], func(r Reply) bool {
		return !r.Failure && r.Media != "" && r.Status == h.op.Replies[i].Status && r.Off == h.op.Replies[i].Off
	})
}

// as is p under the media type that the result names.
func (p *part) as(media string) *part {
	if media == "" {
		return p
	}
	q := *p
	q.media, q.header = media, []string{media}
	return &q
}
