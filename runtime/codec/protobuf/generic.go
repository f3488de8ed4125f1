package protobuf

import (
	"fmt"
	"reflect"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// extends says whether the program knows an extension by that number.
func (t *table) extends(n protowire.Number) bool {
	_, err := protoregistry.GlobalTypes.FindExtensionByNumber(t.name, n)
	return err == nil
}

// at is the message at p.
func (t *table) at(p unsafe.Pointer) (proto.Message, error) {
	m, ok := reflect.NewAt(t.goType, p).Interface().(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%w: %s is no message", proto.Error, t.goType)
	}
	return m, nil
}

// merge has protobuf-go read b into the message at p.
func (d *decoder) merge(t *table, p unsafe.Pointer, b []byte, depth int) int {
	m, err := t.at(p)
	if err == nil {
		d.partial = true
		err = proto.UnmarshalOptions{Merge: true, AllowPartial: true, RecursionLimit: depth}.Unmarshal(b, m)
	}
	if err != nil {
		return d.fail(err)
	}
	return 0
}

// generic has protobuf-go read the message, which for a group has to be found first.
func (d *decoder) generic(t *table, p unsafe.Pointer, b []byte, i int, group protowire.Number, depth int) int {
	body, end := b[i:], len(b)
	if group != 0 {
		v, n := protowire.ConsumeGroup(group, b[i:])
		if n < 0 {
			return d.fail(errInvalid)
		}
		body, end = v, i+n
	}
	if d.merge(t, p, body, depth+1) < 0 {
		return bad
	}
	return end
}

// generic has protobuf-go write the message.
func (e *encoder) generic(t *table, p unsafe.Pointer, b []byte, i int) ([]byte, int) {
	m, err := t.at(p)
	if err != nil {
		e.fail(err)
		return b, i
	}
	u, err := proto.MarshalOptions{AllowPartial: true}.Marshal(m)
	e.fail(err)
	e.partial = true
	return e.raw(u, b, i)
}
