package roundtrip

import (
	"fmt"
	"reflect"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
)

// streams calls an operation that takes or gives streams of items, with what its contract
// allows: once without an item, and then with some; and then has it fail.
func (c *restCase) streams() {
	for n := range c.Draws {
		c.streamed(n)
	}
	if c.out == nil {
		for i := range c.op.Replies {
			if c.op.Replies[i].Failure {
				c.streamFails(i)
			}
		}
	}
}

// streamed makes one call with n items each way.
func (c *restCase) streamed(n int) {
	c.t.Helper()
	in, sent, want := c.streamRequest(n)
	seen := ""
	var out reflect.Value
	var wanted string
	if c.out != nil { // a stream for one reply
		if out = c.result(0); out.IsValid() {
			wanted = show(out.Elem().Interface())
		}
	}
	items, shown := c.items(n)
	if !in.IsValid() || c.out != nil && !out.IsValid() || c.out == nil && items == nil {
		return
	}
	c.answer(func(args []reflect.Value) []reflect.Value {
		got := collected(field(args[1].Elem(), c.op))
		seen = show(without(args[1].Elem(), c.op)) + got
		if c.out != nil {
			return results(c.impl.MethodByName(c.method).Type(), out, nil)
		}
		t := c.client.MethodByName(c.method).Type().Out(0)
		return []reflect.Value{sequence(t, items, nil)}
	})
	res := c.client.MethodByName(c.method).Call([]reflect.Value{reflect.ValueOf(c.t.Context()), in})
	var got string
	if c.out == nil {
		got, wanted = collected(res[0]), shown
	} else if err, _ := res[1].Interface().(error); err != nil {
		c.t.Errorf("the call failed: %v", err)
		return
	} else {
		got = show(res[0].Elem().Interface())
	}
	if seen != want+sent {
		c.t.Errorf("the server saw another request, %s", differ(want+sent, seen))
	}
	if got != wanted {
		c.t.Errorf("the client got another reply, %s", differ(wanted, got))
	}
}

// streamRequest draws a request whose body, where that is a stream, has n items.
func (c *restCase) streamRequest(n int) (in reflect.Value, sent, want string) {
	if len(c.op.Bodies) == 0 || c.op.Bodies[0].Items == nil {
		if in = c.request(); in.IsValid() {
			want = show(in.Elem().Interface())
		}
		return in, "", want
	}
	b := c.op.Bodies[0]
	in = reflect.New(c.in)
	d := &drawer{Rand: c.r, drop: codec.ReadOnly}
	d.params(in.Elem(), c.op.Params)
	f := field(in.Elem(), c.op)
	of := f.Type().In(0).In(0).Elem()
	items, sent := draw(d, n, of, codec.Field{T: b.T, R: b.R, Kind: b.Kind, Flag: b.Flag | codec.Req})
	if d.err != nil {
		c.t.Logf("no request: %v", d.err)
		return reflect.Value{}, "", ""
	}
	f.Set(sequence(f.Type(), items, nil))
	return in, sent, show(without(in.Elem(), c.op))
}

// items draws what the stream of a reply yields; nil where nothing could be drawn.
func (c *restCase) items(n int) (items []reflect.Value, shown string) {
	if c.out != nil {
		return nil, ""
	}
	for _, r := range c.op.Replies {
		if r.Failure || r.Media == "" {
			continue
		}
		d := &drawer{Rand: c.r, drop: codec.WriteOnly}
		of := c.client.MethodByName(c.method).Type().Out(0).In(0).In(0).Elem()
		items, shown = draw(d, n, of, codec.Field{T: r.T, R: r.R, Kind: r.Kind, Flag: r.Flag | codec.Req, Off: r.Off})
		if d.err != nil {
			c.t.Logf("no items: %v", d.err)
			return nil, ""
		}
		return items, shown
	}
	return nil, ""
}

// draw draws n items of a type.
func draw(d *drawer, n int, of reflect.Type, f codec.Field) (items []reflect.Value, shown string) {
	items = []reflect.Value{}
	for range n {
		item := reflect.New(of)
		d.body(item.Elem(), "application/json", f)
		items = append(items, item)
		shown += show(item.Elem().Interface()) + "\n"
	}
	return items, shown
}

// field is the field of a request that is a stream; an invalid value where there is none.
func field(in reflect.Value, op *operation) reflect.Value {
	if len(op.Bodies) == 0 || op.Bodies[0].Items == nil {
		return reflect.Value{}
	}
	return in.FieldByName("Body")
}

// without is a request without its stream, which cannot be compared.
func without(in reflect.Value, op *operation) any {
	c := reflect.New(in.Type()).Elem()
	c.Set(in)
	if f := field(c, op); f.IsValid() {
		f.SetZero()
	}
	return c.Interface()
}

// sequence makes an iter.Seq2[*T, error] of items and an error.
func sequence(t reflect.Type, items []reflect.Value, err error) reflect.Value {
	none := reflect.Zero(reflect.TypeFor[error]())
	return reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
		for _, item := range items {
			if !args[0].Call([]reflect.Value{item, none})[0].Bool() {
				return nil
			}
		}
		if err != nil {
			args[0].Call([]reflect.Value{reflect.Zero(t.In(0).In(0)), reflect.ValueOf(&err).Elem()})
		}
		return nil
	})
}

// collected ranges over a sequence and shows what it yields.
func collected(seq reflect.Value) (shown string) {
	if !seq.IsValid() || seq.IsNil() {
		return ""
	}
	for item, err := range seq.Seq2() {
		if e, _ := err.Interface().(error); e != nil {
			return shown + fmt.Sprintf("error %v", e)
		}
		shown += show(item.Elem().Interface()) + "\n"
	}
	return shown
}

// streamFails has a stream fail as the contract declares it, before its first item.
func (c *restCase) streamFails(i int) {
	reply := c.op.Replies[i]
	status := statusOf(c.op, reply.Status, 400)
	failure := &concordat.Error{Code: concordat.CodeOf(status), Status: status, Message: "no"}
	if detail := c.detail(reply); detail.IsValid() {
		failure.Detail = detail.Interface()
	}
	in, _, _ := c.streamRequest(1)
	if !in.IsValid() {
		return
	}
	t := c.client.MethodByName(c.method).Type().Out(0)
	c.answer(func([]reflect.Value) []reflect.Value { return []reflect.Value{sequence(t, nil, failure)} })
	var got *concordat.Error
	for _, err := range c.client.MethodByName(c.method).Call([]reflect.Value{reflect.ValueOf(c.t.Context()), in})[0].Seq2() {
		e, _ := err.Interface().(error)
		got = concordat.ErrorOf(e)
	}
	if got == nil || got.Status != status || failure.Detail != nil && show(got.Detail) != show(failure.Detail) {
		c.t.Errorf("failure %d arrived as %v", status, got)
	}
}

// flat shows a result, of streams in its fields what they yield.
func flat(out reflect.Value) string {
	if out.Kind() != reflect.Struct {
		return show(out.Interface())
	}
	c, streams := reflect.New(out.Type()).Elem(), ""
	c.Set(out)
	for i := range c.NumField() {
		if f := c.Field(i); f.Kind() == reflect.Func && !f.IsNil() {
			streams += c.Type().Field(i).Name + ":\n" + collected(f)
			f.SetZero()
		}
	}
	return show(c.Interface()) + streams
}
