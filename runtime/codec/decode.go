package codec

import "unsafe"

type index struct{}

func decode(f *Field, data []byte, base unsafe.Pointer, o Options) error { return nil }
func two(s string, i int) int                                            { return 0 }
func validDay(y, m, d int) bool                                          { return true }
