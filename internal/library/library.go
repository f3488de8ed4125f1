// Package library implements the contract of contracts/library.proto for tests: what it is
// asked it mostly gives back, so that they see what arrived.
//
// It imports runtime, its generated package, genproto's httpbody and protobuf-go.
package library

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	pb "github.com/concordat-dev/concordat/internal/library/library"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// Echo is the library.
type Echo struct{}

var _ pb.Library = Echo{}

// GetBook returns a book of that name. One called "none" is not there, which a detail
// says, too, and "panic" panics.
func (Echo) GetBook(ctx context.Context, in *pb.GetBookRequest) (*pb.Book, error) {
	concordat.CallOf(ctx).SetReply("X-Shelf", "upstairs")
	switch {
	case strings.HasSuffix(in.GetName(), "/none"):
		return nil, concordat.Errorf(concordat.NotFound, "no %s", in.GetName()).With(&pb.Author{GivenName: new("nobody")})
	case strings.HasSuffix(in.GetName(), "/panic"):
		panic("a book fell down")
	}
	return &pb.Book{Name: proto.String(in.GetName()), Genre: pb.Genre_GENRE_NOVEL.Enum()}, nil
}

// ListBooks returns two books and what it was asked.
func (Echo) ListBooks(_ context.Context, in *pb.ListBooksRequest) (*pb.ListBooksResponse, error) {
	one := &pb.Book{Name: new("one"), Pages: 9007199254740993}
	return &pb.ListBooksResponse{Books: []*pb.Book{one, {Name: new("two")}}, Asked: in}, nil
}

// CreateBook names the book after its shelf.
func (Echo) CreateBook(_ context.Context, in *pb.CreateBookRequest) (*pb.Book, error) {
	out := proto.CloneOf(in.GetBook())
	out.Name = new(in.GetParent() + "/books/" + in.GetBookId())
	return out, nil
}

// UpdateBook returns the book with the mask as its tags.
func (Echo) UpdateBook(_ context.Context, in *pb.UpdateBookRequest) (*pb.Book, error) {
	out := proto.CloneOf(in.GetBook())
	out.Tags = in.GetUpdateMask().GetPaths()
	return out, nil
}

// MoveBook returns the book under its new name.
func (Echo) MoveBook(_ context.Context, in *pb.MoveBookRequest) (*pb.Book, error) {
	return &pb.Book{Name: new(in.GetName() + " on " + in.GetOtherShelf())}, nil
}

// DeleteBook does nothing.
func (Echo) DeleteBook(context.Context, *pb.GetBookRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// ReadPage returns HTML that shows the path.
func (Echo) ReadPage(_ context.Context, in *pb.ReadPageRequest) (*httpbody.HttpBody, error) {
	return &httpbody.HttpBody{ContentType: "text/html", Data: []byte("<p>" + in.GetPath())}, nil
}

// WritePage returns what is known of the page.
func (Echo) WritePage(_ context.Context, in *pb.WritePageRequest) (*pb.Page, error) {
	return &pb.Page{Path: new(in.GetPath()), Media: new(in.GetContent().GetContentType()), Size: new(int32(len(in.GetContent().GetData())))}, nil
}

// WatchShelf yields as many events as asked for, and fails then where that is asked for.
func (Echo) WatchShelf(_ context.Context, in *pb.WatchShelfRequest) iter.Seq2[*pb.Event, error] {
	return func(yield func(*pb.Event, error) bool) {
		for i := range in.GetCount() {
			if !yield(&pb.Event{What: new(in.GetName()), Number: new(i)}, nil) {
				return
			}
		}
		if in.GetFail() {
			yield(nil, concordat.Errorf(concordat.Aborted, "the shelf fell down"))
		}
	}
}

// ImportBooks counts books.
func (Echo) ImportBooks(_ context.Context, in iter.Seq2[*pb.CreateBookRequest, error]) (*pb.ImportBooksResponse, error) {
	out := &pb.ImportBooksResponse{}
	for req, err := range in {
		if err != nil {
			return nil, err
		}
		out.Names = append(out.Names, req.GetParent()+"/"+req.GetBook().GetName())
	}
	out.Count = new(int32(len(out.Names)))
	return out, nil
}

// Echo returns what it is sent.
func (Echo) Echo(_ context.Context, in iter.Seq2[*pb.Event, error]) iter.Seq2[*pb.Event, error] {
	return func(yield func(*pb.Event, error) bool) {
		for e, err := range in {
			if err == io.EOF || !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Purge fails.
func (Echo) Purge(_ context.Context, in *pb.GetBookRequest) (*emptypb.Empty, error) {
	return nil, fmt.Errorf("cannot purge %s: this text is not for strangers", in.GetName())
}
