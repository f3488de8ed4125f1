package stub_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
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
// Interceptors see calls that do not hold to the contract, and may refuse them first.
// A server that is not ours, and not as the contract says.
// A reply that breaks off must not look like a short one.
// Browsers' forms arrive, too.
// Many calls at once share pooled buffers without mixing them up.
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
