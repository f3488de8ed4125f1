package param

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// Check holds ps against the struct T and returns every mismatch. It uses reflection and
// is for tests.
func Check[T any](ps []Param) error {
	var errs []error
	for i := range ps {
		p := &ps[i]
		f := p.field()
		if err := codec.CheckField[T](&f, p.Name); err != nil {
			errs = append(errs, fmt.Errorf("%s parameter: %w", places[p.In], err))
		} else if err := p.defaulted(unsafe.Pointer(new(T))); err != nil {
			errs = append(errs, fmt.Errorf("%s parameter %s: %w", places[p.In], p.Name, err))
		}
		if err := p.legal(); err != nil {
			errs = append(errs, fmt.Errorf("%s parameter %s: %w", places[p.In], p.Name, err))
		}
		if find(ps, p.In, p.Name) != p {
			errs = append(errs, fmt.Errorf("%s parameter %s: is there twice", places[p.In], p.Name))
		}
	}
	return errors.Join(errs...)
}

// defaulted says whether the parameter, of the struct at base, can be its default.
func (p *Param) defaulted(base unsafe.Pointer) error {
	if p.Default == "" {
		return nil
	}
	f := p.field()
	if err := f.Decode([]byte(p.Default), base, codec.Options{}); err != nil {
		return fmt.Errorf("cannot be %s, its default: %w", p.Default, err)
	}
	return nil
}

// legal says whether the style goes with the place (OpenAPI 3.1, 4.8.12.2).
func (p *Param) legal() error {
	ok := false
	switch p.style() {
	case JSON:
		ok = true
	case Simple:
		ok = p.In == Path || p.In == Header || p.In == Address
	case Label, Matrix:
		ok = p.In == Path
	case Form:
		ok = p.In == Query || p.In == Cookie
	case SpaceDelimited, PipeDelimited, DeepObject:
		ok = p.In == Query
	}
	if !ok {
		return errors.New("has a style that its place does not allow")
	}
	return nil
}
