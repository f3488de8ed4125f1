package roundtrip

import (
	"math"

	"github.com/concordat-dev/concordat/runtime/codec"
)

// limits are the rules of a place and of its type, taken together.
type limits struct {
	minLen, maxLen    int
	hasMaxLen         bool
	min, max          float64 // -Inf, +Inf for none
	minExcl, maxExcl  bool
	multiple          float64 // 0 for none
	patterns, formats []string
	unique            bool
	constant          string
	intMin, intMax    int64
}

func limitsOf(rules ...*codec.Rule) limits {
	l := limits{min: math.Inf(-1), max: math.Inf(1), intMin: math.MinInt64, intMax: math.MaxInt64}
	for _, r := range rules {
		if r != nil {
			l.add(r)
		}
	}
	return l
}

func (l *limits) add(r *codec.Rule) {
	if r.Has&codec.MinLen != 0 {
		l.minLen = max(l.minLen, r.MinLen)
	}
	if r.Has&codec.MaxLen != 0 && (!l.hasMaxLen || r.MaxLen < l.maxLen) {
		l.maxLen, l.hasMaxLen = r.MaxLen, true
	}
	if r.Has&codec.Min != 0 {
		l.intMin = max(l.intMin, r.Min)
	}
	if r.Has&codec.Max != 0 {
		l.intMax = min(l.intMax, r.Max)
	}
	if r.Has&codec.FMin != 0 && r.FMin >= l.min {
		l.min, l.minExcl = r.FMin, r.Has&codec.FMinExcl != 0
	}
	if r.Has&codec.FMax != 0 && r.FMax <= l.max {
		l.max, l.maxExcl = r.FMax, r.Has&codec.FMaxExcl != 0
	}
	if r.Has&codec.Multiple != 0 {
		l.multiple = float64(r.Multiple)
	}
	if r.Has&codec.FMultiple != 0 {
		l.multiple = r.FMultiple
	}
	if r.Has&codec.Pattern != 0 {
		l.patterns = append(l.patterns, r.Pattern)
	}
	if r.Has&codec.Format != 0 {
		l.formats = append(l.formats, r.Name)
	}
	if r.Has&codec.ConstOf != 0 {
		l.constant = r.Const
	}
	l.unique = l.unique || r.Has&codec.Unique != 0
}

// whole draws an integer between least and most that holds to l.
func (d *drawer) whole(l limits, least, most int64) int64 {
	least, most = max(least, l.intMin), min(most, l.intMax)
	if l.min > float64(least) {
		least = int64(math.Ceil(l.min))
		if l.minExcl && float64(least) == l.min {
			least++
		}
	}
	if l.max < float64(most) {
		most = int64(math.Floor(l.max))
		if l.maxExcl && float64(most) == l.max {
			most--
		}
	}
	n := least
	switch d.IntN(4) {
	case 0:
	case 1:
		n = most
	default:
		n = min(max(int64(d.IntN(2000)-1000), least), most)
		if span := most - least; n == least && span > 0 && span < 1<<40 {
			n = least + d.Int64N(span+1)
		}
	}
	if m := int64(l.multiple); m > 1 {
		if n -= n % m; n < least {
			n += m
		}
	}
	return n
}

// real draws a number that holds to l.
func (d *drawer) real(l limits) float64 {
	least, most := max(l.min, float64(l.intMin), -1e6), min(l.max, float64(l.intMax), 1e6)
	if least > most {
		least, most = max(l.min, float64(l.intMin)), min(l.max, float64(l.intMax))
	}
	for range 100 {
		x := least + d.Float64()*(most-least)
		switch d.IntN(4) {
		case 0:
			x = math.Round(x)
		case 1:
			x = math.Round(x*100) / 100
		}
		if l.multiple > 0 {
			x = math.Round(x/l.multiple) * l.multiple
			if l.multiple < 1 { // 0.01 is none that a float64 knows, 100 is
				x = math.Round(x/l.multiple) / math.Round(1/l.multiple)
			}
		}
		if (x > least || x == least && !l.minExcl) && (x < most || x == most && !l.maxExcl) {
			return x
		}
	}
	d.fail("no number for %+v", l)
	return least
}
