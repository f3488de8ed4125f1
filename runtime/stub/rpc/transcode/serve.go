package transcode

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	concordat "github.com/concordat-dev/concordat/runtime"
)

func (h *handler) call(r *http.Request) *concordat.Call {
	return &concordat.Call{Spec: h.spec, Side: concordat.Incoming, Meta: r.Header, Peer: r.RemoteAddr}
}

// unary answers one message by one. A request that does not fit passes the interceptors,
// too, which may refuse it for a better reason and count it.
func (h *handler) unary(w http.ResponseWriter, r *http.Request, path []string) {
	in, err := h.request(r, path)
	h.single(w, r, in, h.unless(err))
}

func (h *handler) clientStream(w http.ResponseWriter, r *http.Request, path []string) {
	h.single(w, r, h.requests(h.texts(r, path)), h.run)
}

// unless is the end of a call whose request is wrong.
func (h *handler) unless(err error) concordat.Next {
	if err == nil {
		return h.run
	}
	return func(context.Context, any) (any, error) { return nil, err }
}

// single runs a call with one reply.
func (h *handler) single(w http.ResponseWriter, r *http.Request, in any, next concordat.Next) {
	call := h.call(r)
	out, err := h.server.Intercept(r.Context(), call, in, next)
	beside(w.Header(), call.ReplyMeta)
	beside(w.Header(), call.ReplyTrailer)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	body, media, err := h.reply(out)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	write(w, r, http.StatusOK, media, body)
}

func (h *handler) reply(out any) ([]byte, string, error) {
	msg, ok := out.(proto.Message)
	if !ok || msg.ProtoReflect().Descriptor() != h.out.Descriptor() {
		return nil, "", swapped("reply", out)
	}
	if !msg.ProtoReflect().IsValid() {
		return nil, "", concordat.Errorf(concordat.Internal, "the handler returned neither a reply nor an error")
	}
	return h.encode(msg)
}

func (h *handler) serverStream(w http.ResponseWriter, r *http.Request, path []string) {
	in, err := h.request(r, path)
	h.stream(w, r, in, h.unless(err))
}

func (h *handler) bidi(w http.ResponseWriter, r *http.Request, path []string) {
	_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 is anyway
	h.stream(w, r, h.requests(h.texts(r, path)), h.run)
}

// stream runs a call whose replies are a stream.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, in any, next concordat.Next) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	call := h.call(r)
	out, err := h.server.Intercept(ctx, call, in, next)
	if err != nil {
		beside(w.Header(), call.ReplyMeta)
		h.fail(w, r, err)
		return
	}
	end := call.Stream()
	s := &sender{handler: h, w: w, r: r, call: call}
	seq, ok := h.replies(out)
	if !ok {
		err = swapped("reply stream", out)
	} else {
		err = s.pump(seq)
	}
	end(err)
	s.finish(err)
}

// opened is the stream that a handler returned. The call goes on until it ends.
func opened[Out any](ctx context.Context, seq iter.Seq2[*Out, error]) (any, error) {
	if seq == nil {
		return nil, concordat.Errorf(concordat.Internal, "the handler returned no stream")
	}
	if call := concordat.CallOf(ctx); call != nil {
		call.Stream()
	}
	return seq, nil
}

// untyped is a stream of Out as one of messages.
func untyped[Out any](v any) (iter.Seq2[proto.Message, error], bool) {
	seq, ok := v.(iter.Seq2[*Out, error])
	if !ok {
		return nil, false
	}
	return func(yield func(proto.Message, error) bool) {
		for msg, err := range seq {
			m, _ := any(msg).(proto.Message)
			if !yield(m, err) {
				return
			}
		}
	}, true
}

// typed is what receive returns until io.EOF, as a stream of In, once.
func typed[In any](receive func() (proto.Message, error)) any {
	var used atomic.Bool
	return iter.Seq2[*In, error](func(yield func(*In, error) bool) {
		if used.Swap(true) {
			yield(nil, concordat.Errorf(concordat.FailedPrecondition, "a stream can be ranged over once"))
			return
		}
		for {
			msg, err := receive()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if in, ok := any(msg).(*In); !ok || !yield(in, nil) {
				return
			}
		}
	})
}
