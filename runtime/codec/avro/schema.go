package avro

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A kind is a type of Avro.
type kind uint8

const (
	null kind = iota + 1
	boolean
	integer
	long
	float
	double
	str
	byteString
	fixed
	enum
	record
	array
	mapping
	union
)

var kinds = map[string]kind{"null": null, "boolean": boolean, "int": integer, "long": long, "float": float, "double": double,
	"string": str, "bytes": byteString, "fixed": fixed, "enum": enum, "record": record, "error": record, "array": array, "map": mapping}

// look is the kind of JSON that values have: "{", "[", `"`, "0", "t" or "n".
func (s *schema) look() byte {
	switch s.kind {
	case null:
		return 'n'
	case boolean:
		return 't'
	case integer, long:
		if s.logical == "date" || strings.HasPrefix(s.logical, "timestamp-") {
			return '"'
		}
		return '0'
	case float, double:
		return '0'
	case record, mapping:
		return '{'
	case array:
		return '['
	}
	if s.logical == "decimal" {
		return '0'
	}
	return '"'
}

// A schema is one type, with names resolved: it may be part of itself.
type schema struct {
	kind    kind
	name    string // full name; of the others that of the type
	logical string
	scale   int
	size    int // of fixed
	symbols []string
	unknown string // the enum's default
	fields  []field
	elem    *schema // of arrays and maps

	branches []*schema // of a union
	null     int       // branch that is null, or -1
	tagged   bool      // values of a union say their branch
	tag      bool      // a record that says its name, since some union needs it
}

type field struct {
	name     string
	schema   *schema
	fallback *json.RawMessage // the default as Avro writes it; nil for none
}

// A parser knows the names that were defined so far.
type parser struct{ named map[string]*schema }

func parse(text string) (*schema, error) {
	p := parser{named: map[string]*schema{}}
	s, err := p.schema(json.RawMessage(text), "", 0)
	if err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	return s, nil
}

type definition struct {
	Type        json.RawMessage
	Name        string
	Namespace   string
	LogicalType string
	Scale, Size int
	Tagged      bool // our own: the record says its name
	Symbols     []string
	Default     json.RawMessage
	Fields      []struct {
		Name    string
		Type    json.RawMessage
		Default *json.RawMessage
	}
	Items, Values json.RawMessage
}

func (p *parser) schema(text json.RawMessage, space string, depth int) (*schema, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("types are nested deeper than %d", maxDepth)
	}
	switch {
	case len(text) == 0:
		return nil, fmt.Errorf("a type is missing")
	case text[0] == '"':
		var name string
		if err := json.Unmarshal(text, &name); err != nil {
			return nil, err
		}
		return p.byName(name, space)
	case text[0] == '[':
		return p.union(text, space, depth)
	}
	var d definition
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, err
	}
	return p.define(&d, space, depth)
}

func (p *parser) byName(name, space string) (*schema, error) {
	if k, ok := kinds[name]; ok && k < fixed {
		return &schema{kind: k, name: name}, nil
	}
	if s := p.named[full(name, space)]; s != nil {
		return s, nil
	}
	if s := p.named[name]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no type is called %q", name)
}

func full(name, space string) string {
	if space == "" || strings.Contains(name, ".") {
		return name
	}
	return space + "." + name
}

func (p *parser) define(d *definition, space string, depth int) (*schema, error) {
	if len(d.Type) > 0 && d.Type[0] != '"' {
		return p.schema(d.Type, space, depth+1)
	}
	var name string
	if err := json.Unmarshal(d.Type, &name); err != nil {
		return nil, fmt.Errorf("a type is missing")
	}
	k, ok := kinds[name]
	if !ok {
		return p.byName(name, space)
	}
	s := &schema{kind: k, name: name, logical: d.LogicalType, scale: d.Scale, size: d.Size, symbols: d.Symbols, tag: d.Tagged}
	if k == fixed || k == enum || k == record {
		if d.Namespace != "" {
			space = d.Namespace
		}
		s.name = full(d.Name, space)
		if i := strings.LastIndexByte(s.name, '.'); i >= 0 {
			space = s.name[:i]
		}
		p.named[s.name] = s
	}
	if k == enum && len(d.Default) > 0 {
		if err := json.Unmarshal(d.Default, &s.unknown); err != nil {
			return nil, fmt.Errorf("default of %s: %w", s.name, err)
		}
	}
	return s, p.inside(s, d, space, depth)
}

// inside reads the types that s holds.
func (p *parser) inside(s *schema, d *definition, space string, depth int) (err error) {
	switch s.kind {
	case array:
		s.elem, err = p.schema(d.Items, space, depth+1)
	case mapping:
		s.elem, err = p.schema(d.Values, space, depth+1)
	case record:
		for _, f := range d.Fields {
			t, err := p.schema(f.Type, space, depth+1)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", s.name, f.Name, err)
			}
			s.fields = append(s.fields, field{f.Name, t, f.Default})
		}
	}
	return err
}

func (p *parser) union(text json.RawMessage, space string, depth int) (*schema, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	u := &schema{kind: union, name: "union", null: -1}
	looks := map[byte]bool{}
	for i, one := range all {
		s, err := p.schema(one, space, depth+1)
		if err != nil {
			return nil, err
		}
		u.branches = append(u.branches, s)
		if s.kind == null {
			u.null = i
		}
		u.tagged = u.tagged || looks[s.look()]
		looks[s.look()] = true
	}
	return u, nil
}
