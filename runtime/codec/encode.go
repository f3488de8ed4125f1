package codec

import "unsafe"

func appendValue(b []byte, f *Field, p unsafe.Pointer, m Mode) ([]byte, error) { return b, nil }
func marshal(f *Field, base unsafe.Pointer, m Mode) ([]byte, error)            { return nil, nil }
func isNil(k Kind, t *Type, p unsafe.Pointer) bool                             { return false }
