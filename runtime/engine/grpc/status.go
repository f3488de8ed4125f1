package grpcengine

import (
	"context"
	"errors"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// An answer is what came of a call that failed.
type answer struct {
	header, trailer metadata.MD
	meta            concordat.Meta
	sent            bool // the request may have left
}

// came reports whether the server said anything: a reply has a content type, wherever its
// headers are.
func (a answer) came(s *status.Status) bool {
	if len(a.trailer) > 0 {
		return true
	}
	broken := s.Code() == codes.Unavailable && strings.HasPrefix(s.Message(), "error reading from server")
	return len(a.header) > 0 && !broken
}

// fromStatus turns what grpc-go returns into our error, and tells a what it means.
func fromStatus(ctx context.Context, a *concordat.Attempt, err error, got answer) error {
	s := status.Convert(err)
	if !got.came(s) {
		switch c := s.Code(); {
		case ctx.Err() != nil && (c == codes.DeadlineExceeded || c == codes.Canceled || c == codes.Unavailable),
			c == codes.Unavailable:
			return a.Broke(ctx, errors.New(s.Message()), got.sent)
		}
		return ofStatus(s)
	}
	meta := got.meta
	if meta == nil {
		meta = concordat.Meta{}
	}
	a.Answered(ctx, meta)
	return ofStatus(s)
}

// ofStatus is s as our error.
func ofStatus(s *status.Status) *concordat.Error {
	e := &concordat.Error{Code: codeOf(s.Code()), Message: s.Message()}
	if e.Code == concordat.Internal && strings.HasPrefix(e.Message, "cardinality violation") {
		e.Code = concordat.Unimplemented // as the default engine and gRPC's specification have it
	}
	for i, d := range s.Proto().GetDetails() {
		var v any = d
		if m, err := d.UnmarshalNew(); err == nil {
			v = m
		}
		if i == 0 {
			e.Detail = v
		} else {
			e.More = append(e.More, v)
		}
	}
	return e
}

func codeOf(c codes.Code) concordat.Code {
	if c > codes.Unauthenticated {
		return concordat.Unknown
	}
	return concordat.Code(c)
}

// toStatus is what the other side may see of err.
func toStatus(e *concordat.Error) error {
	code := codes.Code(e.Code)
	if code == codes.OK || code > codes.Unauthenticated {
		code = codes.Unknown
	}
	out := &spb.Status{Code: int32(code), Message: e.Message}
	addDetail(out, e.Detail)
	for _, more := range e.More {
		addDetail(out, more)
	}
	return status.ErrorProto(out)
}

// addDetail adds what can travel. A detail whose type we do not know is passed on.
func addDetail(to *spb.Status, detail any) {
	m, ok := detail.(proto.Message)
	if !ok {
		return
	}
	packed, ok := m.(*anypb.Any)
	if !ok {
		var err error
		if packed, err = anypb.New(m); err != nil {
			return
		}
	}
	to.Details = append(to.Details, packed)
}
