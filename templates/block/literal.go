package block

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dave/jennifer/jen"
)

// A Pair is one line of a composite literal or of a block of variables.
type Pair struct {
	Key   string
	Value Code // nil: the pair is left out
}

// Struct is a composite literal on one line: typ{Key: value}. A nil typ is left to the
// list that it stands in.
func Struct(typ Code, pairs ...Pair) Code {
	return seq(typ, inline("{", "}", fields(pairs)))
}

// StructLines is a composite literal with one line for each pair.
func StructLines(typ Code, pairs ...Pair) Code {
	return seq(typ, lines("{", "}", ",", fields(pairs)))
}

// fields keeps the order of pairs, where jennifer's Dict would sort them.
func fields(pairs []Pair) []Code {
	items := make([]Code, 0, len(pairs))
	for _, p := range pairs {
		if p.Value != nil {
			items = append(items, jen.Id(p.Key+":").Add(p.Value))
		}
	}
	return items
}

// Literal is a composite literal of items on one line: typ{item, item}. A nil typ is left
// to the list that it stands in.
func Literal(typ Code, items ...Code) Code { return seq(typ, inline("{", "}", items)) }

// List is a literal of a slice, all on one line, or nil where there are no items.
func List(elem Code, items ...Code) Code {
	if len(items) == 0 {
		return nil
	}
	return jen.Id("[]").Add(elem, inline("{", "}", items))
}

// ListLines is a literal of a slice with one line for each item, or nil where there are
// no items.
func ListLines(elem Code, items ...Code) Code {
	if len(items) == 0 {
		return nil
	}
	return jen.Id("[]").Add(elem, lines("{", "}", ",", items))
}

// Strings is a literal of []string, wrapped where it is long, or nil where there are none.
func Strings(list []string) Code {
	if len(list) == 0 {
		return nil
	}
	var rows []Code
	var row strings.Builder
	for i, s := range list {
		row.WriteString(quote(s) + ", ")
		if row.Len() > width || i == len(list)-1 {
			rows = append(rows, jen.Id(strings.TrimSuffix(row.String(), ", ")))
			row.Reset()
		}
	}
	if len(rows) == 1 {
		return List(jen.Id("string"), rows...)
	}
	return ListLines(jen.Id("string"), rows...)
}

// width is where lists of strings are wrapped.
const width = 100

// String is a string literal: raw where that spares escapes, quoted otherwise.
func String(s string) Code {
	return jen.Id(quote(s))
}

func quote(s string) string {
	if strings.ContainsAny(s, `"\`) && strconv.CanBackquote(s) && utf8.ValidString(s) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

// Int is an integer literal.
func Int[T ~int | ~int64](n T) Code { return jen.Id(strconv.FormatInt(int64(n), 10)) }

// Tag is a struct tag.
func Tag(tag string) Code {
	if tag == "" {
		return nil
	}
	if strconv.CanBackquote(tag) {
		return jen.Id("`" + tag + "`")
	}
	return jen.Id(strconv.Quote(tag))
}
