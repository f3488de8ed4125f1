package generator

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// An enumDecl is an enum whose constants are not named yet: types come first.
type enumDecl struct {
	decl   *golang.Enum
	values []contract.EnumValue
}

// enum holds an enum: as a type of its own where its values are strings or integers, as
// what they have in common otherwise. Only a type of its own asks for a name.
func (p *pass) enum(e *contract.Enum, name func() string, doc contract.Doc) *held {
	values, base := enumValues(e)
	switch {
	case base == contract.String:
		return p.enumType(e, name(), doc, "Enum", "string", values)
	case base == contract.Integer:
		return p.enumType(e, name(), doc, "EnumInt", "int64", values)
	case base == contract.Bool:
		return &held{ref: golang.Ref{Name: "bool"}, kind: "Bool", base: "Bool", null: e.Nullable, rules: asserting(onlyValue(e, values), e.Also)}
	case base == contract.Number && len(values) == 1:
		return &held{ref: golang.Ref{Name: "float64"}, kind: "Float64", base: "Float64", null: e.Nullable, rules: asserting(onlyValue(e, values), e.Also)}
	case base == contract.Number:
		return p.enumType(e, name(), doc, "Float64", "float64", values)
	}
	h := raw() // values of several types that no union was made of
	h.null = e.Nullable
	h.rules = listing(e, values)
	return h
}

// listing asserts that a value is one of those that a closed enum lists.
func listing(e *contract.Enum, values []contract.EnumValue) *golang.Rule {
	if e.Open {
		return asserting(nil, e.Also)
	}
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.JSON
	}
	text := `{"enum":[` + strings.Join(list, ",") + "]"
	if e.Also != nil {
		text += `,"allOf":[` + e.Also.Schema + "]"
	}
	return &golang.Rule{Also: text + "}"}
}

// onlyValue is the rule of a closed enum with one value that needs no type of its own.
func onlyValue(e *contract.Enum, values []contract.EnumValue) *golang.Rule {
	if len(values) != 1 || e.Open {
		return nil
	}
	return &golang.Rule{Const: values[0].JSON}
}

func (p *pass) enumType(e *contract.Enum, name string, doc contract.Doc, kind, goType string, values []contract.EnumValue) *held {
	d := &golang.Enum{Name: name, Doc: typeDoc(name, doc), Type: golang.Ref{Name: goType}}
	t := &golang.Table{Var: p.tableVar(name), Kind: kind, Of: &golang.Ref{Name: name}, Open: e.Open, Rules: asserting(nil, e.Also)}
	for _, v := range values {
		switch kind {
		case "Enum":
			t.Enum = append(t.Enum, text(v.JSON))
		case "EnumInt":
			n, _ := integer(v.JSON)
			t.EnumInt = append(t.EnumInt, n)
		}
	}
	if kind == "Float64" {
		t.Open, t.Rules = false, listing(e, values)
	}
	p.place(d, t)
	p.enums = append(p.enums, &enumDecl{d, values})
	h := &held{ref: golang.Ref{Name: name}, kind: kind, table: &golang.Table{Use: t.Var}, decl: d, null: e.Nullable, base: "Enum"}
	p.inline[e] = h
	return h
}

// enumValues are the distinct values of an enum without null, and what all of them are;
// 0 where they differ.
func enumValues(e *contract.Enum) ([]contract.EnumValue, contract.ScalarKind) {
	var out []contract.EnumValue
	var base contract.ScalarKind
	seen := map[string]bool{}
	mixed := false
	for _, v := range e.Values {
		if v.JSON == "null" || seen[v.JSON] {
			continue
		}
		seen[v.JSON] = true
		out = append(out, v)
		k := kindOf(v.JSON)
		switch {
		case base == 0 || base == k:
			base = k
		case base == contract.Integer && k == contract.Number, base == contract.Number && k == contract.Integer:
			base = contract.Number
		default:
			mixed = true
		}
	}
	if mixed {
		base = 0
	}
	return out, base
}

// kindOf is the kind of a JSON text: String, Bool, Integer, Number, or 0.
func kindOf(text string) contract.ScalarKind {
	switch {
	case text == "":
		return 0
	case text[0] == '"':
		return contract.String
	case text == "true" || text == "false":
		return contract.Bool
	}
	if _, ok := integer(text); ok {
		return contract.Integer
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return contract.Number
	}
	return 0
}

func integer(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// text is the string that a JSON string stands for.
func text(quoted string) string {
	var s string
	if json.Unmarshal([]byte(quoted), &s) != nil {
		return quoted
	}
	return s
}

// nameEnums gives every enum its constants, when all types have their names.
func (p *pass) nameEnums() {
	for _, e := range p.enums {
		codes := areCodes(e.values)
		for _, v := range e.values {
			suffix, value := enumSuffix(v.Name), v.JSON
			switch text := text(v.JSON); {
			case e.decl.Type.Name == "string" && v.Name == "" && codes && isCode(text):
				suffix, value = text, strconv.Quote(text)
			case e.decl.Type.Name == "string":
				value = strconv.Quote(text)
				if v.Name == "" {
					suffix = enumSuffix(text)
				}
			case v.Name == "":
				suffix = enumSuffix(strings.ReplaceAll(v.JSON, ".", " Point "))
			}
			name := p.names.name(e.decl.Name+suffix, "Value")
			e.decl.Values = append(e.decl.Values, &golang.EnumValue{Name: name, Doc: typeDoc(name, v.Doc), Value: value})
		}
	}
}

// enumSuffix is the part of a constant's name behind that of its type, which may begin
// with a digit.
func enumSuffix(value string) string {
	name := exported(value)
	if len(name) > 1 && name[0] == 'X' && name[1] >= '0' && name[1] <= '9' {
		return name[1:]
	}
	return name
}

// areCodes says whether the values of an enum are codes like EUR or GET, whose upper case
// means something; where one has several words, like IN_PROGRESS, upper case is a habit.
func areCodes(values []contract.EnumValue) bool {
	return !slices.ContainsFunc(values, func(v contract.EnumValue) bool {
		value := text(v.JSON)
		return strings.ToUpper(value) == value && strings.ToLower(value) != value && !isCode(value)
	})
}

func isCode(value string) bool {
	return value != "" && !strings.ContainsFunc(value, func(r rune) bool { return !(unicode.IsUpper(r) || unicode.IsDigit(r)) })
}
