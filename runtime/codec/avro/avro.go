// Package avro writes and reads the binary encoding of Apache Avro 1.12, which generated
// code names as the format of payloads that a contract describes by an Avro schema.
//
// Values pass through the JSON that the tables of runtime/codec describe, which is not
// Avro's own: bytes and fixed are base64, decimals are numbers, dates and times are those of
// RFC 3339, UUIDs are text. A union with null is a field that may be absent. Where the JSON
// of two branches of a union would look alike, each is an object that says its branch in the
// property "$type": a record its full name beside its fields, everything else the name of
// its type beside "value".
//
// It imports the standard library.
package avro

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Limits on what a schema and a message may grow to, so that few bytes never become many.
const (
	maxDepth = 500
	spare    = 1 << 16 // items that a message may hold beyond one for each of its bytes
)

// A Codec is one schema. It is safe for concurrent use.
type Codec struct {
	text   string
	framed bool
	id     uint32

	once sync.Once
	root *schema
	err  error
}

// Schema returns the codec of a schema in JSON. What is wrong with the schema is the error
// of the first value that is written or read.
func Schema(text string) *Codec { return &Codec{text: text} }

// Framed returns the codec of the same schema for messages that begin with a zero byte and
// the number of their schema in four bytes, as Confluent's serializers and schema registry
// have it. What is written bears id; what is read may bear any number, since a compatible
// writer's schema must have the same shape to be read. Without an id (0) nothing is written.
func (c *Codec) Framed(id uint32) *Codec { return &Codec{text: c.text, framed: true, id: id} }

// ErrNoSchemaID is the error of writing framed messages without the number of their schema.
var ErrNoSchemaID = errors.New("the contract frames Avro by the schema's number in a registry, but does not say the number: add x-schema-id to the message's kafka binding")

func (c *Codec) schema() (*schema, error) {
	c.once.Do(func() { c.root, c.err = parse(c.text) })
	return c.root, c.err
}

// Append appends the binary encoding of the value that text stands for. An error names the
// place in the value that the schema does not allow.
func (c *Codec) Append(b, text []byte) ([]byte, error) {
	s, err := c.schema()
	if err != nil {
		return b, err
	}
	if c.framed {
		if c.id == 0 {
			return b, ErrNoSchemaID
		}
		b = binary.BigEndian.AppendUint32(append(b, 0), c.id)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return b, fmt.Errorf("avro: %w", err)
	}
	w := writer{b: b}
	if err := w.value(s, v, 0); err != nil {
		return b, fmt.Errorf("avro: %w", err)
	}
	return w.b, nil
}

// JSON returns the JSON of a value in binary encoding. An error says what is wrong with
// data and at which byte; it never grows far beyond what data's length allows.
func (c *Codec) JSON(data []byte) ([]byte, error) {
	s, err := c.schema()
	if err != nil {
		return nil, err
	}
	r := reader{data: data, left: len(data) + spare}
	if c.framed {
		if len(data) < 5 || data[0] != 0 {
			return nil, errors.New("avro: the message does not begin with the number of its schema")
		}
		r.pos = 5
	}
	if err := r.value(s, 0); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("ends too soon")
		}
		return nil, fmt.Errorf("avro: byte %d: %w", r.pos, err)
	}
	if r.pos != len(data) {
		return nil, fmt.Errorf("avro: byte %d: %d bytes follow the value", r.pos, len(data)-r.pos)
	}
	return r.out, nil
}
