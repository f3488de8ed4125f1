package block

import "github.com/dave/jennifer/jen"

// Var is "var name = value".
func Var(name string, value Code) Code {
	return jen.Var().Id(name).Op("=").Add(value)
}

// Vars is one var block of "name = value"; a single one goes without parentheses, none
// prints nothing.
func Vars(vars ...Pair) Code {
	if len(vars) == 0 {
		return nil
	}
	if len(vars) == 1 {
		return Var(vars[0].Key, vars[0].Value)
	}
	items := make([]Code, len(vars))
	for i, v := range vars {
		items[i] = jen.Id(v.Key).Op("=").Add(v.Value)
	}
	return jen.Var().Add(lines("(", ")", "", items))
}

// Consts is one const block of items.
func Consts(items ...Code) Code { return jen.Const().Add(lines("(", ")", "", items)) }

// Implements is "var _ iface = impl", which the compiler checks.
func Implements(iface, impl Code) Code {
	return jen.Var().Id("_").Add(iface).Op("=").Add(impl)
}

// Type is "type name def".
func Type(name string, def Code) Code { return jen.Type().Id(name).Add(def) }

// StructType is a struct type with one field on each line.
func StructType(fields ...Code) Code {
	if len(fields) == 0 {
		return jen.Id("struct{}")
	}
	return jen.Id("struct").Add(lines("{", "}", "", fields))
}

// Interface is an interface type. A blank line goes between its methods.
func Interface(methods ...Code) Code {
	if len(methods) == 0 {
		return jen.Id("interface{}")
	}
	return jen.Id("interface").Add(lines("{", "}", "\n", methods))
}

// A Sig is parameters and results as they are written, each in parentheses where Go
// wants them.
type Sig struct{ Params, Results []Code }

// Method is "name(params) results", a line of an interface.
func (s Sig) Method(name string) Code { return jen.Id(name).Add(s.code()) }

// Func is the type of such a function.
func (s Sig) Func() Code { return jen.Func().Add(s.code()) }

func (s Sig) code() Code {
	c := inline("(", ")", s.Params)
	switch len(s.Results) {
	case 0:
		return c
	case 1:
		return c.Add(s.Results[0])
	}
	return c.Add(inline("(", ")", s.Results))
}

// Func is a function; recv ("c *Client") makes it a method.
func Func(recv, name string, s Sig, body ...Code) Code {
	f := jen.Func()
	if recv != "" {
		f.Id("(" + recv + ")")
	}
	return f.Id(name).Add(s.code(), lines("{", "}", "", body))
}

// OneLine is a function whose body is one statement on the same line.
func OneLine(recv, name string, s Sig, statement Code) Code {
	f := jen.Func()
	if recv != "" {
		f.Id("(" + recv + ")")
	}
	return f.Id(name).Add(s.code(), inline("{", "}", []Code{statement}))
}

// Literal is a function value whose body is one statement on the same line.
func (s Sig) Literal(statements ...Code) Code {
	return jen.Func().Add(s.code(), jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ";"}, statements...))
}

// Block is a function value, a condition or a switch: head, then body in braces, one
// statement on each line.
func Block(head Code, body ...Code) Code { return jen.Add(head, lines("{", "}", "", body)) }

// Group is declarations that belong together: no blank line goes between them.
func Group(decls ...Code) Code { return lines("", "", "", decls) }

func lines(open, end, separator string, items []Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: open, Close: end, Separator: separator, Multi: true}, items...)
}
