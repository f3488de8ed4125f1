package transcode

import (
	"iter"
	"net/http"
	"runtime/debug"

	"google.golang.org/protobuf/proto"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// A sender writes a stream of replies.
type sender struct {
	*handler
	w    http.ResponseWriter
	r    *http.Request
	call *concordat.Call
	sent bool // the status and maybe messages
}

// pump sends what seq yields. A panic in it becomes an Internal error, as Intercept does
// for everything before.
func (s *sender) pump(seq iter.Seq2[proto.Message, error]) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.server.Logger().Error("concordat: a handler panicked", "operation", s.spec.Name, "panic", p, "stack", string(debug.Stack()))
			err = concordat.Errorf(concordat.Internal, "internal error")
		}
	}()
	for msg, err := range seq {
		if err != nil {
			return err
		}
		if err := s.send(msg); err != nil {
			return err
		}
	}
	return nil
}

// send writes one message: a line of JSON, or a piece of a body of another media type.
func (s *sender) send(msg proto.Message) error {
	body, media, err := s.reply(msg)
	if err != nil {
		return err
	}
	if media == jsonMedia {
		media, body = ndjson, append(body, '\n')
	}
	s.begin(media)
	if s.r.Method == http.MethodHead {
		return nil
	}
	if _, err := s.w.Write(body); err != nil {
		return concordat.Errorf(concordat.Canceled, "the client does not listen any more: %w", err)
	}
	return http.NewResponseController(s.w).Flush()
}

func (s *sender) begin(media string) {
	if s.sent {
		return
	}
	s.sent = true
	header := s.w.Header()
	beside(header, s.call.ReplyMeta)
	header.Set("Content-Type", media)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Del("Content-Length")
	s.w.WriteHeader(http.StatusOK)
}

// finish ends the stream. A failure behind messages is a last line, {"error": status}, and
// then the reply breaks off, so that nobody takes it for whole.
func (s *sender) finish(err error) {
	switch {
	case err == nil:
		s.begin(ndjson)
	case !s.sent:
		beside(s.w.Header(), s.call.ReplyMeta)
		s.fail(s.w, s.r, err)
	default:
		body, _ := s.failure(s.r.Context(), err)
		_, _ = s.w.Write(append(append([]byte(`{"error":`), body...), "}\n"...))
		_ = http.NewResponseController(s.w).Flush()
		panic(http.ErrAbortHandler)
	}
}
