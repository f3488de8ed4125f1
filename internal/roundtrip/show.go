package roundtrip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// content is a stream that still knows what it held.
type content struct {
	io.Reader
	text string
}

func (c *content) Close() error { return nil }

func newContent(text string) *content { return &content{strings.NewReader(text), text} }

// show writes a value so that equal values look equal: times by their instant, JSON by
// its meaning, streams by their content, which it reads.
func show(v any) string {
	var b strings.Builder
	showValue(&b, reflect.ValueOf(v))
	return b.String()
}

func showValue(b *strings.Builder, v reflect.Value) {
	if !v.IsValid() {
		b.WriteString("nil")
		return
	}
	if v.CanInterface() && special(b, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		if v.Kind() == reflect.Interface {
			b.WriteString(v.Elem().Type().String())
		}
		showValue(b, v.Elem())
	case reflect.Struct:
		showStruct(b, v)
	case reflect.Slice:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		b.WriteByte('[')
		for i := range v.Len() {
			showValue(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Map:
		showMap(b, v)
	default:
		fmt.Fprintf(b, "%#v", v)
	}
}

func showStruct(b *strings.Builder, v reflect.Value) {
	b.WriteByte('{')
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			b.WriteString(v.Type().Field(i).Name + ":")
			showValue(b, v.Field(i))
			b.WriteByte(' ')
		}
	}
	b.WriteByte('}')
}

func showMap(b *strings.Builder, v reflect.Value) {
	if v.IsNil() {
		b.WriteString("nil")
		return
	}
	entries := map[string]string{}
	for it := v.MapRange(); it.Next(); {
		var e strings.Builder
		showValue(&e, it.Value())
		entries[it.Key().String()] = e.String()
	}
	fmt.Fprintf(b, "map%q", entries)
}

// special shows the types whose Go is not their meaning.
func special(b *strings.Builder, v reflect.Value) bool {
	switch x := v.Interface().(type) {
	case time.Time:
		b.WriteString(x.UTC().Format(time.RFC3339Nano))
	case json.RawMessage:
		b.WriteString("json" + compact(x))
	case json.Number:
		fmt.Fprintf(b, "number %s", x)
	case []byte:
		if x == nil {
			b.WriteString("nil")
			return true
		}
		fmt.Fprintf(b, "bytes %x", x)
	case codec.DateValue:
		b.WriteString(x.String())
	case *content:
		b.WriteString(fmt.Sprintf("stream %q", x.text))
	case io.Reader:
		all, err := io.ReadAll(x)
		fmt.Fprintf(b, "stream %q", all)
		if err != nil {
			fmt.Fprintf(b, " broken by %v", err)
		}
		if c, ok := x.(io.Closer); ok {
			c.Close()
		}
	default:
		return opt(b, v)
	}
	return true
}

// opt shows Opt[T], whose fields are not exported.
func opt(b *strings.Builder, v reflect.Value) bool {
	if !strings.HasPrefix(v.Type().Name(), "Opt[") {
		return false
	}
	get := v.MethodByName("Get").Call(nil)
	switch {
	case get[1].Bool():
		b.WriteString("some ")
		showValue(b, get[0])
	case v.MethodByName("IsNull").Call(nil)[0].Bool():
		b.WriteString("null")
	default:
		b.WriteString("absent")
	}
	return true
}

// compact is JSON without what does not matter: white space, escapes and order.
func compact(raw []byte) string {
	if raw == nil {
		return "nil"
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return "(broken) " + string(raw)
	}
	out, _ := json.Marshal(v)
	return string(out)
}
