package stub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub"
)

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

// A stream is sent once: what comes after an answer has nothing left to send.
func TestStreamIsNotSentTwice(t *testing.T) {
	put := stub.Op[EchoRequest, stub.None]{
		Spec:    concordat.Spec{Name: "pets.Pets/Put", Route: "PUT /echo", Idempotent: true},
		Bodies:  echo.Bodies,
		Replies: []stub.Reply{{Status: 204}},
	}
	var bodies []string
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		w.WriteHeader(http.StatusServiceUnavailable)
	})}
	l := listen(t)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	conn, err := concordat.NewConn("http://"+l.Addr().String(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = stub.Exec(t.Context(), conn, &put, &EchoRequest{Body: strings.NewReader("once")})
	if e := concordat.ErrorOf(err); e.Status != 503 || !slices.Equal(bodies, []string{"once"}) {
		t.Errorf("%v after %q", err, bodies)
	}
}
