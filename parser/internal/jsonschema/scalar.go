package jsonschema

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// textKinds are the formats of text that have a kind of their own.
var textKinds = map[string]contract.ScalarKind{
	"date-time": contract.DateTime, "date": contract.Date, "time": contract.Time, "duration": contract.Duration,
	"uuid": contract.UUID, "uri": contract.URI, "url": contract.URI, "iri": contract.URI,
	"ip": contract.IP, "ipv4": contract.IP, "ipv6": contract.IP,
	"byte": contract.Bytes, "base64": contract.Bytes, "binary": contract.Binary,
}

// numberKinds are the formats of integers and numbers. Those of fewer bits than Go has
// become the next wider kind, with bounds.
var numberKinds = map[string]contract.ScalarKind{
	"int8": contract.Int32, "int16": contract.Int32, "int32": contract.Int32, "int64": contract.Int64,
	"uint8": contract.Uint32, "uint16": contract.Uint32, "uint32": contract.Uint32, "uint64": contract.Uint64,
}

var narrow = map[string][2]string{
	"int8": {"-128", "127"}, "int16": {"-32768", "32767"}, "uint8": {"0", "255"}, "uint16": {"0", "65535"},
}

// text reads a string. A format without a kind stays written beside it.
func (r *Reader) text(v *view, typ string) contract.Schema {
	format, _ := v.first("format").Str()
	s := &contract.Scalar{Kind: contract.String, Rules: r.sizes(v, "minLength", "maxLength")}
	encoding, _ := v.first("contentEncoding").Str()
	switch kind := textKinds[format]; {
	case typ == "file":
		s.Kind = contract.Binary
	case kind != 0:
		s.Kind = kind
		if kind == contract.IP && format != "ip" || format == "iri" {
			s.Format = format
		}
	case strings.EqualFold(encoding, "base64"):
		s.Kind = contract.Bytes
	case format != "":
		s.Format = format
	case encoding == "" && v.has("contentMediaType") && !v.has("contentSchema"):
		if media, _ := v.first("contentMediaType").Str(); media == "application/octet-stream" {
			s.Kind = contract.Binary
		}
	}
	if content := v.first("contentSchema"); content != nil && v.has("contentMediaType") {
		if media, _ := v.first("contentMediaType").Str(); strings.Contains(media, "json") {
			s.Content = r.Schema(content)
		}
	}
	for _, n := range v.every("pattern") {
		if !node.Expect(r.diags, n, "pattern", node.String) {
			continue
		}
		if re, ok := r.pattern(n.Text(), n.Span()); ok && s.Rules.Pattern == "" {
			s.Rules.Pattern = re
		} else if ok && re != s.Rules.Pattern {
			r.skip("second pattern", n, diag.Warning)
		}
	}
	return s
}

// number reads an integer or a number with its bounds.
func (r *Reader) number(v *view, typ string) contract.Schema {
	format, _ := v.first("format").Str()
	s := &contract.Scalar{Rules: r.bounds(v)}
	if typ == "integer" {
		s.Kind = contract.Integer
		if kind := numberKinds[format]; kind != 0 {
			s.Kind = kind
		} else {
			s.Format = format
		}
		if n, ok := narrow[format]; ok {
			tighten(&s.Rules.Min, &s.Rules.ExclusiveMin, n[0], false, 1)
			tighten(&s.Rules.Max, &s.Rules.ExclusiveMax, n[1], false, -1)
		}
		return s
	}
	switch format {
	case "float":
		s.Kind = contract.Float32
	case "double":
		s.Kind = contract.Float64
	case "decimal", "decimal128":
		s.Kind = contract.Decimal
	default:
		s.Kind, s.Format = contract.Number, format
	}
	return s
}

// bounds reads minimum, maximum, both spellings of the exclusive ones, and multipleOf.
func (r *Reader) bounds(v *view) contract.Rules {
	var rules contract.Rules
	for _, p := range v.parts {
		r.bound(p, "minimum", "exclusiveMinimum", &rules.Min, &rules.ExclusiveMin, 1)
		r.bound(p, "maximum", "exclusiveMaximum", &rules.Max, &rules.ExclusiveMax, -1)
		n := p.Get("multipleOf")
		x, ok := r.decimal(n, "multipleOf")
		switch {
		case !ok:
		case x.Sign() <= 0:
			r.badKeyword(n, "multipleOf must be greater than 0")
		case rules.MultipleOf == "":
			rules.MultipleOf = n.Text()
		case rules.MultipleOf != n.Text():
			r.skip("second multipleOf", n, diag.Warning)
		}
	}
	r.emptyRange(v, &rules)
	return rules
}

// emptyRange reports bounds that no number is within.
func (r *Reader) emptyRange(v *view, rules *contract.Rules) {
	low, ok := parseDecimal(rules.Min)
	high, also := parseDecimal(rules.Max)
	if !ok || !also {
		return
	}
	if c := low.Cmp(high); c > 0 || c == 0 && (rules.ExclusiveMin || rules.ExclusiveMax) {
		r.diags.Warnf("empty-range", v.node.Span(), "no value lies between %s and %s", rules.Min, rules.Max)
	}
}

func (r *Reader) bound(p *node.Node, inclusive, exclusive string, limit *string, excl *bool, sign int) {
	flag, isFlag := p.Get(exclusive).Bool() // draft 4 and OpenAPI 3.0
	if n := p.Get(inclusive); n != nil {
		if _, ok := r.decimal(n, inclusive); ok {
			tighten(limit, excl, n.Text(), flag, sign)
		}
	}
	if n := p.Get(exclusive); n != nil && !isFlag {
		if _, ok := r.decimal(n, exclusive); ok {
			tighten(limit, excl, n.Text(), true, sign)
		}
	}
}

// tighten replaces a limit where the new one allows less: more for a lower limit (sign
// 1), less for an upper one (sign -1).
func tighten(limit *string, excl *bool, text string, exclusive bool, sign int) {
	order := 1
	if *limit != "" {
		old, _ := parseDecimal(*limit)
		now, ok := parseDecimal(text)
		if old == nil || !ok {
			return
		}
		order = now.Cmp(old) * sign
	}
	switch {
	case order > 0:
		*limit, *excl = text, exclusive
	case order == 0:
		*excl = *excl || exclusive
	}
}

func (r *Reader) decimal(n *node.Node, what string) (*big.Rat, bool) {
	if !node.Expect(r.diags, n, what, node.Number) {
		return nil, false
	}
	x, ok := parseDecimal(n.Text())
	if !ok {
		r.badKeyword(n, what+" is beyond what can be checked")
	}
	return x, ok
}

// parseDecimal reads a number exactly. It refuses those whose exact value would need
// more memory than the text that describes it deserves.
func parseDecimal(s string) (*big.Rat, bool) {
	if len(s) > 400 {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > 400 || e < -400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

// sizes reads a pair of keywords that count: the tightest of all parts.
func (r *Reader) sizes(v *view, low, high string) contract.Rules {
	var rules contract.Rules
	for _, n := range v.every(low) {
		if x, ok := r.size(n, low); ok && (rules.MinLen == nil || x > *rules.MinLen) {
			rules.MinLen = &x
		}
	}
	for _, n := range v.every(high) {
		if x, ok := r.size(n, high); ok && (rules.MaxLen == nil || x < *rules.MaxLen) {
			rules.MaxLen = &x
		}
	}
	if rules.MinLen != nil && *rules.MinLen == 0 {
		rules.MinLen = nil
	}
	return rules
}

func (r *Reader) size(n *node.Node, what string) (int, bool) {
	x, ok := r.decimal(n, what)
	if !ok {
		return 0, false
	}
	if !x.IsInt() || x.Sign() < 0 {
		r.badKeyword(n, what+" must be a whole number, 0 or more")
		return 0, false
	}
	if !x.Num().IsInt64() || x.Num().Int64() > 1<<53 {
		return 0, false // so large that it limits nothing
	}
	return int(x.Num().Int64()), true
}

func (r *Reader) badKeyword(n *node.Node, why string) {
	r.diags.Warnf("bad-keyword", n.Span(), "%s; it is not checked", why)
}

// kindOf returns how a value of k looks in JSON.
func kindOf(k contract.ScalarKind) node.Kind {
	switch k {
	case contract.Bool:
		return node.Bool
	case contract.Null:
		return node.Null
	case contract.Int32, contract.Int64, contract.Uint32, contract.Uint64, contract.Integer,
		contract.Float32, contract.Float64, contract.Number, contract.Decimal:
		return node.Number
	}
	return node.String
}
