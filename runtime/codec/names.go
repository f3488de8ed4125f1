package codec

// takes says whether a map has a place for a property of this name.
func (t *Type) takes(name string) bool { return t.Names == nil || t.Names.matches(name) }

// stranger steps over a property that a map has no place for.
func (d *dec) stranger(t *Type, pos int) int {
	if t.Closed && d.mode&Lenient == 0 && !d.violate(pos, CodeUnknown, "is not a property that the contract knows") {
		return -1
	}
	d.unknown++
	return d.skip(pos)
}

// named checks the name of a property that the map m is about to write into an object,
// whose other maps come before it.
func (e *enc) named(m *Type, before []More, key string, b []byte) ([]byte, bool) {
	if !m.takes(key) {
		return e.fail(b, CodePattern, "has a name that must match "+m.Names.Pattern), false
	}
	for i := range before {
		if before[i].T.takes(key) {
			return e.fail(b, CodeDuplicate, "belongs to the properties whose names match "+before[i].T.Names.Pattern), false
		}
	}
	return b, true
}
