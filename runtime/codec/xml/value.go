package xml

import (
	"bytes"
	"encoding/json"
	"io"
)

// A value is one of JSON, with its members in order.
type value struct {
	kind  byte   // '{', '[', '"', 'v' for numbers and booleans, 'n' for null
	text  string // of '"' and 'v'
	keys  []string
	items []value
}

// parse reads JSON that our own codec wrote, so that neither depth nor size need a limit.
func parse(data []byte) (value, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return next(d)
}

func next(d *json.Decoder) (v value, err error) {
	t, err := d.Token()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return v, err
	}
	switch t := t.(type) {
	case json.Delim:
		return composed(d, byte(t))
	case string:
		return value{kind: '"', text: t}, nil
	case json.Number:
		return value{kind: 'v', text: t.String()}, nil
	case bool:
		if t {
			return value{kind: 'v', text: "true"}, nil
		}
		return value{kind: 'v', text: "false"}, nil
	}
	return value{kind: 'n'}, nil
}

func composed(d *json.Decoder, kind byte) (value, error) {
	v := value{kind: kind}
	for d.More() {
		if kind == '{' {
			t, err := d.Token()
			if err != nil {
				return v, err
			}
			key, _ := t.(string)
			v.keys = append(v.keys, key)
		}
		item, err := next(d)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
	}
	_, err := d.Token()
	return v, err
}

// member returns the value of a key; nil where there is none.
func (v *value) member(key string) *value {
	for i, k := range v.keys {
		if k == key {
			return &v.items[i]
		}
	}
	return nil
}
