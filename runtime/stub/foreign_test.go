package stub_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub"
)

func TestRawRequests(t *testing.T) {
	var called atomic.Int32
	impl := PetsServer{
		create: func(_ context.Context, in *CreatePetRequest) (*Pet, error) { called.Add(1); return &in.Body, nil },
		get:    func(_ context.Context, in *GetPetRequest) (*Pet, error) { return &Pet{ID: 1, Name: in.Name}, nil },
		list:   func(context.Context, *ListPetsRequest) (*ListPetsResponse, error) { return &ListPetsResponse{}, nil },
		note:   func(_ context.Context, in *NoteRequest) (*NoteResponse, error) { return &NoteResponse{in.Body}, nil },
	}
	w := start(t, impl.register)
	const jsonType, good = "application/json", `{"id":1,"name":"Rex"}`
	for _, c := range []struct {
		what, method, path, body string
		header                   []string
		status                   int
		contains                 string
	}{
		{"created", "POST", "/pets", good, []string{"Content-Type", jsonType}, 201, good},
		{"with parameters", "POST", "/pets", good, []string{"Content-Type", `Application/JSON; charset="UTF-8"`}, 201, good},
		{"no media type", "POST", "/pets", good, nil, 201, good},
		{"another media type", "POST", "/pets", "<x/>", []string{"Content-Type", "application/xml"}, 415, "application/json"},
		{"another charset", "POST", "/pets", good, []string{"Content-Type", jsonType + "; charset=utf-16"}, 415, "UTF-8"},
		{"malformed", "POST", "/pets", `{"id":1,`, []string{"Content-Type", jsonType}, 400, `"errors":[{"pointer":`},
		{"wrong type", "POST", "/pets", `{"id":"x","name":"Rex"}`, []string{"Content-Type", jsonType}, 400, `"pointer":"#/id"`},
		{"no body", "POST", "/pets", "", []string{"Content-Type", jsonType}, 400, "missing"},
		{"violations", "POST", "/pets", `{"name":""}`, []string{"Content-Type", jsonType}, 422, `min_length`},
		{"violations", "POST", "/pets", `{"name":""}`, []string{"Content-Type", jsonType}, 422, `required`},
		{"too large", "POST", "/pets", `{"id":1,"name":"` + strings.Repeat("x", 1<<17) + `"}`, []string{"Content-Type", jsonType}, 413, "larger than"},
		{"accept all", "GET", "/pets/x", "", []string{"Accept", "*/*"}, 200, `"name":"x"`},
		{"accept a list", "GET", "/pets/x", "", []string{"Accept", "text/html, application/*;q=0.5"}, 200, `"name":"x"`},
		{"not acceptable", "GET", "/pets/x", "", []string{"Accept", "text/html"}, 406, "application/json"},
		{"refused by q", "GET", "/pets/x", "", []string{"Accept", "application/json;q=0"}, 406, "application/json"},
		{"parameter's type", "GET", "/pets?limit=x", "", nil, 400, `"in":"query","parameter":"limit"`},
		{"parameter's rule", "GET", "/pets?limit=101", "", nil, 422, `"code":"maximum"`},
		{"unknown parameter", "GET", "/pets?other=1", "", nil, 200, `[]`},
		{"text", "POST", "/note", "hi ü", []string{"Content-Type", "text/plain"}, 200, "hi ü"},
		{"no such path", "GET", "/nothing", "", nil, 404, "title"},
		{"no such method", "PATCH", "/pets", "", nil, 405, "title"},
	} {
		status, header, body := w.raw(t, c.method, c.path, c.body, c.header...)
		if status != c.status || !strings.Contains(body, c.contains) {
			t.Errorf("%s: %d %s, want %d and %s", c.what, status, body, c.status, c.contains)
		}
		if status >= 400 {
			var p struct {
				Title  string
				Status int
			}
			if err := json.Unmarshal([]byte(body), &p); err != nil || p.Title == "" || p.Status != status || header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: no problem details: %s %s", c.what, header.Get("Content-Type"), body)
			}
		}
	}
	if called.Load() != 3 {
		t.Errorf("the handler ran %d times", called.Load())
	}
	status, header, body := w.raw(t, "HEAD", "/pets/x", "")
	if status != 200 || body != "" || header.Get("Content-Length") != "19" || header.Get("Content-Type") != jsonType {
		t.Errorf("HEAD: %d %v %q", status, header, body)
	}
	if status, header, _ := w.raw(t, "OPTIONS", "/pets", ""); header.Get("Allow") == "" {
		t.Errorf("OPTIONS: %d %v", status, header)
	}
	if _, header, _ := w.raw(t, "POST", "/pets", "x", "Content-Type", "text/plain"); header.Get("Accept") != jsonType {
		t.Errorf("415 says %v", header)
	}
}

func TestInterceptorsComeFirst(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext(), quiet, concordat.WithInterceptors(
		func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
			if call.Meta.Get("Authorization") == "" {
				return nil, concordat.Errorf(concordat.Unauthenticated, "who are you?")
			}
			return next(ctx, in)
		}))
	(&PetsServer{create: func(_ context.Context, in *CreatePetRequest) (*Pet, error) { return &in.Body, nil }}).register(s)
	rec := newRecorder()
	s.ServeHTTP(rec, newRequest("POST", "/pets", `{`))
	if rec.status != 401 {
		t.Errorf("got %d %s", rec.status, rec.body.String())
	}
	rec, req := newRecorder(), newRequest("POST", "/pets", `{`)
	req.Header.Set("Authorization", "x")
	if s.ServeHTTP(rec, req); rec.status != 400 {
		t.Errorf("got %d %s", rec.status, rec.body.String())
	}
	for _, op := range s.Stats() {
		if op.Name == "pets.Pets/CreatePet" && op.Calls != 2 {
			t.Errorf("counted %d calls", op.Calls)
		}
	}
}

func TestForeignServer(t *testing.T) {
	var reply func(http.ResponseWriter, *http.Request)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reply(w, r) })}
	conn := serveForeign(t, server)
	get := func() (*Pet, error) { return stub.Call(t.Context(), conn, &getPet, &GetPetRequest{Name: "x"}) }
	answer := func(status int, media, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	for _, c := range []struct {
		what   string
		reply  func(http.ResponseWriter, *http.Request)
		code   concordat.Code
		status int
		text   string
	}{
		{"loose rules", answer(200, "application/json; charset=utf-8", `{"id":3,"name":"","more":[1]}`), concordat.OK, 0, ""},
		{"another JSON", answer(200, "application/vnd.pets+json", `{"id":3,"name":"x"}`), concordat.OK, 0, ""},
		{"a page", answer(200, "text/html", `<html>`), concordat.Internal, 200, "text/html"},
		{"cut off", answer(200, "application/json", `{"id":3`), concordat.Internal, 200, "not as the contract says"},
		{"a status never heard of", answer(202, "application/json", `{}`), concordat.Internal, 202, "does not declare"},
		{"a redirect", answer(302, "text/plain", "elsewhere"), concordat.Unknown, 302, "elsewhere"},
		{"teapot", answer(418, "application/json", `{"message":"I am"}`), concordat.InvalidArgument, 418, "I am"},
		{"throttled", answer(429, "text/plain", "slow\nsecret"), concordat.ResourceExhausted, 429, "slow"},
		{"declared, in another form", answer(404, "text/html", `<p>`), concordat.NotFound, 404, "Not Found"},
		{"declared, broken", answer(404, "application/problem+json", `{"title"`), concordat.NotFound, 404, "Not Found"},
	} {
		reply = c.reply
		pet, err := get()
		if c.code == concordat.OK {
			if err != nil || pet.ID != 3 {
				t.Errorf("%s: %+v, %v", c.what, pet, err)
			}
			continue
		}
		if e := code(t, err, c.code, c.status); !strings.Contains(e.Message, c.text) || strings.Contains(e.Message, "secret") {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	reply = answer(200, "application/json", `{"id":1,"name":"`+strings.Repeat("x", 1<<20)+`"}`)
	_, err := get()
	if e, ok := errors.AsType[*concordat.Error](err); !ok || e.Code != concordat.ResourceExhausted {
		t.Errorf("too large: %v", err)
	}
}

func serveForeign(t *testing.T, server *http.Server, opts ...concordat.ConnOption) *concordat.Conn {
	l := listen(t)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	conn, err := concordat.NewConn("http://"+l.Addr().String(), append(opts, concordat.WithRetries(0), concordat.WithMaxBody(1<<16), quiet)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestResponseValidation(t *testing.T) {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":3,"name":""}`)
	})}
	conn := serveForeign(t, server, concordat.WithResponseValidation())
	_, err := stub.Call(t.Context(), conn, &getPet, &GetPetRequest{Name: "x"})
	if e := code(t, err, concordat.Internal, 200); !strings.Contains(e.Message, "/name") {
		t.Error(e)
	}
}

func TestRetrySendsTheSame(t *testing.T) {
	var seen []string
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("X-Who")+" "+string(body))
		if len(seen) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})}
	l := listen(t)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	conn, err := concordat.NewConn("http://"+l.Addr().String()+"/base/", quiet, concordat.WithInterceptors(
		func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
			call.SetMeta("X-Who", "me")
			return next(ctx, in)
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out, err := stub.Call(t.Context(), conn, &upsertPet, &UpsertPetRequest{ID: 4, Body: &Pet{ID: 4, Name: "Rex"}})
	if err != nil || out.Status != 204 {
		t.Fatal(out, err)
	}
	want := `PUT /base/pets/4 me {"id":4,"name":"Rex"}`
	if !slices.Equal(seen, []string{want, want, want}) {
		t.Errorf("%q", seen)
	}
}
