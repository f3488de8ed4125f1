package avro

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// A reader turns binary into JSON.
type reader struct {
	data []byte
	pos  int
	left int // how many items may still come
	out  []byte
}

func (r *reader) value(s *schema, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("values are nested deeper than %d", maxDepth)
	}
	if s.logical != "" {
		if done, err := r.logical(s); done || err != nil {
			return err
		}
	}
	switch s.kind {
	case null:
		r.out = append(r.out, "null"...)
		return nil
	case array:
		return r.list(s, depth, '[', ']', false)
	case mapping:
		return r.list(s, depth, '{', '}', true)
	case record:
		return r.record(s, depth)
	case union:
		return r.union(s, depth)
	case boolean, integer, long, float, double:
		return r.plain(s)
	}
	return r.text(s)
}

func (r *reader) long() (int64, error) {
	n, size := binary.Varint(r.data[r.pos:])
	switch {
	case size == 0:
		return 0, io.ErrUnexpectedEOF
	case size < 0:
		return 0, errors.New("a number is too long")
	}
	r.pos += size
	return n, nil
}

func (r *reader) take(n int64) ([]byte, error) {
	if n < 0 || n > int64(len(r.data)-r.pos) {
		return nil, io.ErrUnexpectedEOF
	}
	b := r.data[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b, nil
}

func (r *reader) bytes() ([]byte, error) {
	n, err := r.long()
	if err != nil {
		return nil, err
	}
	return r.take(n)
}

func (r *reader) plain(s *schema) error {
	switch s.kind {
	case boolean:
		b, err := r.take(1)
		if err != nil {
			return err
		}
		if b[0] > 1 {
			return fmt.Errorf("%d is no boolean", b[0])
		}
		r.out = strconv.AppendBool(r.out, b[0] == 1)
		return nil
	case float:
		b, err := r.take(4)
		if err != nil {
			return err
		}
		return r.float(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 32)
	case double:
		b, err := r.take(8)
		if err != nil {
			return err
		}
		return r.float(math.Float64frombits(binary.LittleEndian.Uint64(b)), 64)
	}
	n, err := r.long()
	if err != nil {
		return err
	}
	if s.kind == integer && n != int64(int32(n)) {
		return fmt.Errorf("%d does not fit an int", n)
	}
	r.out = strconv.AppendInt(r.out, n, 10)
	return nil
}

func (r *reader) float(f float64, bits int) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("%v is no finite number", f)
	}
	r.out = strconv.AppendFloat(r.out, f, 'g', -1, bits)
	return nil
}

func (r *reader) text(s *schema) error {
	switch s.kind {
	case enum:
		i, err := r.long()
		switch {
		case err != nil:
			return err
		case i >= 0 && i < int64(len(s.symbols)):
			r.quote(s.symbols[i])
		case s.unknown != "":
			r.quote(s.unknown)
		default:
			return fmt.Errorf("%s has no symbol %d", s.name, i)
		}
		return nil
	case str:
		b, err := r.bytes()
		if err != nil {
			return err
		}
		if !utf8.Valid(b) {
			return errors.New("a string is not UTF-8")
		}
		r.quote(string(b))
		return nil
	}
	b, err := r.raw(s)
	if err != nil {
		return err
	}
	r.out = append(base64.StdEncoding.AppendEncode(append(r.out, '"'), b), '"')
	return nil
}

// raw reads the bytes of a value of type bytes or fixed.
func (r *reader) raw(s *schema) ([]byte, error) {
	if s.kind == fixed {
		return r.take(int64(s.size))
	}
	return r.bytes()
}

func (r *reader) quote(text string) {
	b, _ := json.Marshal(text) // strings never fail
	r.out = append(r.out, b...)
}

// list reads the blocks of an array or a map.
func (r *reader) list(s *schema, depth int, begin, end byte, keys bool) error {
	r.out = append(r.out, begin)
	for first := true; ; {
		n, err := r.long()
		if err == nil && n < 0 { // the block's size in bytes follows
			n = -n
			_, err = r.long()
		}
		if err != nil {
			return err
		}
		if n == 0 {
			r.out = append(r.out, end)
			return nil
		}
		if n < 0 || n > int64(r.left) {
			return fmt.Errorf("%d items are more than a message of this size may hold", n)
		}
		r.left -= int(n)
		for ; n > 0; n-- {
			if !first {
				r.out = append(r.out, ',')
			}
			first = false
			if err := r.item(s.elem, depth, keys); err != nil {
				return err
			}
		}
	}
}

func (r *reader) item(s *schema, depth int, key bool) error {
	if key {
		b, err := r.bytes()
		if err != nil {
			return err
		}
		if !utf8.Valid(b) {
			return errors.New("a key is not UTF-8")
		}
		r.quote(string(b))
		r.out = append(r.out, ':')
	}
	return r.value(s, depth+1)
}

func (r *reader) record(s *schema, depth int) error {
	r.out = append(r.out, '{')
	start := len(r.out)
	if s.tag {
		r.name("$type", start)
		r.quote(s.name)
	}
	for i := range s.fields {
		f := &s.fields[i]
		before := len(r.out)
		r.name(f.name, start)
		value := len(r.out)
		if err := r.value(f.schema, depth+1); err != nil {
			return err
		}
		if f.schema.kind == union && string(r.out[value:]) == "null" {
			r.out = r.out[:before] // null is absence
		}
	}
	r.out = append(r.out, '}')
	return nil
}

// name writes the name of a member of the object that begins at start.
func (r *reader) name(name string, start int) {
	if len(r.out) > start {
		r.out = append(r.out, ',')
	}
	r.quote(name)
	r.out = append(r.out, ':')
}

func (r *reader) union(s *schema, depth int) error {
	i, err := r.long()
	if err != nil {
		return err
	}
	if i < 0 || i >= int64(len(s.branches)) {
		return fmt.Errorf("the union has no branch %d", i)
	}
	b := s.branches[i]
	if !s.tagged || b.kind == null || b.kind == record {
		return r.value(b, depth+1)
	}
	r.out = append(r.out, `{"$type":`...)
	r.quote(b.name)
	r.out = append(r.out, `,"value":`...)
	if err := r.value(b, depth+1); err != nil {
		return err
	}
	r.out = append(r.out, '}')
	return nil
}
