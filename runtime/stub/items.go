package stub

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
)

// A Sequence knows the Go type of a request's field that is a stream of items. Items is
// the only one.
type Sequence interface {
	pull(at pointer) (next func() (pointer, error), stop func())
	set(at pointer, receive func(pointer) error, over func(error))
	push(at pointer, send func(pointer) error) error
	field() reflect.Type
}

// Items is the Sequence of a field of type iter.Seq2[*T, error].
type Items[T any] struct{}

// pull reads the sequence at a field; io.EOF is its end.
func (Items[T]) pull(at pointer) (func() (pointer, error), func()) {
	next, stop := iter.Pull2(*(*iter.Seq2[*T, error])(at))
	return func() (pointer, error) {
		item, err, ok := next()
		switch {
		case !ok:
			return nil, io.EOF
		case err == nil && item == nil:
			err = errors.New("the sequence yields nil without an error")
		}
		return pointer(item), err
	}, stop
}

// set makes the field a sequence of what receive fills, until that returns io.EOF. over
// gets the error that it ended with, or nil.
func (Items[T]) set(at pointer, receive func(pointer) error, over func(error)) {
	var used atomic.Bool
	*(*iter.Seq2[*T, error])(at) = func(yield func(*T, error) bool) {
		if used.Swap(true) {
			yield(nil, errUsed())
			return
		}
		pour(yield, receive, over)
	}
}

// pour yields what receive fills, until that returns io.EOF.
func pour[T any](yield func(*T, error) bool, receive func(pointer) error, over func(error)) {
	var failure error
	defer func() { over(failure) }()
	for {
		item := new(T)
		err := receive(pointer(item))
		if err == io.EOF {
			return
		}
		if err != nil {
			failure = err
			yield(nil, err)
			return
		}
		if !yield(item, nil) {
			return
		}
	}
}

// push sends what the field's sequence yields.
func (Items[T]) push(at pointer, send func(pointer) error) error {
	return pump(*(*iter.Seq2[*T, error])(at), send)
}

// pump sends what seq yields.
func pump[T any](seq iter.Seq2[*T, error], send func(pointer) error) error {
	for item, err := range seq {
		if err == nil && item == nil {
			err = errors.New("the handler's stream yields nil without an error")
		}
		if err == nil {
			err = send(pointer(item))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (Items[T]) field() reflect.Type { return reflect.TypeFor[iter.Seq2[*T, error]]() }

// errUsed is the error of a stream that is ranged over again.
func errUsed() error {
	return concordat.Errorf(concordat.FailedPrecondition, "a stream can be ranged over once; make the call again")
}

// checkItems checks the field of a streamed body.
func checkItems[T any](what string, items Sequence, off uintptr) error {
	t := reflect.TypeFor[T]()
	for i := 0; t.Kind() == reflect.Struct && i < t.NumField(); i++ {
		if f := t.Field(i); f.Offset == off && f.Type == items.field() {
			return nil
		}
	}
	return fmt.Errorf("%s: no field of type %v of %s lies at offset %d", what, items.field(), t, off)
}

// outgoing is a streamed request body: it encodes an item when the transport asks for more.
type outgoing struct {
	part *part
	next func() (pointer, error)
	stop func()
	rest bytes.Buffer
	buf  []byte

	mu     sync.Mutex // held while next runs
	closed atomic.Bool
	failed atomic.Pointer[error]
}

// sequence is the payload of a streamed body.
func sequence(p *part, items Sequence, in pointer) payload {
	o := &outgoing{part: p.ofItem()}
	o.next, o.stop = items.pull(unsafe.Add(in, p.Off))
	return payload{media: p.header, stream: o, size: -1, opened: new(atomic.Bool), items: o}
}

// Read gives the rest of an item, or the next one.
func (o *outgoing) Read(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() {
		if o.closed.Load() { // meanwhile
			o.stop()
		}
	}()
	for o.rest.Len() == 0 {
		if o.closed.Load() {
			return 0, http.ErrBodyReadAfterClose
		}
		item, err := o.next()
		if err == nil {
			o.buf, err = appendItem(o.buf[:0], o.part, false, item, codec.Request)
			if err != nil {
				err = refused(err)
			}
		}
		if err != nil {
			if err != io.EOF {
				o.failed.Store(&err)
			}
			return 0, err
		}
		o.rest.Write(o.buf)
	}
	return o.rest.Read(b)
}

// release ends the sequence, unless the transport is waiting for it: then that does.
func (o *outgoing) release() {
	o.closed.Store(true)
	if o.mu.TryLock() {
		defer o.mu.Unlock()
		o.stop()
	}
}

// blame is err, or what the caller's own sequence failed with, which led to err.
func (p *payload) blame(err error) error {
	if p.items == nil || err == nil {
		return err
	}
	if own := p.items.failed.Load(); own != nil {
		return *own
	}
	return err
}

// receive makes the field of the argument a sequence of what the request's body holds.
// The handler gets an error for an item that does not hold to the contract.
func (h *handler) receive(r *http.Request, p *part, items Sequence, base pointer) {
	in := newTexts(r.Body, p.ofItem(), codec.Request, h.server.MaxBody(), func(err error) error {
		wrong := new(invalid)
		collect(&wrong.body, err)
		return wrong.err()
	})
	items.set(unsafe.Add(base, p.Off), func(item pointer) error {
		err := in.next(item)
		if err == nil || err == io.EOF {
			return err
		}
		if cause := ended(r.Context()); cause != nil {
			return cause
		}
		if _, ok := errors.AsType[*concordat.Error](err); ok {
			return err
		}
		return unreadable(err)
	}, func(error) {})
}
