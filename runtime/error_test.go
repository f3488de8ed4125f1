package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
)

func TestCodesAndStatuses(t *testing.T) {
	for c := OK; int(c) < codes; c++ {
		s := HTTPStatus(c)
		if c.String() == "" || s == 0 {
			t.Errorf("code %d has no name or status", c)
		}
		// What has a status of its own survives the way there and back.
		back := map[Code]Code{Unknown: Internal, DataLoss: Internal, FailedPrecondition: InvalidArgument, OutOfRange: InvalidArgument, Aborted: AlreadyExists}
		want, shares := back[c]
		if !shares {
			want = c
		}
		if got := CodeOf(s); got != want {
			t.Errorf("%v → %d → %v, want %v", c, s, got, want)
		}
	}
	for status, want := range map[int]Code{
		100: OK, 204: OK, 302: Unknown, 400: InvalidArgument, 418: InvalidArgument, 405: Unimplemented,
		410: NotFound, 412: FailedPrecondition, 413: ResourceExhausted, 416: OutOfRange, 422: InvalidArgument,
		502: Unavailable, 507: Internal, 0: Unknown, 600: Unknown,
	} {
		if got := CodeOf(status); got != want {
			t.Errorf("%d: %v, want %v", status, got, want)
		}
	}
	if HTTPStatus(200) != 500 || Code(200).String() != "unknown" {
		t.Error("a code out of range")
	}
}

func TestErrorIsFriendly(t *testing.T) {
	type problem struct{ Title string }
	err := fmt.Errorf("outer: %w", Errorf(NotFound, "no thing %d: %w", 7, io.EOF).With(&problem{"none"}))
	if !errors.Is(err, io.EOF) {
		t.Error("the cause is lost")
	}
	if p, ok := Detail[problem](err); !ok || p.Title != "none" {
		t.Error("the detail is lost")
	}
	if _, ok := Detail[string](err); ok {
		t.Error("a detail of another type")
	}
	if _, ok := Detail[problem](io.EOF); ok {
		t.Error("a detail of no Error")
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.Error() != "not_found: no thing 7: EOF" || e.HTTPStatus() != 404 {
		t.Errorf("%v", e)
	}
	two := Errorf(Internal, "%w and %w", io.EOF, io.ErrClosedPipe)
	if !errors.Is(two, io.EOF) || !errors.Is(two, io.ErrClosedPipe) {
		t.Error("one of two causes is lost")
	}
	if s := (&Error{Code: InvalidArgument, Status: 422}).Error(); s != "invalid_argument (HTTP 422)" {
		t.Error(s)
	}
}

func TestErrorOf(t *testing.T) {
	if ErrorOf(nil) != nil || codeOf(nil) != OK {
		t.Error("nil")
	}
	typed := Errorf(Aborted, "x")
	for err, want := range map[error]Code{
		typed:                         Aborted,
		fmt.Errorf("a: %w", typed):    Aborted,
		context.DeadlineExceeded:      DeadlineExceeded,
		context.Canceled:              Canceled,
		&http.MaxBytesError{Limit: 5}: ResourceExhausted,
		io.EOF:                        Unknown,
	} {
		e := ErrorOf(err)
		if e.Code != want || codeOf(err) != want || !errors.Is(e, err) && !errors.Is(err, e) {
			t.Errorf("%v: %v", err, e)
		}
	}
	if ErrorOf(&http.MaxBytesError{Limit: 5}).HTTPStatus() != 413 {
		t.Error("a body over the limit is 413")
	}
	if !errors.Is(&Error{Code: DeadlineExceeded}, context.DeadlineExceeded) || !errors.Is(&Error{Code: Canceled}, context.Canceled) {
		t.Error("codes that say the same as a context's errors")
	}
	if errors.Is(&Error{Code: Internal}, context.Canceled) {
		t.Error("Internal is not Canceled")
	}
}
