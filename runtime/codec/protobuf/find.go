//go:build !protobufgo

package protobuf

import (
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	"google.golang.org/protobuf/proto"
)

// An index finds tables by the word that stands for a type in an interface. It is never
// changed: a larger one takes its place.
type index struct {
	mask  uintptr
	words []uintptr
	found []*table
	n     int
}

func (x *index) slot(word uintptr) uintptr {
	i := (word >> 5) * 0x9e3779b1 >> 7 & x.mask
	for x.words[i] != 0 && x.words[i] != word {
		i = (i + 1) & x.mask
	}
	return i
}

var (
	known   atomic.Pointer[index]
	knownMu sync.Mutex
)

// find is the table of m and the address of its struct; nil where protobuf-go is to do it.
func find(m proto.Message) (*table, unsafe.Pointer) {
	a := any(m)
	words := (*[2]unsafe.Pointer)(unsafe.Pointer(&a))
	if x := known.Load(); x != nil {
		if i := x.slot(uintptr(words[0])); x.words[i] != 0 {
			return x.found[i], words[1]
		}
	}
	if t := learn(m, uintptr(words[0])); t != nil {
		return t, words[1]
	}
	return nil, nil
}

// learn adds the type of m to the index, where it is one of protoc-gen-go's.
func learn(m proto.Message, word uintptr) *table {
	t := reflect.TypeOf(m)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil
	}
	made := tableOf(t.Elem())
	if !made.ready.Load() {
		made.fill()
	}
	if made.generic {
		made = nil
	}
	knownMu.Lock()
	defer knownMu.Unlock()
	old := known.Load()
	if old == nil {
		old = newIndex(32)
	}
	size := len(old.words)
	if old.n*2 >= size {
		size *= 2
	}
	next := newIndex(size)
	for i, w := range old.words {
		if w != 0 {
			next.add(w, old.found[i])
		}
	}
	next.add(word, made)
	known.Store(next)
	return made
}

func newIndex(size int) *index {
	return &index{mask: uintptr(size - 1), words: make([]uintptr, size), found: make([]*table, size)}
}

func (x *index) add(word uintptr, t *table) {
	i := x.slot(word)
	if x.words[i] == 0 {
		x.n++
	}
	x.words[i], x.found[i] = word, t
}
