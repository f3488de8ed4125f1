package stub_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

var quiet = concordat.WithLogger(slog.New(slog.DiscardHandler))

// A world is a server on a loopback socket with mutual TLS, and two who call it: our
// client, and plain net/http.
type world struct {
	conn  *concordat.Conn
	base  string
	plain *http.Client
}

func start(t *testing.T, register func(*concordat.Server), opts ...concordat.ConnOption) *world {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.Mutual("pets")
	if err != nil {
		t.Fatal(err)
	}
	s := concordat.NewServer(concordat.WithTLS(config), concordat.WithMaxBody(1<<16), quiet)
	register(s)
	run(t, s)
	conn, err := concordat.NewConn("https://"+s.Addr(), append(opts, concordat.WithTLS(config), quiet)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	client, err := config.Client("127.0.0.1", "http/1.1")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: client, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	t.Cleanup(transport.CloseIdleConnections)
	return &world{conn, "https://" + s.Addr(), &http.Client{Transport: transport}}
}

// run serves until the test ends, and holds the server to a clean end.
func run(t *testing.T, s *concordat.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	select {
	case <-s.Ready():
	case err := <-ended:
		ended <- nil
		t.Fatalf("run: %v", err)
	}
}

// raw sends what curl would, and returns status, header and body.
func (w *world) raw(t *testing.T, method, path, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.plain.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(data)
}

func code(t *testing.T, err error, want concordat.Code, status int) *concordat.Error {
	t.Helper()
	e, ok := errors.AsType[*concordat.Error](err)
	if !ok || e.Code != want || e.Status != status {
		t.Fatalf("got %#v (%v), want %v and status %d", err, err, want, status)
	}
	return e
}

func TestParametersThereAndBack(t *testing.T) {
	var got ListPetsRequest
	impl := PetsServer{list: func(_ context.Context, in *ListPetsRequest) (*ListPetsResponse, error) {
		got = *in
		return &ListPetsResponse{Body: Pets{{ID: 1, Name: "Rex"}, {ID: 2, Name: "Ünal", Tag: new("cat")}}, Next: new("p2")}, nil
	}}
	w := start(t, impl.register)
	in := &ListPetsRequest{Limit: new(int64(7)), Tags: []string{"a b", "c&d"}, Trace: new("tr/1"), Cookie: new("s=1")}
	out, err := stub.Call(t.Context(), w.conn, &listPets, in)
	if err != nil {
		t.Fatal(err)
	}
	if *got.Limit != 7 || !slices.Equal(got.Tags, in.Tags) || *got.Trace != "tr/1" || *got.Cookie != "s=1" {
		t.Errorf("server got %+v", got)
	}
	if len(out.Body) != 2 || out.Body[1].Name != "Ünal" || *out.Body[1].Tag != "cat" || *out.Next != "p2" {
		t.Errorf("client got %+v", out)
	}
	if _, err := stub.Call(t.Context(), w.conn, &listPets, nil); err != nil || got.Limit != nil || got.Tags != nil {
		t.Errorf("nothing given: %v, %+v", err, got)
	}
}

func TestPathIsEscaped(t *testing.T) {
	impl := PetsServer{get: func(_ context.Context, in *GetPetRequest) (*Pet, error) { return &Pet{ID: 1, Name: in.Name}, nil }}
	w := start(t, impl.register)
	for _, name := range []string{"rex", "a/b", "a b", "ü?#", "100%", "%2F", "...", "a:b@c,d;e=f", "(x)!*'"} {
		pet, err := stub.Call(t.Context(), w.conn, &getPet, &GetPetRequest{Name: name})
		if err != nil || pet.Name != name {
			t.Errorf("%q came as %+v, %v", name, pet, err)
		}
	}
	for _, name := range []string{"", ".."} {
		_, err := stub.Call(t.Context(), w.conn, &getPet, &GetPetRequest{Name: name})
		code(t, err, concordat.InvalidArgument, 0)
	}
}

func TestFailures(t *testing.T) {
	var answer error
	impl := PetsServer{
		get:    func(context.Context, *GetPetRequest) (*Pet, error) { return nil, answer },
		create: func(context.Context, *CreatePetRequest) (*Pet, error) { return nil, answer },
		remove: func(context.Context, *GetPetRequest) error { return answer },
	}
	w := start(t, impl.register, concordat.WithRetries(0))
	get := func() error {
		_, err := stub.Call(t.Context(), w.conn, &getPet, &GetPetRequest{Name: "x"})
		return err
	}
	problemBody := &Problem{Title: "no such pet", Detail: new("try another")}

	answer = concordat.Errorf(concordat.NotFound, "no pet").With(problemBody)
	e := code(t, get(), concordat.NotFound, 404)
	if p, ok := concordat.Detail[Problem](e); !ok || p.Title != "no such pet" || *p.Detail != "try another" || e.Message != "try another" {
		t.Errorf("detail %+v of %v", p, e)
	}
	err := stub.Exec(t.Context(), w.conn, &deletePet, &GetPetRequest{Name: "x"})
	if _, ok := concordat.Detail[Problem](code(t, err, concordat.NotFound, 404)); !ok {
		t.Error("no detail")
	}
	// The declared failure's type decides where the code alone says something else.
	answer = concordat.Errorf(concordat.FailedPrecondition, "no").With(problemBody)
	code(t, get(), concordat.NotFound, 404)
	// A value does where a pointer is meant.
	answer = concordat.Errorf(concordat.NotFound, "no pet").With(*problemBody)
	if _, ok := concordat.Detail[Problem](code(t, get(), concordat.NotFound, 404)); !ok {
		t.Error("a detail by value is lost")
	}
	// 4XX is a declared class.
	answer = &concordat.Error{Code: concordat.AlreadyExists, Status: 409, Detail: problemBody}
	_, err = stub.Call(t.Context(), w.conn, &createPet, &CreatePetRequest{Body: Pet{Name: "x"}})
	if _, ok := concordat.Detail[Problem](code(t, err, concordat.AlreadyExists, 409)); !ok {
		t.Error("no detail by class")
	}
	// Not declared: problem details, whose text arrives.
	answer = concordat.Errorf(concordat.PermissionDenied, "not yours")
	if e := code(t, get(), concordat.PermissionDenied, 403); e.Message != "not yours" || e.Detail != nil {
		t.Errorf("got %+v", e)
	}
	// What was never meant for strangers stays.
	answer = errors.New("dial db-7.internal: password hunter2")
	if e := code(t, get(), concordat.Internal, 500); strings.Contains(e.Message, "hunter2") || strings.Contains(e.Message, "db-7") {
		t.Errorf("leaked: %v", e)
	}
	answer = nil // and a nil result
	code(t, get(), concordat.Internal, 500)
}

func TestPanicAndStatus(t *testing.T) {
	impl := PetsServer{
		get: func(context.Context, *GetPetRequest) (*Pet, error) { panic("boom") },
		upsert: func(_ context.Context, in *UpsertPetRequest) (*UpsertPetResponse, error) {
			switch {
			case in.Body == nil:
				return &UpsertPetResponse{Status: 204}, nil
			case in.ID == 1:
				return &UpsertPetResponse{OK: in.Body}, nil
			case in.ID == 2:
				return &UpsertPetResponse{Created: in.Body}, nil
			case in.ID == 3:
				return &UpsertPetResponse{Status: 201, Created: in.Body}, nil
			}
			return &UpsertPetResponse{Status: 299}, nil
		},
	}
	w := start(t, impl.register, concordat.WithRetries(0))
	_, err := stub.Call(t.Context(), w.conn, &getPet, &GetPetRequest{Name: "x"})
	code(t, err, concordat.Internal, 500)
	pet := &Pet{ID: 5, Name: "Rex"}
	for _, c := range []struct {
		in          UpsertPetRequest
		status      int
		ok, created bool
	}{
		{UpsertPetRequest{ID: 9}, 204, false, false},
		{UpsertPetRequest{ID: 1, Body: pet}, 200, true, false},
		{UpsertPetRequest{ID: 2, Body: pet}, 201, false, true},
		{UpsertPetRequest{ID: 3, Body: pet}, 201, false, true},
	} {
		out, err := stub.Call(t.Context(), w.conn, &upsertPet, &c.in)
		if err != nil {
			t.Fatal(err)
		}
		if out.Status != c.status || (out.OK != nil) != c.ok || (out.Created != nil) != c.created {
			t.Errorf("%+v: got %+v", c.in, out)
		}
	}
	_, err = stub.Call(t.Context(), w.conn, &upsertPet, &UpsertPetRequest{ID: 4, Body: pet})
	code(t, err, concordat.Internal, 500)
}

// What curl sees: negotiation, violations, limits.
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

// Interceptors see calls that do not hold to the contract, and may refuse them first.
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

// A server that is not ours, and not as the contract says.
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

func TestStreamsOfBytes(t *testing.T) {
	closed := make(chan bool, 1)
	impl := PetsServer{echo: func(_ context.Context, in *EchoRequest) (*EchoResponse, error) {
		first := make([]byte, 4)
		if _, err := io.ReadFull(in.Body, first); err != nil {
			return nil, err
		}
		return &EchoResponse{Body: &noteClose{io.MultiReader(bytes.NewReader(first), in.Body), closed}}, nil
	}}
	w := start(t, impl.register)
	big := strings.Repeat("0123456789", 5000)
	out, err := stub.Call(t.Context(), w.conn, &echo, &EchoRequest{Body: strings.NewReader(big)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(out.Body)
	out.Body.Close()
	if err != nil || string(got) != big {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	<-closed
	for _, op := range w.conn.Stats() {
		if op.InFlight != 0 {
			t.Errorf("%s: %d in flight", op.Name, op.InFlight)
		}
	}
}

type noteClose struct {
	io.Reader
	closed chan bool
}

func (c *noteClose) Close() error { c.closed <- true; return nil }

// A reply that breaks off must not look like a short one.
func TestBrokenStream(t *testing.T) {
	impl := PetsServer{echo: func(context.Context, *EchoRequest) (*EchoResponse, error) {
		return &EchoResponse{Body: io.NopCloser(io.MultiReader(strings.NewReader("abc"), failing{}))}, nil
	}}
	w := start(t, impl.register)
	out, err := stub.Call(t.Context(), w.conn, &echo, &EchoRequest{Body: strings.NewReader("x")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if got, err := io.ReadAll(out.Body); err == nil {
		t.Errorf("read %q and no error", got)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk is gone") }

func TestText(t *testing.T) {
	impl := PetsServer{note: func(_ context.Context, in *NoteRequest) (*NoteResponse, error) {
		return &NoteResponse{in.Body + "!"}, nil
	}}
	w := start(t, impl.register)
	out, err := stub.Call(t.Context(), w.conn, &note, &NoteRequest{Body: "1 < 2, ü"})
	if err != nil || out.Body != "1 < 2, ü!" {
		t.Errorf("%+v %v", out, err)
	}
}

func TestForms(t *testing.T) {
	for _, media := range []string{"application/x-www-form-urlencoded", "multipart/form-data"} {
		t.Run(media, func(t *testing.T) {
			op := renameOp(media)
			var photo, extras string
			w := start(t, func(s *concordat.Server) {
				stub.Handle(s, op, func(_ context.Context, in *RenameRequest) (*Rename, error) {
					if in.Form.Photo != nil {
						data, err := io.ReadAll(in.Form.Photo)
						if err != nil {
							return nil, err
						}
						photo = in.Form.Photo.(interface{ Name() string }).Name() + ":" + string(data)
					}
					for _, r := range in.Form.Extras {
						data, _ := io.ReadAll(r)
						extras += string(data) + ";"
					}
					out := in.Form
					out.Photo, out.Extras = nil, nil
					return &out, nil
				})
			})
			in := &RenameRequest{ID: 1, Form: Rename{Name: "a&b=ü", Labels: []string{"x", "y z"}}}
			if media == "multipart/form-data" {
				in.Form.Pet = &Pet{ID: 1, Name: "Rex"}
				file := filepath.Join(t.TempDir(), "rex.png")
				if err := os.WriteFile(file, []byte("PNG\r\n--data"), 0o600); err != nil {
					t.Fatal(err)
				}
				f, err := os.Open(file)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				in.Form.Photo = f
				in.Form.Extras = []io.Reader{strings.NewReader("one"), strings.NewReader("two")}
			}
			out, err := stub.Call(t.Context(), w.conn, op, in)
			if err != nil {
				t.Fatal(err)
			}
			if out.Name != in.Form.Name || !slices.Equal(out.Labels, in.Form.Labels) || (out.Pet != nil) != (in.Form.Pet != nil) {
				t.Errorf("got %+v", out)
			}
			if media == "multipart/form-data" && (photo != "rex.png:PNG\r\n--data" || extras != "one;two;") {
				t.Errorf("files: %q %q", photo, extras)
			}
			in.Form.Name, in.Form.Photo, in.Form.Extras = "much too long", nil, nil
			_, err = stub.Call(t.Context(), w.conn, op, in)
			code(t, err, concordat.InvalidArgument, 422)
		})
	}
}

// Browsers' forms arrive, too.
func TestForeignMultipart(t *testing.T) {
	op := renameOp("multipart/form-data")
	w := start(t, func(s *concordat.Server) {
		stub.Handle(s, op, func(_ context.Context, in *RenameRequest) (*Rename, error) {
			return &Rename{Name: in.Form.Name, Labels: in.Form.Labels}, nil
		})
	})
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("name", "Rex")
	form.WriteField("labels", "a")
	form.WriteField("labels", "b")
	form.WriteField("unknown", "ignored")
	form.Close()
	status, _, got := w.raw(t, "POST", "/pets/7/rename", body.String(), "Content-Type", form.FormDataContentType())
	if status != 200 || got != `{"name":"Rex","labels":["a","b"]}` {
		t.Errorf("%d %s", status, got)
	}
	for what, c := range map[string]struct{ media, body string }{
		"no boundary": {"multipart/form-data", body.String()},
		"cut off":     {form.FormDataContentType(), body.String()[:40]},
	} {
		if status, _, got := w.raw(t, "POST", "/pets/7/rename", c.body, "Content-Type", c.media); status != 400 {
			t.Errorf("%s: %d %s", what, status, got)
		}
	}
}

// Many calls at once share pooled buffers without mixing them up.
func TestBuffersAreNotShared(t *testing.T) {
	impl := PetsServer{create: func(_ context.Context, in *CreatePetRequest) (*Pet, error) { return &in.Body, nil }}
	w := start(t, impl.register)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 20 {
				name := fmt.Sprintf("pet-%d-%d", i, n)
				pet, err := stub.Call(t.Context(), w.conn, &createPet, &CreatePetRequest{Body: Pet{ID: int64(n), Name: name, Tag: &name}})
				if err != nil || pet.Name != name || *pet.Tag != name {
					t.Errorf("%s: %+v %v", name, pet, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCallerGone(t *testing.T) {
	entered, left := make(chan bool), make(chan error, 1)
	impl := PetsServer{get: func(ctx context.Context, _ *GetPetRequest) (*Pet, error) {
		close(entered)
		<-ctx.Done()
		left <- ctx.Err()
		return nil, ctx.Err()
	}}
	w := start(t, impl.register)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	go func() { <-entered; cancel() }()
	_, err := stub.Call(ctx, w.conn, &getPet, &GetPetRequest{Name: "x"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("client got %v", err)
	}
	if err := <-left; err == nil {
		t.Error("the server was not told")
	}
}

// What an attempt sent is sent again by the next, headers of interceptors included.
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
