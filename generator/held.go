package generator

import (
	"slices"

	"github.com/concordat-dev/concordat/templates/golang"
)

// runtimePath is the package that programs see, codecPath the one that holds tables.
const (
	runtimePath = "github.com/concordat-dev/concordat/runtime"
)

// A held is how a schema is held in Go: the type, and what the codec must know of it.
// It is shared and does not change, except that the declaration behind it is filled in
// later.
type held struct {
	ref   golang.Ref
	kind  string        // constant of codec
	table *golang.Table // of a field that holds it; nil where the kind says everything
	rules *golang.Rule
	null  bool   // null is one of its values
	value string // name of the struct that is held by value; "" for none
	decl  golang.Decl
	base  string // kind of Go type in words, for names: "String", "List", ...
}

// orNull is h where null is one of its values, too.
func (h *held) orNull(null bool) *held {
	if !null || h.null {
		return h
	}
	c := *h
	c.null = true
	return &c
}

// nilable says whether nil stands for being absent.
func (h *held) nilable() bool {
	return slices.Contains([]string{"Slice", "Map", "Union", "Raw", "Bytes", "Reader"}, h.kind)
}

// field returns the Go type of a field that holds h, and the flags of its table line.
func (h *held) field(required, nullable bool) (golang.Ref, []string) {
	nullable = nullable || h.null
	var flags []string
	if required {
		flags = append(flags, "Req")
	}
	if nullable {
		flags = append(flags, "Null")
	}
	switch {
	case h.kind == "Const" || h.nilable() || required && !nullable:
		return h.ref, flags
	case !required && nullable:
		return golang.Ref{Pkg: runtimePath, Name: "Opt", Args: []golang.Ref{h.ref}}, append(flags, "Maybe")
	}
	return pointer(h.ref), append(flags, "Ptr")
}

// elem returns the Go type of an element that holds h, its table and its flags.
func (h *held) elem() (golang.Ref, *golang.Table, []string) {
	switch {
	case !h.null:
		return h.ref, h.alone(), nil
	case h.nilable():
		return h.ref, h.alone(), []string{"Null"}
	}
	return pointer(h.ref), h.alone(), []string{"Null", "Ptr"}
}

// alone is the table of a value that stands for itself: an element, a variant, the
// detail of a failure. The codec allocates those.
func (h *held) alone() *golang.Table {
	t := h.table
	if t == nil {
		if h.rules == nil {
			return &golang.Table{Std: h.kind + "Table"}
		}
		return &golang.Table{Kind: h.kind, Of: &h.ref, Rules: h.rules}
	}
	if t.Use != "" && h.rules == nil || t.Std != "" && h.rules == nil {
		return t
	}
	if t.Use != "" {
		return t // rules of a named type stand in its own table
	}
	c := *spelled(t)
	c.Of = &h.ref
	if c.Rules == nil {
		c.Rules = h.rules
	}
	return &c
}

// spelled is a table of the codec written out, so that rules can be added to it.
func spelled(t *golang.Table) *golang.Table {
	switch text := (&golang.Table{Std: "StringTable"}); t.Std {
	case "StringsTable":
		return &golang.Table{Kind: "Slice", Elem: text}
	case "StringMapTable":
		return &golang.Table{Kind: "Map", MapOf: &golang.Ref{Name: "string"}, Elem: text}
	}
	return t
}

// line is h as one line of a table.
func (h *held) line(name, owner, field string, flags []string) *golang.TableField {
	return &golang.TableField{Name: name, Kind: h.kind, Owner: owner, GoField: field, Table: h.table, Rules: h.rules, Flags: flags}
}

func pointer(r golang.Ref) golang.Ref {
	r.Prefix = "*" + r.Prefix
	return r
}

// of is prefix followed by r: a list or map of r.
func of(prefix string, r golang.Ref) golang.Ref {
	r.Prefix = prefix + r.Prefix
	return r
}

// raw holds any JSON text.
func raw() *held {
	return &held{ref: golang.Ref{Pkg: "encoding/json", Name: "RawMessage"}, kind: "Raw", base: "Raw"}
}
