package templates

import (
	"slices"
	"strings"
	"unicode"

	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

func hasChecks(_ *golang.Package, u *golang.Unit) bool { return len(checks(u)) > 0 }

func checksFile(_ *golang.Package, u *golang.Unit) []block.Code {
	return []block.Code{Checks(u)}
}

// Checks prints the test that holds tables against types: where a table is wrong, memory
// would be, too.
//
//	// The tables say where in memory each field lies. This test holds them against the types.
//	func TestTables_users(t *testing.T) {
//		for _, err := range []error{
//			codec.Check[Customer](&customerTable),
//			stub.Check(&getCustomer),
//		} {
//			if err != nil {
//				t.Error(err)
//			}
//		}
//	}
func Checks(u *golang.Unit) block.Code {
	sig := block.Sig{Params: []block.Code{block.Seq(block.Src("t *"), block.Qual("testing", "T"))}}
	loop := block.Seq(block.Src("for _, err := range"), block.ListLines(block.Src("error"), checks(u)...))
	return block.Doc([]string{"The tables say where in memory each field lies. This test holds them against the types."},
		block.Func("", "TestTables_"+identifier(u.Stem), sig,
			block.Block(loop, block.Block(block.Src("if err != nil"), block.Src("t.Error(err)")))))
}

// checks are the calls that check one table or one operation each.
func checks(u *golang.Unit) []block.Code {
	var calls []block.Code
	for _, t := range u.Tables {
		if t.Of != nil {
			calls = append(calls, block.Call(block.Generic(codec("Check"), ref("", *t.Of)), block.Src("&"+t.Var)))
		}
	}
	for _, m := range printed(u) {
		switch {
		case wire(u, m) == golang.REST:
			calls = append(calls, block.Call(stub("Check"), block.Src("&"+m.Var)))
		case len(m.Op.Params) > 0:
			calls = append(calls, block.Call(block.Generic(block.Qual(paramPath, "Check"), ref("", m.In)), block.Src(m.Var+".Params")))
		}
	}
	return calls
}

// wire is the family of the service that m belongs to.
func wire(u *golang.Unit, m *golang.Method) golang.Wire {
	for _, s := range u.Services {
		if slices.Contains(s.Methods, m) {
			return s.Wire
		}
	}
	for _, p := range u.Parts {
		if slices.Contains(p.Methods, m) {
			return p.Service.Wire
		}
	}
	return 0
}

// printed are the methods whose operations u's service file declares.
func printed(u *golang.Unit) []*golang.Method {
	var ms []*golang.Method
	for _, s := range u.Services {
		for _, m := range s.Methods {
			if !m.Apart {
				ms = append(ms, m)
			}
		}
	}
	for _, p := range u.Parts {
		ms = append(ms, p.Methods...)
	}
	return ms
}

// identifier is stem as a part of a Go name.
func identifier(stem string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, stem)
}
