package runtime

import "net/http"

// A Code classifies failures the same way for REST, gRPC and messages. Values and names
// are gRPC's (github.com/grpc/grpc, doc/statuscodes.md).
type Code uint8

// The codes.
const (
	OK                 Code = iota
	Canceled                // the caller gave up
	Unknown                 // nothing better is known
	InvalidArgument         // the request is wrong, whatever the state of the system
	DeadlineExceeded        // too late; the work may have been done
	NotFound                // no such thing
	AlreadyExists           // it is there already
	PermissionDenied        // known, but not allowed
	ResourceExhausted       // a quota, a rate or a size
	FailedPrecondition      // the state of the system forbids it
	Aborted                 // lost a race; start over
	OutOfRange              // past the end
	Unimplemented           // not here
	Internal                // a broken invariant
	Unavailable             // not now; try again
	DataLoss                // gone for good
	Unauthenticated         // who are you?

	codes = int(Unauthenticated) + 1
)

var codeNames = [codes]string{
	"ok", "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found",
	"already_exists", "permission_denied", "resource_exhausted", "failed_precondition",
	"aborted", "out_of_range", "unimplemented", "internal", "unavailable", "data_loss",
	"unauthenticated",
}

// String returns the name in snake case: "not_found".
func (c Code) String() string {
	if int(c) < codes {
		return codeNames[c]
	}
	return "unknown"
}

var codeStatus = [codes]int{
	OK: 200, Canceled: 499, Unknown: 500, InvalidArgument: 400, DeadlineExceeded: 504,
	NotFound: 404, AlreadyExists: 409, PermissionDenied: 403, ResourceExhausted: 429,
	FailedPrecondition: 400, Aborted: 409, OutOfRange: 400, Unimplemented: 501,
	Internal: 500, Unavailable: 503, DataLoss: 500, Unauthenticated: 401,
}

// HTTPStatus returns the HTTP status that stands for c where the contract names none.
// The mapping is that of google/rpc/code.proto.
func HTTPStatus(c Code) int {
	if int(c) < codes {
		return codeStatus[c]
	}
	return http.StatusInternalServerError
}

// CodeOf returns the code that stands for an HTTP status: OK for 1xx and 2xx, the
// nearest code for those that have one, InvalidArgument for other 4xx, Internal for
// other 5xx, Unknown for everything else, redirects included.
func CodeOf(status int) Code {
	if c, ok := statusCode[status]; ok {
		return c
	}
	switch {
	case status >= 100 && status < 300:
		return OK
	case status >= 400 && status < 500:
		return InvalidArgument
	case status >= 500 && status < 600:
		return Internal
	}
	return Unknown
}

var statusCode = map[int]Code{
	http.StatusUnauthorized:                 Unauthenticated,
	http.StatusForbidden:                    PermissionDenied,
	http.StatusNotFound:                     NotFound,
	http.StatusMethodNotAllowed:             Unimplemented,
	http.StatusRequestTimeout:               DeadlineExceeded,
	http.StatusConflict:                     AlreadyExists,
	http.StatusGone:                         NotFound,
	http.StatusPreconditionFailed:           FailedPrecondition,
	http.StatusRequestEntityTooLarge:        ResourceExhausted,
	http.StatusRequestedRangeNotSatisfiable: OutOfRange,
	http.StatusPreconditionRequired:         FailedPrecondition,
	http.StatusTooManyRequests:              ResourceExhausted,
	499:                                     Canceled,
	http.StatusNotImplemented:               Unimplemented,
	http.StatusBadGateway:                   Unavailable,
	http.StatusServiceUnavailable:           Unavailable,
	http.StatusGatewayTimeout:               DeadlineExceeded,
}
