package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// fromWire turns what connect-go returns into our error. Codes have the same numbers. Of
// several details the first known one becomes Detail; the others stay in the cause.
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
	e := concordat.Errorf(concordat.Code(ce.Code()), "%w", err)
	e.Message = ce.Message()
	for _, d := range ce.Details() {
		if v, err := d.Value(); err == nil {
			e.Detail = v
			break
		}
	}
	return e
}

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
	if m, ok := e.Detail.(proto.Message); ok {
		if d, err := connect.NewErrorDetail(m); err == nil {
			out.AddDetail(d)
		}
	}
	return out
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
