package stub_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/xml"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// A memo can be had as JSON, XML, text and bytes.
type memo struct{ Text string }

type noteRequest struct {
	Body        *memo
	ContentType string
}

type noteReply struct {
	Body        *memo
	BodyText    *string
	BodyBytes   io.ReadCloser
	ContentType string
}

var (
	noteTable = codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(memo{}), Go: (*memo)(nil), Required: 1, Fields: []codec.Field{
		{Key: `,"text":`, Off: unsafe.Offsetof(memo{}.Text), Flag: codec.Req},
	}}
	noteXML = &xml.Codec{Root: xml.Node{Name: "note", Kind: xml.Object, Fields: []xml.Node{{Key: "text", Req: true}}}}
	off     = unsafe.Offsetof(noteReply{}.Body)
	putNote = stub.Op[noteRequest, noteReply]{
		Spec: concordat.Spec{Name: "notes.Notes/Put", Kind: concordat.Unary, Route: "PUT /note", Idempotent: true},
		Bodies: []stub.Body{
			{Media: "application/json", Kind: codec.Object, T: &noteTable, Off: unsafe.Offsetof(noteRequest{}.Body), Flag: codec.Ptr},
			{Media: "application/xml", Kind: codec.Object, T: &noteTable, Off: unsafe.Offsetof(noteRequest{}.Body), Flag: codec.Ptr, Format: noteXML},
		},
		BodyRequired: true,
		Replies: []stub.Reply{
			{Status: 200, Media: "application/json", Kind: codec.Object, T: &noteTable, Off: off, Flag: codec.Ptr},
			{Status: 200, Media: "application/xml", Kind: codec.Object, T: &noteTable, Off: off, Flag: codec.Ptr, Format: noteXML},
			{Status: 200, Media: "text/plain", Off: unsafe.Offsetof(noteReply{}.BodyText), Flag: codec.Ptr},
			{Status: 200, Media: "image/png", Kind: codec.Reader, Off: unsafe.Offsetof(noteReply{}.BodyBytes)},
			{Status: 200, Media: "application/pdf", Kind: codec.Reader, Off: unsafe.Offsetof(noteReply{}.BodyBytes)},
		},
		HasInMedia: true, InMediaOff: unsafe.Offsetof(noteRequest{}.ContentType),
		HasOutMedia: true, OutMediaOff: unsafe.Offsetof(noteReply{}.ContentType),
	}
)

// notes serves impl, and returns a connection to it and its address.
func notes(t *testing.T, impl func(context.Context, *noteRequest) (*noteReply, error)) (*concordat.Conn, string) {
	t.Helper()
	s := concordat.NewServer()
	stub.Handle(s, &putNote, impl)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	conn, err := concordat.NewConn(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, h.URL
}

// every offers all forms at once, so that the stub must choose.
func every(_ context.Context, in *noteRequest) (*noteReply, error) {
	return &noteReply{Body: in.Body, BodyText: &in.Body.Text, BodyBytes: io.NopCloser(strings.NewReader("png"))}, nil
}

func TestOpMatchesItsTypes(t *testing.T) {
	if err := stub.Check(&putNote); err != nil {
		t.Error(err)
	}
}

// The server answers as the client likes best, by q-values; what it does not have is 406.
func TestNegotiation(t *testing.T) {
	conn, _ := notes(t, every)
	for accept, want := range map[string]string{
		"":                                "application/json",
		"application/xml":                 "application/xml",
		"text/xml, application/xml;q=0.9": "application/xml",
		"text/*":                          "text/plain",
		"image/png":                       "image/png",
		"*/*":                             "application/json",
		"application/json;q=0.1, text/plain;q=0.2":             "text/plain",
		"application/*;q=0.5, application/json;q=0, */*;q=0.1": "application/xml",
		"application/pdf": "application/json", // the bytes are no PDF unless the handler says so
	} {
		ctx := t.Context()
		if accept != "" {
			ctx = concordat.WithAccept(ctx, accept)
		}
		var reply concordat.Reply
		out, err := stub.Call(concordat.WithReply(ctx, &reply), conn, &putNote, &noteRequest{Body: &memo{"x"}})
		if err != nil {
			t.Errorf("%s: %v", accept, err)
			continue
		}
		if got := reply.Header.Get("Content-Type"); got != want || out.ContentType != want || reply.Status != 200 {
			t.Errorf("%s: %d %s, want %s", accept, reply.Status, got, want)
		}
		if out.BodyBytes != nil {
			_ = out.BodyBytes.Close()
		}
		if (out.Body != nil) != strings.HasPrefix(want, "application/") || (out.BodyText != nil) != (want == "text/plain") || (out.BodyBytes != nil) != (want == "image/png") {
			t.Errorf("%s: %+v", accept, out)
		}
	}
	_, err := stub.Call(concordat.WithAccept(t.Context(), "text/html, video/*"), conn, &putNote, &noteRequest{Body: &memo{"x"}})
	if e := concordat.ErrorOf(err); e.Status != http.StatusNotAcceptable || !strings.Contains(e.Message, "application/json, application/xml, text/plain, image/png, application/pdf") {
		t.Errorf("%v", err)
	}
}

// A client names the media type of its body; others are refused, with the list.
func TestContentTypes(t *testing.T) {
	var came string
	conn, at := notes(t, func(_ context.Context, in *noteRequest) (*noteReply, error) {
		came = in.ContentType + " " + in.Body.Text
		return &noteReply{BodyBytes: io.NopCloser(strings.NewReader("%PDF")), ContentType: "application/pdf"}, nil
	})
	for named, want := range map[string]string{"": "application/json a<b", "application/xml": "application/xml a<b"} {
		out, err := stub.Call(t.Context(), conn, &putNote, &noteRequest{Body: &memo{"a<b"}, ContentType: named})
		if err != nil || came != want || out.ContentType != "application/pdf" {
			t.Errorf("%q: %q, %+v, %v", named, came, out, err)
			continue
		}
		_ = out.BodyBytes.Close()
	}
	for _, in := range []*noteRequest{{Body: &memo{"x"}, ContentType: "text/csv"}, {}} {
		if _, err := stub.Call(t.Context(), conn, &putNote, in); concordat.ErrorOf(err).Code != concordat.InvalidArgument {
			t.Errorf("%+v: %v", in, err)
		}
	}
	for _, c := range []struct {
		media, body, accept, want string
		status                    int
	}{
		{"text/csv", "a", "application/json, application/xml", "application/json, application/xml", 415},
		{"application/xml", "<note><text>x</text>", "", "unexpected EOF", 400},
		{"application/xml", "<!DOCTYPE note><note/>", "", "document types", 400},
		{"application/xml", "<note/>", "", "text", 422},
		{"application/xml; charset=utf-16", "<note/>", "", "UTF-8", 415},
		{"application/json", "", "", "missing", 400},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, at+"/note", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", c.media)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != c.status || !strings.Contains(string(text), c.want) || c.accept != "" && strings.Join(res.Header["Accept"], ", ") != c.accept {
			t.Errorf("%s %q: %d %v %s (%v)", c.media, c.body, res.StatusCode, res.Header["Accept"], text, err)
		}
	}
}

// Callers reach the response as it came, and handlers write one of their own: a part of a
// file, which the contract does not mention.
func TestRaw(t *testing.T) {
	conn, _ := notes(t, func(ctx context.Context, in *noteRequest) (*noteReply, error) {
		if best := concordat.Accepts(ctx, "application/json", "image/png"); best != "application/json" {
			t.Errorf("the caller wants %q", best)
		}
		concordat.CallOf(ctx).SetReply("X-Made", "here")
		concordat.CallOf(ctx).ReplyWith(func(w http.ResponseWriter, r *http.Request) {
			r = r.Clone(r.Context())
			r.Method = http.MethodGet // ServeContent heeds ranges of GET alone
			r.Header.Set("Range", "bytes=2-4")
			http.ServeContent(w, r, "note.txt", time.Time{}, strings.NewReader(in.Body.Text))
		})
		return nil, nil
	})
	var got string
	done := errors.New("done")
	ctx := concordat.WithRawResponse(t.Context(), func(r *http.Response) error {
		b, err := io.ReadAll(r.Body)
		got = r.Status + " " + r.Header.Get("Content-Range") + " " + r.Header.Get("X-Made") + " " + string(b)
		return err
	})
	out, err := stub.Call(ctx, conn, &putNote, &noteRequest{Body: &memo{"0123456"}})
	if want := "206 Partial Content bytes 2-4/7 here 234"; err != nil || got != want || *out != (noteReply{}) {
		t.Errorf("%q, %+v, %v", got, out, err)
	}
	_, err = stub.Call(concordat.WithRawResponse(t.Context(), func(*http.Response) error { return done }), conn, &putNote, &noteRequest{Body: &memo{"0123456"}})
	if !errors.Is(err, done) {
		t.Errorf("%v", err)
	}
}
