package stub_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// What a contract says of a file that is served with ranges and conditions (RFC 9110, 13
// and 14).

type FileRequest struct{ Range, IfNoneMatch *string }

type FileResponse struct {
	Status       int
	Body         io.ReadCloser
	ContentRange *string
	LastModified *string
}

var fileHeaders = []stub.Param{
	{Name: "Content-Range", In: stub.Header, Off: unsafe.Offsetof(FileResponse{}.ContentRange), Flag: codec.Ptr},
	{Name: "Last-Modified", In: stub.Header, Off: unsafe.Offsetof(FileResponse{}.LastModified), Flag: codec.Ptr},
}

var getFile = stub.Op[FileRequest, FileResponse]{
	Spec: concordat.Spec{Name: "files.Files/GetFile", Route: "GET /file.txt", Idempotent: true},
	Params: []stub.Param{
		{Name: "Range", In: stub.Header, Off: unsafe.Offsetof(FileRequest{}.Range), Flag: codec.Ptr},
		{Name: "If-None-Match", In: stub.Header, Off: unsafe.Offsetof(FileRequest{}.IfNoneMatch), Flag: codec.Ptr},
	},
	Replies: []stub.Reply{
		{Status: 200, Media: "text/plain", Kind: codec.Reader, Off: unsafe.Offsetof(FileResponse{}.Body), Headers: fileHeaders},
		{Status: 206, Media: "text/plain", Kind: codec.Reader, Off: unsafe.Offsetof(FileResponse{}.Body), Headers: fileHeaders},
		{Status: 304, Failure: true}, {Status: 416, Failure: true},
	},
	HasStatus: true, StatusOff: unsafe.Offsetof(FileResponse{}.Status),
}

// files asks a server for a file in every way, and holds the answers to the file.
func files(t *testing.T, conn *concordat.Conn, etag, content string) {
	t.Helper()
	for _, c := range []struct {
		asked  string
		status int
		want   string
	}{{"", 200, content}, {"bytes=2-4", 206, content[2:5]}, {"bytes=-3", 206, content[len(content)-3:]}} {
		in := new(FileRequest)
		if c.asked != "" {
			in.Range = &c.asked
		}
		out, err := stub.Call(t.Context(), conn, &getFile, in)
		if err != nil {
			t.Fatal(c.asked, err)
		}
		got, err := io.ReadAll(out.Body)
		out.Body.Close()
		if err != nil || out.Status != c.status || string(got) != c.want || (out.ContentRange != nil) != (c.status == 206) {
			t.Errorf("%q: %d %q, %v, %v", c.asked, out.Status, got, out.ContentRange, err)
		}
	}
	_, err := stub.Call(t.Context(), conn, &getFile, &FileRequest{IfNoneMatch: &etag})
	if e, ok := errors.AsType[*concordat.Error](err); !ok || e.Status != http.StatusNotModified {
		t.Errorf("not modified: %v", err)
	}
	_, err = stub.Call(t.Context(), conn, &getFile, &FileRequest{Range: new("bytes=900-")})
	code(t, err, concordat.OutOfRange, http.StatusRequestedRangeNotSatisfiable)
}

// Ranges and conditions pass through to a server that is none of ours.
func TestFileServer(t *testing.T) {
	const content = "0123456789"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file.txt"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := http.FileServer(http.Dir(dir))
	files(t, writer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		serve.ServeHTTP(w, r)
	}), `"v1"`, content)
}

// The same of a server of ours, whose handler decides.
func TestFileOfOurs(t *testing.T) {
	const content = "0123456789"
	w := start(t, func(s *concordat.Server) {
		stub.Handle(s, &getFile, func(_ context.Context, in *FileRequest) (*FileResponse, error) {
			body := func(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }
			switch {
			case in.IfNoneMatch != nil:
				return nil, &concordat.Error{Code: concordat.Aborted, Status: http.StatusNotModified}
			case in.Range == nil:
				return &FileResponse{Body: body(content)}, nil
			case *in.Range == "bytes=2-4":
				return &FileResponse{Status: 206, Body: body(content[2:5]), ContentRange: new("bytes 2-4/10")}, nil
			case *in.Range == "bytes=-3":
				return &FileResponse{Status: 206, Body: body(content[7:]), ContentRange: new("bytes 7-9/10")}, nil
			}
			return nil, &concordat.Error{Code: concordat.OutOfRange, Status: http.StatusRequestedRangeNotSatisfiable}
		})
	})
	files(t, w.conn, `"v1"`, content)
	if status, header, body := w.raw(t, "GET", "/file.txt", "", "If-None-Match", `"v1"`); status != 304 || body != "" || header.Get("Content-Type") != "" {
		t.Errorf("304 with a body: %v %q", header, body)
	}
}

// Compressed replies are unpacked on the way, and their limit is that of what they hold.
func TestCompressedReplies(t *testing.T) {
	reply := `{"id":1,"name":"Rex"}`
	conn := writer(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("the client does not ask for compression")
		}
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.URL.Path, "stream") {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, reply)
		z.Close()
	})
	pet, err := stub.Call(t.Context(), conn, &getPet, &GetPetRequest{Name: "rex"})
	if err != nil || pet.Name != "Rex" {
		t.Errorf("%+v, %v", pet, err)
	}
	reply = strings.Repeat(" ", 1<<20) // a kilobyte on the wire
	_, err = stub.Call(t.Context(), conn, &getPet, &GetPetRequest{Name: "rex"})
	code(t, err, concordat.ResourceExhausted, 0)
}
