package generator

import (
	"strings"
	"unicode"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// formed adds the map of the properties whose names have a form, called after what the
// form spells out: ^x- gives XProperties.
func (p *pass) formed(form *contract.Pattern, names *scope, st *golang.Struct, tab *golang.Table) {
	name := names.name(formWord(form.Regexp)+"Properties", "Map")
	p.within(form.Span, func() {
		h := p.mapped(form.Schema, form.Null, contract.Rules{}, st.Name+name)
		t := *spelled(h.table)
		t.Names = &golang.Rule{Pattern: form.Regexp}
		st.Fields = append(st.Fields, &golang.Field{Name: name, Type: h.ref, Tag: `json:"-"`, Comment: "the properties whose names match " + oneLine(form.Regexp)})
		tab.More = append(tab.More, &golang.TableMore{Table: &t, GoField: name})
	})
}

// formWord is what a regular expression spells out at its beginning.
func formWord(re string) string {
	literal := strings.TrimPrefix(re, "^")
	if end := strings.IndexFunc(literal, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' }); end >= 0 {
		if strings.ContainsRune("*?{", rune(literal[end])) && end > 0 {
			end-- // which the last letter depends on
		}
		literal = literal[:end]
	}
	if words(literal) == nil || strings.Trim(literal, "-_") == "" {
		return "Pattern"
	}
	return exported(literal)
}
