package generator

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// formats are the names of formats that the runtime checks.
var formats = map[string]string{
	"email": "email", "idn-email": "email", "uri": "uri", "url": "uri", "hostname": "hostname", "ipv4": "ipv4", "ipv6": "ipv6",
}

// scalarRule is what decoding checks of a scalar of kind; nil for nothing.
func (p *pass) scalarRule(s *contract.Scalar, kind string) *golang.Rule {
	r := &golang.Rule{}
	switch kind {
	case "String", "Bytes":
		p.lengths(r, &s.Rules)
	case "Int32", "Int64", "Uint32", "Uint64":
		p.integers(r, &s.Rules, kind)
	case "Float32", "Float64":
		p.floats(r, &s.Rules)
	}
	if kind == "String" {
		r.Pattern = p.pattern(s.Rules.Pattern)
		r.Format = formatOf(s)
	}
	if s.Const != nil {
		r.Const = *s.Const
	}
	r.Also = also(s.Rules.Also)
	return orNil(r)
}

func formatOf(s *contract.Scalar) string {
	switch s.Kind {
	case contract.Time:
		return "time"
	case contract.Duration:
		return "duration"
	case contract.URI:
		return "uri"
	}
	return formats[s.Format]
}

// sizeRule is what decoding checks of a list or map.
func (p *pass) sizeRule(rules *contract.Rules) *golang.Rule {
	r := &golang.Rule{Unique: rules.Unique, Also: also(rules.Also)}
	p.lengths(r, rules)
	return orNil(r)
}

// also is the text of an assertion; "" for none.
func also(a *contract.Assertion) string {
	if a == nil {
		return ""
	}
	return a.Schema
}

// asserting adds an assertion to a table of its own.
func asserting(r *golang.Rule, a *contract.Assertion) *golang.Rule {
	if a == nil {
		return r
	}
	if r == nil {
		return &golang.Rule{Also: a.Schema}
	}
	c := *r
	c.Also = a.Schema
	return &c
}

func orNil(r *golang.Rule) *golang.Rule {
	if *r == (golang.Rule{}) {
		return nil
	}
	return r
}

func (p *pass) lengths(r *golang.Rule, rules *contract.Rules) {
	if rules.MinLen != nil && *rules.MinLen > 0 {
		r.MinLen = strconv.Itoa(*rules.MinLen)
	}
	if rules.MaxLen != nil && *rules.MaxLen < 1<<31 {
		r.MaxLen = strconv.Itoa(*rules.MaxLen)
	}
}

// pattern is an ECMA-262 expression as RE2 has it, or "" where RE2 cannot say it.
func (p *pass) pattern(ecma string) string {
	if ecma == "" {
		return ""
	}
	re := unicodeEscape.ReplaceAllString(ecma, `\x{$1}`)
	if _, err := regexp.Compile(re); err != nil {
		p.remark("pattern-not-checked", p.at, "the pattern %q is not checked: Go's regular expressions cannot say it", ecma)
		return ""
	}
	return re
}

var unicodeEscape = regexp.MustCompile(`\\u\{?([0-9A-Fa-f]{4,6})\}?`)

// integers turns bounds into inclusive integers.
func (p *pass) integers(r *golang.Rule, rules *contract.Rules, kind string) {
	r.Min = p.bound(rules.Min, rules.ExclusiveMin, 1, kind)
	r.Max = p.bound(rules.Max, rules.ExclusiveMax, -1, kind)
	m, ok := new(big.Rat).SetString(rules.MultipleOf)
	if !ok || m.Sign() <= 0 {
		return
	}
	if !m.IsInt() || !m.Num().IsInt64() {
		p.remark("rule-not-checked", p.at, "multipleOf %s of an integer is not checked", rules.MultipleOf)
	} else if m.Num().Int64() > 1 {
		r.Multiple = m.Num().String()
	}
}

// bound is one inclusive bound. step leads from an exclusive bound to the next integer
// inside: 1 for a lower bound.
func (p *pass) bound(text string, exclusive bool, step int64, kind string) string {
	b, ok := new(big.Rat).SetString(text)
	if !ok {
		return ""
	}
	n, rest := new(big.Int).DivMod(b.Num(), b.Denom(), new(big.Int)) // floor
	whole := rest.Sign() == 0
	if step > 0 && !whole || exclusive && whole {
		n.Add(n, big.NewInt(step))
	}
	if limit := limits[kind]; step > 0 && n.Cmp(limit[0]) <= 0 || step < 0 && n.Cmp(limit[1]) >= 0 {
		return "" // the type says it
	}
	if !n.IsInt64() {
		p.warn("rule-not-checked", p.at, "the bound %s is not checked: it lies beyond 64 bits", text)
		return ""
	}
	return n.String()
}

// limits are the least and the greatest value of each integer kind.
var limits = map[string][2]*big.Int{
	"Int32":  {big.NewInt(-1 << 31), big.NewInt(1<<31 - 1)},
	"Int64":  {big.NewInt(-1 << 63), big.NewInt(1<<63 - 1)},
	"Uint32": {new(big.Int), big.NewInt(1<<32 - 1)},
	"Uint64": {new(big.Int), new(big.Int).SetUint64(1<<64 - 1)},
}

func (p *pass) floats(r *golang.Rule, rules *contract.Rules) {
	r.FMin, r.FMax = p.float(rules.Min), p.float(rules.Max)
	r.FMinExcl = rules.ExclusiveMin && r.FMin != ""
	r.FMaxExcl = rules.ExclusiveMax && r.FMax != ""
	if m := p.float(rules.MultipleOf); m != "" && !strings.HasPrefix(m, "-") && m != "0" {
		r.FMultiple = m
	}
}

// float is a decimal number as Go writes it, or "" where a float64 cannot hold it.
func (p *pass) float(text string) string {
	if text == "" {
		return ""
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		p.warn("rule-not-checked", p.at, "the bound %s is not checked: it lies beyond a float64", text)
		return ""
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// remarks is the comment behind a field: what its rules allow, its default, who may
// write it.
func remarks(f *contract.Field) string {
	var out []string
	switch s := contract.Resolve(f.Schema).(type) {
	case *contract.Scalar:
		out = appendText(out, scalarText(s))
	case *contract.List:
		out = appendText(out, span(s.Rules.MinLen, s.Rules.MaxLen, "item"))
	case *contract.Map:
		out = appendText(out, span(s.Rules.MinLen, s.Rules.MaxLen, "entry"))
	}
	if f.Default != nil && len(*f.Default) <= 40 {
		out = append(out, "default "+strings.Trim(*f.Default, `"`))
	}
	if f.ReadOnly {
		out = append(out, "read-only")
	}
	if f.WriteOnly {
		out = append(out, "write-only")
	}
	return strings.Join(out, ", ")
}

func appendText(out []string, text string) []string {
	if text == "" {
		return out
	}
	return append(out, text)
}

func scalarText(s *contract.Scalar) string {
	switch s.Kind {
	case contract.String, contract.URI:
		return span(s.Rules.MinLen, s.Rules.MaxLen, "character")
	case contract.Bytes:
		return span(s.Rules.MinLen, s.Rules.MaxLen, "byte")
	}
	low, high := s.Rules.Min, s.Rules.Max
	switch {
	case low != "" && high != "" && !s.Rules.ExclusiveMin && !s.Rules.ExclusiveMax:
		return low + " to " + high
	case low != "" && high != "":
		return bounded("", low, s.Rules.ExclusiveMin, "above ", "at least ") + ", " + bounded("", high, s.Rules.ExclusiveMax, "below ", "at most ")
	case low != "":
		return bounded("", low, s.Rules.ExclusiveMin, "above ", "at least ")
	case high != "":
		return bounded("", high, s.Rules.ExclusiveMax, "below ", "at most ")
	}
	return ""
}

func bounded(prefix, n string, exclusive bool, yes, no string) string {
	if exclusive {
		return prefix + yes + n
	}
	return prefix + no + n
}

// span words lengths: "1 to 100 characters", "at least 2 items", "exactly 3 bytes".
func span(low, high *int, unit string) string {
	if low != nil && *low == 0 {
		low = nil
	}
	switch {
	case low != nil && high != nil && *low == *high:
		return "exactly " + count(*low, unit)
	case low != nil && high != nil:
		return strconv.Itoa(*low) + " to " + count(*high, unit)
	case low != nil:
		return "at least " + count(*low, unit)
	case high != nil:
		return "at most " + count(*high, unit)
	}
	return ""
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	if stem, ok := strings.CutSuffix(unit, "y"); ok {
		return strconv.Itoa(n) + " " + stem + "ies"
	}
	return strconv.Itoa(n) + " " + unit + "s"
}
