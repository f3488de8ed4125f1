package templates

import (
	"fmt"
	"strings"

	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

func hasTables(_ *golang.Package, u *golang.Unit) bool { return len(u.Tables) > 0 || u.XML != nil }

func codecFile(_ *golang.Package, u *golang.Unit) []block.Code {
	var decls []block.Code
	for _, t := range u.Tables {
		decls = append(decls, Table(t))
		if t.Methods {
			decls = append(decls, TableMethods(t))
		}
	}
	if u.XML != nil {
		decls = append(decls, XMLSchema(u.XML))
	}
	return decls
}

// Table prints the table of a type.
//
//	var customerTable = codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(Customer{}), Go: (*Customer)(nil), Required: 1, Fields: []codec.Field{
//		{Key: `,"id":`, Kind: codec.UUID, Off: unsafe.Offsetof(Customer{}.ID), Flag: codec.Req},
//		{Key: `,"name":`, R: &codec.Rule{Has: codec.MinLen | codec.MaxLen, MinLen: 1, MaxLen: 100}, Off: unsafe.Offsetof(Customer{}.Name), Flag: codec.Ptr},
//		{Key: `,"tags":`, Kind: codec.Slice, T: &codec.StringsTable, Off: unsafe.Offsetof(Customer{}.Tags)},
//	}}
func Table(t *golang.Table) block.Code {
	return block.Doc(t.Doc, block.Var(t.Var, tableLiteral(t)))
}

// TableMethods prints the methods by which encoding/json and other tables reach a table.
//
//	func (*Customer) ConcordatTable() *codec.Type          { return &customerTable }
//	func (v Customer) MarshalJSON() ([]byte, error)        { return customerTable.Marshal(unsafe.Pointer(&v)) }
//	func (v *Customer) UnmarshalJSON(b []byte) error       { return customerTable.Unmarshal(b, unsafe.Pointer(v)) }
func TableMethods(t *golang.Table) block.Code {
	name := t.Of.Name
	table := block.Seq(block.Src("*"), codec("Type"))
	fails := block.Src("error")
	pointer := func(v string) block.Code { return block.Call(unsafe("Pointer"), block.Src(v)) }
	return block.Group(
		block.OneLine("*"+name, "ConcordatTable", block.Sig{Results: []block.Code{table}},
			block.Return(block.Src("&"+t.Var))),
		block.OneLine("v "+name, "MarshalJSON", block.Sig{Results: []block.Code{block.Src("[]byte"), fails}},
			block.Return(block.Call(block.Src(t.Var+".Marshal"), pointer("&v")))),
		block.OneLine("v *"+name, "UnmarshalJSON", block.Sig{Params: []block.Code{block.Src("b []byte")}, Results: []block.Code{fails}},
			block.Return(block.Call(block.Src(t.Var+".Unmarshal"), block.Src("b"), pointer("v")))),
	)
}

// tableLiteral prints codec.Type{...}.
func tableLiteral(t *golang.Table) block.Code {
	var owner string
	if t.Of != nil {
		owner = t.Of.Name
	}
	return block.Struct(codec("Type"),
		block.Pair{Key: "Kind", Value: codec(t.Kind)},
		block.Pair{Key: "Size", Value: size(t)},
		block.Pair{Key: "Go", Value: nilOf(t.Of)},
		block.Pair{Key: "Required", Value: whole(t.Required)},
		block.Pair{Key: "Extra", Value: table(t.Extra)},
		block.Pair{Key: "ExtraOff", Value: offset(owner, t.ExtraOf)},
		block.Pair{Key: "More", Value: block.List(codec("More"), each(t.More, func(m *golang.TableMore) block.Code {
			return block.Struct(nil, block.Pair{Key: "T", Value: table(m.Table)}, block.Pair{Key: "Off", Value: offset(owner, m.GoField)})
		})...)},
		block.Pair{Key: "Names", Value: rule(t.Names)},
		block.Pair{Key: "Closed", Value: truth(t.Closed)},
		block.Pair{Key: "Rules", Value: rule(t.Rules)},
		block.Pair{Key: "Enum", Value: block.Strings(t.Enum)},
		block.Pair{Key: "EnumInt", Value: block.List(block.Src("int64"), each(t.EnumInt, block.Int[int64])...)},
		block.Pair{Key: "Open", Value: truth(t.Open)},
		block.Pair{Key: "Const", Value: text(t.Const)},
		block.Pair{Key: "Elem", Value: table(t.Elem)},
		block.Pair{Key: "ElemFlag", Value: flags(t.ElemFlags)},
		block.Pair{Key: "Map", Value: mapOf(t.MapOf)},
		block.Pair{Key: "Union", Value: union(t.Union)},
		block.Pair{Key: "Lazy", Value: nilOf(t.Lazy)},
		block.Pair{Key: "Defaults", Value: block.List(codec("Default"), each(t.Defaults, func(d golang.TableDefault) block.Code {
			return block.Struct(nil, block.Pair{Key: "Field", Value: block.Int(d.Field)}, block.Pair{Key: "JSON", Value: text(d.JSON)})
		})...)},
		block.Pair{Key: "Fields", Value: block.ListLines(codec("Field"), each(t.Fields, tableField)...)},
	)
}

// table prints a table where it is used: &customerTable, &codec.StringTable or
// &codec.Type{...}.
func table(t *golang.Table) block.Code {
	switch {
	case t == nil:
		return nil
	case t.Use != "":
		return reference(t.Pkg, t.Use)
	case t.Std != "":
		return block.Address(codec(t.Std))
	}
	return block.Address(tableLiteral(t))
}

// size prints unsafe.Sizeof of a zero value.
func size(t *golang.Table) block.Code {
	if t.Of == nil {
		return nil
	}
	return block.Call(unsafe("Sizeof"), zero(t))
}

// zero prints a zero value of t's Go type: Customer{}, Status(""), Payment(nil).
func zero(t *golang.Table) block.Code {
	typ := ref("", *t.Of)
	if strings.HasPrefix(t.Of.Prefix, "*") {
		return block.Seq(block.Src("("), typ, block.Src(")(nil)"))
	}
	switch t.Kind {
	case "Custom":
		return block.Seq(block.Src("*"), nilPointer(typ))
	case "Object", "Tuple", "Slice", "Map", "Lazy", "Time", "Date", "UUID":
		return block.Struct(typ)
	case "String", "Enum", "Number":
		return block.Call(typ, block.String(""))
	case "Bool":
		return block.Call(typ, block.Src("false"))
	case "Bytes", "Raw", "Union", "Reader":
		return block.Call(typ, block.Src("nil"))
	}
	return block.Call(typ, block.Src("0"))
}

// mapOf prints (*codec.MapOf[Customer])(nil).
func mapOf(of *golang.Ref) block.Code {
	if of == nil {
		return nil
	}
	return nilPointer(block.Generic(codec("MapOf"), ref("", *of)))
}

// nilOf prints (*Customer)(nil): the type as a value, which costs no code.
func nilOf(of *golang.Ref) block.Code {
	if of == nil {
		return nil
	}
	return nilPointer(ref("", *of))
}

func nilPointer(typ block.Code) block.Code {
	return block.Call(block.Seq(block.Src("(*"), typ, block.Src(")")), block.Src("nil"))
}

func tableField(f *golang.TableField) block.Code {
	var pairs []block.Pair
	if !f.Position {
		pairs = append(pairs, block.Pair{Key: "Key", Value: block.String(key(f.Name))})
	}
	return block.Struct(nil, append(pairs, place(f)...)...)
}

// place prints what a table's field, a parameter and a body have in common: kind, table,
// rules, offset and flags. The zero values of kind and offset are left out.
func place(f *golang.TableField) []block.Pair {
	if f == nil {
		return nil
	}
	return []block.Pair{
		{Key: "Kind", Value: kind(f.Kind)},
		{Key: "T", Value: table(f.Table)},
		{Key: "R", Value: rule(f.Rules)},
		{Key: "Off", Value: offset(f.Owner, f.GoField)},
		{Key: "Flag", Value: flags(f.Flags)},
	}
}

// key prints a property's name as its first bytes in an object: `,"name":`. It escapes
// what RFC 8259 section 7 demands and no more, as the codec does.
func key(name string) string {
	var b strings.Builder
	b.WriteString(`,"`)
	for _, r := range name {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(`":`)
	return b.String()
}

// kind prints a constant of codec; String is zero.
func kind(k string) block.Code {
	if k == "String" || k == "" {
		return nil
	}
	return codec(k)
}

func flags(flags []string) block.Code {
	if len(flags) == 0 {
		return nil
	}
	return block.Or(each(flags, codec)...)
}
