package avro

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// A writer appends values as json.Decoder gives them, numbers as json.Number.
type writer struct {
	b       []byte
	literal bool // values are defaults of a schema, where bytes are code points and unions their first branch
}

func (w *writer) value(s *schema, v any, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("values are nested deeper than %d", maxDepth)
	}
	if s.logical != "" && !w.literal {
		if done, err := w.logical(s, v); done || err != nil {
			return err
		}
	}
	switch s.kind {
	case null:
		if v != nil {
			return mismatch(s, v)
		}
		return nil
	case array:
		return w.array(s, v, depth)
	case mapping:
		return w.mapping(s, v, depth)
	case record:
		return w.record(s, v, depth)
	case union:
		return w.union(s, v, depth)
	case boolean, integer, long, float, double:
		return w.plain(s, v)
	}
	return w.text(s, v)
}

func mismatch(s *schema, v any) error { return fmt.Errorf("%v is no %s", v, s.name) }

// plain writes booleans and numbers.
func (w *writer) plain(s *schema, v any) error {
	if t, ok := v.(bool); ok && s.kind == boolean {
		if w.b = append(w.b, 0); t {
			w.b[len(w.b)-1] = 1
		}
		return nil
	}
	n, ok := v.(json.Number)
	if !ok || s.kind == boolean {
		return mismatch(s, v)
	}
	bits := 64
	if s.kind == integer || s.kind == float {
		bits = 32
	}
	if s.kind == integer || s.kind == long {
		i, err := strconv.ParseInt(n.String(), 10, bits)
		if err != nil {
			return mismatch(s, v)
		}
		w.b = binary.AppendVarint(w.b, i)
		return nil
	}
	f, err := strconv.ParseFloat(n.String(), bits)
	switch {
	case err != nil:
		return mismatch(s, v)
	case bits == 32:
		w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(float32(f)))
	default:
		w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(f))
	}
	return nil
}

// text writes what JSON has as text: strings, bytes, fixed and enums.
func (w *writer) text(s *schema, v any) error {
	t, ok := v.(string)
	if !ok {
		return mismatch(s, v)
	}
	switch s.kind {
	case str:
		w.bytes([]byte(t))
		return nil
	case enum:
		i := slices.Index(s.symbols, t)
		if i < 0 {
			return fmt.Errorf("%q is no symbol of %s", t, s.name)
		}
		w.b = binary.AppendVarint(w.b, int64(i))
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(t)
	if w.literal {
		raw, err = points(t)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return w.raw(s, raw)
}

// points are the bytes of a default, which has one code point for each.
func points(t string) ([]byte, error) {
	var b []byte
	for _, c := range t {
		if c > 255 {
			return nil, fmt.Errorf("the default holds %q, which is no byte", c)
		}
		b = append(b, byte(c))
	}
	return b, nil
}

// raw writes the bytes of a value of type bytes or fixed.
func (w *writer) raw(s *schema, raw []byte) error {
	if s.kind == byteString {
		w.bytes(raw)
		return nil
	}
	if len(raw) != s.size {
		return fmt.Errorf("%s has %d bytes, not %d", s.name, s.size, len(raw))
	}
	w.b = append(w.b, raw...)
	return nil
}

func (w *writer) bytes(b []byte) {
	w.b = append(binary.AppendVarint(w.b, int64(len(b))), b...)
}

func (w *writer) array(s *schema, v any, depth int) error {
	items, ok := v.([]any)
	if !ok {
		return mismatch(s, v)
	}
	if len(items) > 0 {
		w.b = binary.AppendVarint(w.b, int64(len(items)))
	}
	for i, item := range items {
		if err := w.value(s.elem, item, depth+1); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	w.b = append(w.b, 0)
	return nil
}

func (w *writer) mapping(s *schema, v any, depth int) error {
	m, ok := v.(map[string]any)
	if !ok {
		return mismatch(s, v)
	}
	if len(m) > 0 {
		w.b = binary.AppendVarint(w.b, int64(len(m)))
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		w.bytes([]byte(key))
		if err := w.value(s.elem, m[key], depth+1); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	w.b = append(w.b, 0)
	return nil
}

func (w *writer) record(s *schema, v any, depth int) error {
	m, ok := v.(map[string]any)
	if !ok {
		return mismatch(s, v)
	}
	for i := range s.fields {
		f := &s.fields[i]
		if err := w.field(f, m, depth); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// field writes the value of a field, or null or its default where there is none.
func (w *writer) field(f *field, m map[string]any, depth int) error {
	v, ok := m[f.name]
	switch {
	case ok:
		return w.value(f.schema, v, depth+1)
	case f.schema.kind == union && f.schema.null >= 0 && !w.literal:
		return w.value(f.schema, nil, depth+1)
	case f.fallback == nil:
		return fmt.Errorf("is missing")
	}
	was := w.literal
	w.literal = true
	defer func() { w.literal = was }()
	v, err := number(*f.fallback)
	if err != nil {
		return err
	}
	return w.value(f.schema, v, depth+1)
}

func (w *writer) union(s *schema, v any, depth int) error {
	i, v, err := w.branch(s, v)
	if err != nil {
		return err
	}
	w.b = binary.AppendVarint(w.b, int64(i))
	return w.value(s.branches[i], v, depth+1)
}

// branch finds the branch of a union that v belongs to, and what of v is its value.
func (w *writer) branch(s *schema, v any) (int, any, error) {
	if w.literal {
		return 0, v, nil
	}
	if v == nil {
		if s.null < 0 {
			return 0, nil, fmt.Errorf("null is none of the union's branches")
		}
		return s.null, nil, nil
	}
	if !s.tagged {
		i := slices.IndexFunc(s.branches, func(b *schema) bool { return b.look() == lookOf(v) })
		if i < 0 {
			return 0, nil, fmt.Errorf("%v is none of the union's branches", v)
		}
		return i, v, nil
	}
	m, _ := v.(map[string]any)
	name, _ := m["$type"].(string)
	i := slices.IndexFunc(s.branches, func(b *schema) bool { return b.name == name })
	if i < 0 {
		return 0, nil, fmt.Errorf("$type is %q, which is none of the union's branches", name)
	}
	if s.branches[i].kind == record {
		return i, v, nil
	}
	return i, m["value"], nil
}

func lookOf(v any) byte {
	switch v.(type) {
	case bool:
		return 't'
	case json.Number:
		return '0'
	case string:
		return '"'
	case []any:
		return '['
	}
	return '{'
}
