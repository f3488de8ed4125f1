package stub

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
)

// A problem is RFC 9457's body. Without a type, the title is the status's own.
type problem struct {
	Title  string   `json:"title"`
	Status int      `json:"status"`
	Detail string   `json:"detail,omitempty"`
	Code   string   `json:"code"`
	Errors []reason `json:"errors,omitempty"`
}

// A reason is one violation of the contract: in the body, by JSON pointer, or in a
// parameter, by place and name.
type reason struct {
	Pointer   *string    `json:"pointer,omitempty"`
	In        string     `json:"in,omitempty"`
	Parameter string     `json:"parameter,omitempty"`
	Code      codec.Code `json:"code"`
	Detail    string     `json:"detail"`
}

// writeProblem writes a failure that the contract does not declare. A request that does
// not hold to the contract is answered with all that is wrong with it.
func writeProblem(w http.ResponseWriter, r *http.Request, s *concordat.Server, err error) {
	wrong, ok := errors.AsType[*invalid](err)
	if !ok {
		s.WriteError(w, r, err)
		return
	}
	p := problem{Status: wrong.status(), Detail: clip("the request does not hold to the contract: " + wrong.Error()), Code: concordat.InvalidArgument.String()}
	p.Title = http.StatusText(p.Status)
	for _, v := range wrong.params.Violations {
		in, name, _ := strings.Cut(strings.TrimPrefix(v.Pointer, "/"), "/")
		p.Errors = append(p.Errors, reason{In: in, Parameter: unpointer(name), Code: v.Code, Detail: v.Message})
	}
	for _, v := range wrong.body.Violations {
		p.Errors = append(p.Errors, reason{Pointer: new("#" + (&url.URL{Path: v.Pointer}).EscapedPath()), Code: v.Code, Detail: v.Message})
	}
	body, err := json.Marshal(p)
	if err != nil {
		s.WriteError(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is gone; nobody is left to tell
}

// unpointer undoes the escapes of RFC 6901 in one token.
func unpointer(s string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
}
