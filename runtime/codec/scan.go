package codec

import (
	"strings"
	"sync"
	"unsafe"
)

// dec is the state of one decoding. Positions travel through the calls; -1 is failure.
type dec struct {
	s       string
	depth   int
	max     int // of depth
	mode    Mode
	alias   bool // strings point into s
	drop    Flag // fields with these are ignored
	vio     []violation
	bad     bool   // stopped: the last of vio is the reason
	unknown int    // properties without a field so far
	work    int    // bytes that trials of union variants may still read
	tag     string // discriminator that the next object may have without a field for it
	key     string // name of the property that no field has
	arena   []byte
	strs    []string
	tmp     []byte
	slab    slab
}

var decPool = sync.Pool{New: func() any { return &dec{strs: make([]string, 0, 16), tmp: make([]byte, 0, 64)} }}

func newDec(data []byte, o Options) *dec {
	d := decPool.Get().(*dec)
	d.s = unsafe.String(unsafe.SliceData(data), len(data))
	d.mode, d.alias, d.drop = o.Mode, o.Mode&Owned != 0, dropped(o.Mode)
	d.max = MaxDepth
	if o.MaxDepth > 0 {
		d.max = min(o.MaxDepth, MaxDepth)
	}
	d.work = 1<<16 + 64*len(data)
	return d
}

func (d *dec) free() {
	*d = dec{strs: d.strs, tmp: d.tmp}
	if cap(d.tmp) > maxScratch {
		d.tmp = nil
	}
	if cap(d.strs) > maxScratch/16 {
		d.strs = nil
	}
	decPool.Put(d)
}

func decode(f *Field, data []byte, base unsafe.Pointer, o Options) error {
	d := newDec(data, o)
	pos := 0
	p, done := unsafe.Add(base, f.Off), false
	if f.Flag&^Req != 0 {
		p, pos, done = d.flagged(f, p, pos)
	}
	if !done {
		pos = d.whole(f.Kind, f.T, f.R, p, pos)
	}
	err := d.end(pos)
	d.free()
	return err
}

// fail stops at what cannot be understood.
func (d *dec) fail(pos int, c Code, msg string) int {
	d.vio = append(d.vio, violation{at: pos, code: c, msg: msg})
	d.bad = true
	return -1
}

// violate notes what a contract forbids; false says that reading should stop.
func (d *dec) violate(pos int, c Code, msg string) bool {
	d.vio = append(d.vio, violation{at: d.space(pos), code: c, msg: msg})
	return len(d.vio) < MaxViolations
}

func (d *dec) violateName(pos int, c Code, name, msg string) bool {
	d.vio = append(d.vio, violation{at: pos, code: c, name: strings.Clone(name), has: true, msg: msg})
	return len(d.vio) < MaxViolations
}

// end checks that nothing follows and returns what was wrong.
func (d *dec) end(pos int) error {
	if pos >= 0 {
		if pos = d.space(pos); pos < len(d.s) {
			d.fail(pos, CodeSyntax, "must end here, but more text follows")
		}
	}
	switch n := len(d.vio); {
	case n == 0:
		return nil
	case d.bad:
		return &Error{Violations: pointers(d.s, d.vio[n-1:]), Malformed: true}
	}
	return &Error{Violations: pointers(d.s, d.vio)}
}

func (d *dec) space(pos int) int {
	s := d.s
	for pos < len(s) && s[pos] <= ' ' && (s[pos] == ' ' || s[pos] == '\n' || s[pos] == '\t' || s[pos] == '\r') {
		pos++
	}
	return pos
}

// peek returns the next byte that is no space (0 at the end) and its position.
func (d *dec) peek(pos int) (byte, int) {
	if pos < len(d.s) {
		if c := d.s[pos]; c > ' ' {
			return c, pos
		}
	}
	pos = d.space(pos)
	if pos < len(d.s) {
		return d.s[pos], pos
	}
	return 0, pos
}

// open expects the beginning of a value and returns the position after it.
func (d *dec) open(pos int, c byte, want string) int {
	if pos < len(d.s) && d.s[pos] == c {
		return pos + 1
	}
	g, pos := d.peek(pos)
	if g == c {
		return pos + 1
	}
	return d.mismatch(pos, want)
}

func (d *dec) colon(pos int) int {
	c, pos := d.peek(pos)
	if c == ':' {
		return pos + 1
	}
	return d.syntax(pos, "must be a colon")
}

func (d *dec) syntax(pos int, msg string) int {
	if pos >= len(d.s) {
		msg = "must go on, but the text ends"
	}
	return d.fail(pos, CodeSyntax, msg)
}

// mismatch tells a value of another type from what is no value.
func (d *dec) mismatch(pos int, want string) int {
	pos = d.space(pos)
	if d.skip(pos) < 0 {
		return -1
	}
	return d.fail(pos, CodeType, want)
}

func (d *dec) enter(pos int) bool {
	if d.depth++; d.depth <= d.max {
		return true
	}
	d.fail(pos, CodeDepth, "is nested too deep")
	return false
}

func (d *dec) bool(pos int) (bool, int) {
	s, pos := d.s, d.space(pos)
	if pos+4 <= len(s) && s[pos:pos+4] == "true" {
		return true, pos + 4
	}
	if pos+5 <= len(s) && s[pos:pos+5] == "false" {
		return false, pos + 5
	}
	return false, d.mismatch(pos, "must be true or false")
}

// null steps over null if it is next.
func (d *dec) null(pos int) (int, bool) {
	s := d.s
	if pos < len(s) && s[pos] <= ' ' {
		pos = d.space(pos)
	}
	if pos+4 <= len(s) && s[pos] == 'n' && s[pos:pos+4] == "null" {
		return pos + 4, true
	}
	return pos, false
}

// skip checks one value and steps over it.
func (d *dec) skip(pos int) int {
	c, pos := d.peek(pos)
	switch c {
	case '"':
		_, pos = d.peekString(pos)
		return pos
	case '{', '[':
		return d.skipContainer(c, pos)
	case 't', 'f':
		s := d.s[pos:]
		if strings.HasPrefix(s, "true") {
			return pos + 4
		} else if strings.HasPrefix(s, "false") {
			return pos + 5
		}
	case 'n':
		if p, ok := d.null(pos); ok {
			return p
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if end := scanNumber(d.s, pos); end > 0 {
			return end
		}
		return d.fail(pos, CodeSyntax, "must be a JSON number")
	}
	return d.syntax(pos, "must be a JSON value")
}

func (d *dec) skipContainer(c byte, pos int) int {
	if !d.enter(pos) {
		return -1
	}
	end := c + 2 // the bracket that closes it
	pos++
	if g, p := d.peek(pos); g == end {
		d.depth--
		return p + 1
	}
	for {
		if c == '{' {
			if g, p := d.peek(pos); g != '"' {
				return d.syntax(p, "must be a property name in quotes")
			}
			if _, pos = d.peekString(pos); pos < 0 {
				return -1
			}
			if pos = d.colon(pos); pos < 0 {
				return -1
			}
		}
		if pos = d.skip(pos); pos < 0 {
			return -1
		}
		g, p := d.peek(pos)
		pos = p + 1
		if g == end {
			d.depth--
			return pos
		}
		if g != ',' {
			return d.syntax(p, "must be a comma or a closing bracket")
		}
	}
}
