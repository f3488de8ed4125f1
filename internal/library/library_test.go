package library_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/internal/library"
	pb "github.com/concordat-dev/concordat/internal/library/library"
	rest "github.com/concordat-dev/concordat/internal/library/rest"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// dial is a REST client, generated from the OpenAPI document of a Protobuf contract, of a
// server that implements that contract.
func dial(t *testing.T) *rest.Client {
	t.Helper()
	s := concordat.NewServer(concordat.WithLogger(slog.New(slog.DiscardHandler)))
	pb.RegisterLibrary(s, library.Echo{})
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	conn, err := concordat.NewConn(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return rest.NewClient(conn)
}

func TestClient(t *testing.T) {
	c, ctx := dial(t), t.Context()
	book, err := c.LibraryGetBook(ctx, &rest.LibraryGetBookRequest{Shelf: "a b", Book: "c/d"})
	if err != nil || *book.Name != "shelves/a b/books/c%2Fd" || *book.Genre != rest.LibraryV1GenreGenreNovel {
		t.Errorf("%+v %v", book, err)
	}
	book, err = c.LibraryCreateBook(ctx, &rest.LibraryCreateBookRequest{Shelf: "1", BookID: new("7"),
		Body: rest.LibraryV1Book{Title: new("T"), Pages: new("9007199254740993"), Tags: []string{"x"}, Labels: map[string]string{"k": "v"}}})
	if err != nil || *book.Name != "shelves/1/books/7" || *book.Pages != "9007199254740993" || book.Labels["k"] != "v" {
		t.Errorf("%+v %v", book, err)
	}
	book, err = c.LibraryUpdateBook(ctx, &rest.LibraryUpdateBookRequest{Shelf: "1", Book: "2", UpdateMask: new("title,extra"), Body: rest.LibraryV1Book{Title: new("T")}})
	if err != nil || *book.Name != "shelves/1/books/2" || !slices.Equal(book.Tags, []string{"title", "extra"}) {
		t.Errorf("%+v %v", book, err)
	}
	list, err := c.LibraryListBooks(ctx, &rest.LibraryListBooksRequest{Shelf: "1", PageSize: new(int32(5)), AuthorGivenName: new("A"),
		Genres: []rest.LibraryV1Genre{rest.LibraryV1GenreGenreNovel, rest.LibraryV1GenreGenrePoetry}, MinPages: new("3"), Cursor: []byte{0xff, 0xef}})
	if err != nil || len(list.Books) != 2 || *list.Asked.PageSize != 5 || *list.Asked.Author.GivenName != "A" || len(list.Asked.Genres) != 2 ||
		*list.Asked.MinPages != "3" || string(list.Asked.Cursor) != "\xff\xef" || *list.Asked.Parent != "shelves/1" {
		t.Errorf("%+v %v", list, err)
	}
	page, err := c.LibraryReadPage(ctx, &rest.LibraryReadPageRequest{Path: "index"})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	if raw, err := io.ReadAll(page.Body); err != nil || string(raw) != "<p>index" || page.ContentType != "text/html" {
		t.Errorf("%s %v", raw, err)
	}
	put, err := c.LibraryWritePage(ctx, &rest.LibraryWritePageRequest{Path: "x", Body: strings.NewReader("12345"), ContentType: "text/css"})
	if err != nil || *put.Size != 5 || *put.Media != "text/css" {
		t.Errorf("%+v %v", put, err)
	}
}

// Failures are a google.rpc.Status, which the document declares.
func TestClientSeesFailures(t *testing.T) {
	c := dial(t)
	_, err := c.LibraryGetBook(t.Context(), &rest.LibraryGetBookRequest{Shelf: "1", Book: "none"})
	status, ok := concordat.Detail[rest.GoogleRPCStatus](err)
	if !ok || *status.Code != 5 || *status.Message != "no shelves/1/books/none" || len(status.Details) != 1 || concordat.ErrorOf(err).Code != concordat.NotFound {
		t.Errorf("%+v %v", status, err)
	}
	_, err = c.LibraryMoveBook(t.Context(), &rest.LibraryMoveBookRequest{Shelf: "1", Book: "2", Body: rest.LibraryMoveBookBody{OtherShelf: new("")}})
	if status, ok := concordat.Detail[rest.GoogleRPCStatus](err); !ok || *status.Code != 3 || !strings.Contains(*status.Message, "other_shelf") {
		t.Errorf("%+v %v", status, err)
	}
}

func TestClientStreams(t *testing.T) {
	c := dial(t)
	var got []int32
	for e, err := range c.LibraryWatchShelf(t.Context(), &rest.LibraryWatchShelfRequest{Shelf: "1", Count: new(int32(3))}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, *e.Number)
	}
	if !slices.Equal(got, []int32{0, 1, 2}) {
		t.Error(got)
	}
	// A stream that fails half way is not taken for whole.
	var failure error
	for _, err := range c.LibraryWatchShelf(t.Context(), &rest.LibraryWatchShelfRequest{Shelf: "1", Count: new(int32(1)), Fail: new(true)}) {
		failure = err
	}
	if failure == nil {
		t.Error("a stream that broke off ended well")
	}
}
