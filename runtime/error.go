package runtime

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// An Error is the one error type that crosses the wire. Programs return it from
// handlers and find it, with errors.AsType or errors.As, in what calls return.
type Error struct {
	Code    Code
	Status  int    // the HTTP status, where there is one; 0 means that of Code
	Message string // for people; says what to do next where that is known
	Detail  any    // *T of the failure that the contract declares; see [Detail]
	// More are further details, where there are several: a status of gRPC may have any
	// number. Messages of a type that the program does not know are *anypb.Any.
	More  []any
	cause error
	// inner says that a call of our own failed on its way: addresses and the like in
	// Message are not for those whom we serve.
	inner bool
}

// Error returns "not_found: no customer 42". A status that the code does not imply is
// shown, too.
func (e *Error) Error() string {
	s := e.Code.String()
	if e.Status != 0 && e.Status != HTTPStatus(e.Code) {
		s += " (HTTP " + strconv.Itoa(e.Status) + ")"
	}
	if e.Message == "" {
		return s
	}
	return s + ": " + e.Message
}

// Unwrap returns the cause, if it is known.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the context error that says the same as Code, so that
// errors.Is(err, context.DeadlineExceeded) holds whichever side noticed.
func (e *Error) Is(target error) bool {
	switch target {
	case context.DeadlineExceeded:
		return e.Code == DeadlineExceeded
	case context.Canceled:
		return e.Code == Canceled
	}
	return false
}

// HTTPStatus returns Status, or the status that stands for Code.
func (e *Error) HTTPStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	return HTTPStatus(e.Code)
}

// With sets Detail, and More where there are several, and returns e:
//
//	return nil, concordat.Errorf(concordat.NotFound, "no customer %s", id).With(&users.Problem{…})
func (e *Error) With(detail any, more ...any) *Error {
	e.Detail, e.More = detail, more
	return e
}

// Errorf returns an error with a code. %w keeps a cause, as in fmt.Errorf.
func Errorf(c Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: c, Message: err.Error(), cause: causeOf(err)}
}

// causeOf returns what err wraps, by one %w or by several.
func causeOf(err error) error {
	if u, ok := err.(interface{ Unwrap() []error }); ok {
		return errors.Join(u.Unwrap()...)
	}
	return errors.Unwrap(err)
}

// Detail returns the typed body of the failure in err's tree, or the first further detail
// of the type:
//
//	if p, ok := concordat.Detail[users.Problem](err); ok { … }
func Detail[T any](err error) (*T, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return nil, false
	}
	if d, ok := e.Detail.(*T); ok {
		return d, true
	}
	for _, more := range e.More {
		if d, ok := more.(*T); ok {
			return d, true
		}
	}
	return nil, false
}

// ErrorOf returns the *Error in err's tree, or one that says the same: context errors
// become DeadlineExceeded and Canceled, a body over the limit ResourceExhausted with
// status 413, and everything else Unknown. nil stays nil.
func ErrorOf(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		return e
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Error{Code: ResourceExhausted, Status: http.StatusRequestEntityTooLarge, cause: err,
			Message: fmt.Sprintf("the body is larger than %d bytes; WithMaxBody sets the limit", tooLarge.Limit)}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: DeadlineExceeded, Message: err.Error(), cause: err}
	case errors.Is(err, context.Canceled):
		return &Error{Code: Canceled, Message: err.Error(), cause: err}
	}
	return &Error{Code: Unknown, Message: err.Error(), cause: err}
}

// codeOf is ErrorOf(err).Code without allocations.
func codeOf(err error) Code {
	switch e := err.(type) {
	case nil:
		return OK
	case *Error:
		return e.Code
	}
	return ErrorOf(err).Code
}
