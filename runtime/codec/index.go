package codec

import (
	"encoding/json"
	"hash/maphash"
	"strings"
)

// narrow is how many fields are looked through one after the other.
const narrow = 12

// index finds fields by name where there are many: open addressing, half full at most.
type index struct {
	seed  maphash.Seed
	slots []int32 // field + 1
}

// name is the property's name, which Key holds as JSON writes it.
func (f *Field) name() string {
	name := f.Key[2 : len(f.Key)-2]
	if strings.IndexByte(name, '\\') < 0 {
		return name
	}
	var s string
	if json.Unmarshal([]byte(f.Key[1:len(f.Key)-1]), &s) != nil {
		return name // Check reports it
	}
	return s
}

// find returns which field has a name, or -1.
func (t *Type) find(name string) int {
	if len(t.Fields) <= narrow {
		for i := range t.Fields {
			if t.Fields[i].name() == name {
				return i
			}
		}
		return -1
	}
	x, _ := t.index.Load().(*index)
	if x == nil { // two may build it at once; the results serve equally
		x = t.build()
		t.index.Store(x)
	}
	mask := uint64(len(x.slots) - 1)
	for h := maphash.String(x.seed, name); ; h++ {
		i := x.slots[h&mask]
		if i == 0 {
			return -1
		}
		if t.Fields[i-1].name() == name {
			return int(i - 1)
		}
	}
}

func (t *Type) build() *index {
	n := 1
	for n < 2*len(t.Fields) {
		n *= 2
	}
	x := &index{maphash.MakeSeed(), make([]int32, n)}
	for i := range t.Fields {
		h := maphash.String(x.seed, t.Fields[i].name())
		for x.slots[h&uint64(n-1)] != 0 {
			h++
		}
		x.slots[h&uint64(n-1)] = int32(i + 1)
	}
	return x
}
