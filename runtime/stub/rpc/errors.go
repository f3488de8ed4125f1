package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// fromWire turns what connect-go returns into our error. Codes have the same numbers.
func fromWire(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*concordat.Error](err); ok {
		return e
	}
	ce, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return concordat.ErrorOf(err)
	}
	e := &concordat.Error{Code: concordat.Code(ce.Code()), Message: ce.Message()}
	if !connect.IsWireError(err) { // what the server answered has no cause on our side
		e = concordat.Errorf(e.Code, "%w", err)
		e.Message = ce.Message()
	}
	for i, d := range ce.Details() {
		if v := detail(d); i == 0 {
			e.Detail = v
		} else {
			e.More = append(e.More, v)
		}
	}
	return e
}

// detail is the message in d, or d as it is where its type is not known here.
func detail(d *connect.ErrorDetail) any {
	if v, err := d.Value(); err == nil {
		return v
	}
	return &anypb.Any{TypeUrl: typePrefix + d.Type(), Value: d.Bytes()}
}

// typePrefix is what the names of types begin with that name no other place.
const typePrefix = "type.googleapis.com/"

// failed is fromWire for the failure of a unary call, with the metadata that came along.
func failed(call *concordat.Call, err error) error {
	if ce, ok := errors.AsType[*connect.Error](err); ok {
		call.ReplyMeta = ce.Meta()
	}
	return fromWire(err)
}

// refused is toWire for a unary call, with the metadata that goes along.
func refused(ctx context.Context, s *concordat.Server, call *concordat.Call, err error) error {
	err = toWire(ctx, s, call.Spec, err)
	if ce, ok := errors.AsType[*connect.Error](err); ok {
		carry(ce.Meta(), call.ReplyMeta)
		carry(ce.Meta(), call.ReplyTrailer)
	}
	return err
}

// toWire turns what a handler returns into what connect-go sends: what Server.Public lets
// out of it.
func toWire(ctx context.Context, s *concordat.Server, spec *concordat.Spec, err error) error {
	if err == nil {
		return nil
	}
	e := s.Public(ctx, spec.Name, err)
	out := connect.NewError(codeOf(e.Code), errors.New(e.Message))
	addDetail(out, e.Detail)
	for _, more := range e.More {
		addDetail(out, more)
	}
	return out
}

// addDetail adds what can travel. The rest is for interceptors of our own side.
func addDetail(to *connect.Error, detail any) {
	m, ok := detail.(proto.Message)
	if !ok {
		return
	}
	if d, err := connect.NewErrorDetail(m); err == nil {
		to.AddDetail(d)
	}
}

// codeOf maps OK, which is no failure, to Unknown.
func codeOf(c concordat.Code) connect.Code {
	if c == concordat.OK || c > concordat.Unauthenticated {
		return connect.CodeUnknown
	}
	return connect.Code(c)
}

// swapped is the error of an interceptor that passed on something else.
func swapped(what string, v any) error {
	return concordat.Errorf(concordat.Internal, "an interceptor passed on a %T, which is no %s of this method; pass on what it was given", v, what)
}

// errUsed is the error of ranging over a stream again.
var errUsed = concordat.Errorf(concordat.FailedPrecondition, "a stream can be ranged over once; call the method again for another")
