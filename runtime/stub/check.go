package stub

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// Check holds an operation against the Go types that it ties together, and returns every
// mismatch: parameters, bodies, replies, headers, the field for the status. It uses
// reflection and is for the test that every generated package has.
func Check[In, Out any](op *Op[In, Out]) error {
	errs := []error{param.Check[In](op.Params)}
	for i := range op.Bodies {
		b := &op.Bodies[i]
		if b.Items != nil {
			errs = append(errs, checkItems[In]("body "+b.Media, b.Items, b.Off))
			continue
		}
		errs = append(errs, checkPart[In]("body "+b.Media, codec.Field{T: b.T, R: b.R, Off: b.Off, Kind: b.Kind, Flag: b.Flag}))
	}
	for i := range op.Replies {
		errs = append(errs, checkReply[Out](&op.Replies[i]))
	}
	if out := reflect.TypeFor[Out](); op.HasStatus && !hasInt(out, op.StatusOff) {
		errs = append(errs, fmt.Errorf("no field of type int of %s lies at offset %d, where the status should", out, op.StatusOff))
	}
	if method, path, ok := strings.Cut(op.Route, " "); !ok || method == "" || !strings.HasPrefix(path, "/") {
		errs = append(errs, fmt.Errorf("the route %q is not like GET /path", op.Route))
	}
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("%s: %w", op.Name, err)
		}
	}
	return errors.Join(errs...)
}

func checkReply[Out any](r *Reply) error {
	what := fmt.Sprintf("reply %d %s", r.Status, r.Media)
	f := codec.Field{T: r.T, R: r.R, Off: r.Off, Kind: r.Kind, Flag: r.Flag}
	switch {
	case r.Media == "" || !r.Failure:
		err := param.Check[Out](r.Headers)
		if r.Failure {
			err = nil // headers of failures have no field
		}
		if r.Media == "" {
			return err
		}
		if r.Items != nil {
			return errors.Join(err, checkItems[Out](what, r.Items, r.Off))
		}
		return errors.Join(err, checkPart[Out](what, f))
	case r.Kind == codec.Reader:
		return nil // read as text only
	}
	p := newPart(r.Media, f, r.Format)
	if detail, _ := newDetail(&p); detail == nil {
		return fmt.Errorf("%s: nothing knows how to allocate the detail", what)
	}
	return nil
}

// checkPart checks one body: a field of T, or T as a whole.
func checkPart[T any](what string, f codec.Field) error {
	var err error
	if _, t := f.Resolve(); t != nil && t.Go != nil && f.Off == 0 && f.Flag&(codec.Ptr|codec.Maybe) == 0 && reflect.TypeOf(t.Go) == reflect.TypeFor[*T]() {
		err = codec.Check[T](t)
	} else {
		err = codec.CheckField[T](&f, what)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func hasInt(t reflect.Type, off uintptr) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Offset == off && f.Type.Kind() == reflect.Int {
			return true
		}
	}
	return false
}
