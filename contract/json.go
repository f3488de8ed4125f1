package contract

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// DumpJSON writes c as JSON: every field of the model that is not zero, by its name in
// lower camel case. A Schema says by "kind" what it is, a Ref names its type, a requirement
// its scheme, and a Span is text: file:line:column and its path. Descriptors are left out.
// Object keys come in alphabetical order, lists as they are. The form is for programs that
// read along with this release; it is no promise across releases.
func DumpJSON(w io.Writer, c *Contract) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(plain(reflect.ValueOf(c)))
}

// plain turns a value of the model into maps, lists and text; nil where it is zero.
func plain(v reflect.Value) any {
	if !v.IsValid() || v.IsZero() {
		return nil
	}
	switch x := v.Interface().(type) {
	case Span:
		return spanText(x)
	case *Ref:
		return map[string]any{"kind": "ref", "type": x.Type.Name}
	case *Scheme:
		return plainStruct(v.Elem())
	case Requirement:
		return map[string]any{"scheme": x.Scheme.Name, "scopes": x.Scopes}
	case fmt.Stringer:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.Elem().Kind() == reflect.Struct {
			return plainStruct(v.Elem())
		}
		return plain(v.Elem())
	case reflect.Interface:
		return plain(v.Elem())
	case reflect.Struct:
		return plainStruct(v)
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i))
		}
		return out
	}
	return v.Interface()
}

func plainStruct(v reflect.Value) map[string]any {
	out := map[string]any{}
	if v.CanAddr() {
		if _, ok := v.Addr().Interface().(Schema); ok {
			out["kind"] = lowerCamel(v.Type().Name())
		}
		if _, ok := v.Addr().Interface().(Wire); ok {
			out["kind"] = lowerCamel(v.Type().Name())
		}
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Name == "Descriptors" {
			continue
		}
		if f.Anonymous {
			for k, x := range plainStruct(v.Field(i)) {
				out[k] = x
			}
			continue
		}
		if x := plain(v.Field(i)); x != nil {
			key := lowerCamel(f.Name)
			if _, taken := out[key]; taken {
				key += "Of" // Scalar's own Kind, beside what it is
			}
			out[key] = x
		}
	}
	return out
}

// lowerCamel writes GoType as goType, HTTP as http, JSON as json.
func lowerCamel(name string) string {
	n := 0
	for n < len(name) && name[n] >= 'A' && name[n] <= 'Z' {
		n++
	}
	if n > 1 && n < len(name) {
		n--
	}
	return strings.ToLower(name[:n]) + name[n:]
}

func spanText(s Span) string {
	out := fmt.Sprintf("%s:%d:%d", s.File, s.Line, s.Col)
	if s.Path != "" {
		out += " " + s.Path
	}
	return out
}
