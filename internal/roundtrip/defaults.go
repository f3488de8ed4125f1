package roundtrip

import (
	"reflect"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// defaults gives the fields of v that hold nothing the defaults that servers read then, and
// says how many. What the server then sees is what was sent.
func (d *drawer) defaults(v reflect.Value, t *codec.Type) (n int) {
	if !d.fill {
		return 0
	}
	base := v.Addr().UnsafePointer()
	for _, x := range t.Defaults {
		f := t.Fields[x.Field]
		if _, ok := f.Value(base); ok || f.Flag&d.drop != 0 {
			continue
		}
		if err := f.Decode([]byte(x.JSON), base, codec.Options{}); err != nil {
			d.fail("default of %s: %v", f.Name(), err)
		}
		n++
	}
	return n
}

// received is a request as the server sees it: parameters that are absent have their
// defaults.
func (c *restCase) received(in reflect.Value) any {
	out := reflect.New(c.in)
	out.Elem().Set(in.Elem())
	for _, p := range c.op.Params {
		f := codec.Field{Kind: p.Kind, T: p.T, R: p.R, Off: p.Off, Flag: p.Flag}
		if _, ok := f.Value(out.UnsafePointer()); ok || p.Default == "" {
			continue
		}
		if err := f.Decode([]byte(p.Default), out.UnsafePointer(), codec.Options{}); err != nil {
			c.t.Errorf("default of %s: %v", p.Name, err)
		}
	}
	return out.Elem().Interface()
}
