package templates

import (
	"cmp"

	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

func hasFakes(p *golang.Package, u *golang.Unit) bool {
	for _, s := range u.Services {
		if s.Fake != nil && p.FakeName != "" {
			return true
		}
	}
	return false
}

func fakeName(p *golang.Package, u *golang.Unit) string {
	return p.FakeName + "/" + u.Stem + ".concordat.go"
}

func fakeFile(p *golang.Package, u *golang.Unit) []block.Code {
	var decls []block.Code
	for _, s := range u.Services {
		if s.Fake == nil {
			continue
		}
		decls = append(decls, Fake(p, s), Faked(p, s))
		for _, m := range s.Methods {
			decls = append(decls, FakeMethod(p, s, m))
		}
	}
	return decls
}

// Fake prints the type that implements a service with its fields.
//
//	// Users implements users.Users with its fields. A method whose field is nil fails with
//	// concordat.Unimplemented.
//	type Users struct {
//		OnGetCustomer    func(ctx context.Context, in *users.GetCustomerRequest) (*users.Customer, error)
//		OnDeleteCustomer func(ctx context.Context, in *users.DeleteCustomerRequest) error
//	}
func Fake(p *golang.Package, s *golang.Service) block.Code {
	fields := each(s.Methods, func(m *golang.Method) block.Code {
		return block.Seq(block.Src(on(m)), signature(p.Path, s, m).Func())
	})
	return block.Doc(s.Fake.Doc, block.Type(s.Fake.Name, block.StructType(fields...)))
}

// Faked prints the line by which the compiler holds the fake to the contract.
//
//	var _ users.Users = Users{}
func Faked(p *golang.Package, s *golang.Service) block.Code {
	return block.Implements(block.Qual(p.Path, s.Name), block.Src(s.Fake.Name+"{}"))
}

// FakeMethod prints one method of a fake.
//
//	func (f Users) GetCustomer(ctx context.Context, in *users.GetCustomerRequest) (*users.Customer, error) {
//		if f.OnGetCustomer == nil {
//			return nil, concordat.Errorf(concordat.Unimplemented, "users.Users/GetCustomer")
//		}
//		return f.OnGetCustomer(ctx, in)
//	}
func FakeMethod(p *golang.Package, s *golang.Service, m *golang.Method) block.Code {
	_, arg := names(s)
	on := "f." + on(m)
	return block.Func("f "+s.Fake.Name, m.Name, signature(p.Path, s, m),
		block.Block(block.Src("if "+on+" == nil"), block.Return(unimplemented(p, m)...)),
		block.Return(block.Call(block.Src(on), block.Src("ctx"), block.Src(arg))),
	)
}

// unimplemented prints what a method of the shape of m returns when it fails.
func unimplemented(p *golang.Package, m *golang.Method) []block.Code {
	failure := block.Call(concordat("Errorf"), concordat("Unimplemented"), block.String(m.Op.Name))
	switch m.Sig {
	case golang.Exec, golang.Publish:
		return []block.Code{failure}
	case golang.ServerStream, golang.Bidi:
		yield := block.Seq(block.Src("yield func(*"), ref(p.Path, m.Out), block.Src(", error) bool"))
		return []block.Code{block.Sig{Params: []block.Code{yield}}.Literal(block.Call(block.Src("yield"), block.Src("nil"), failure))}
	}
	return []block.Code{block.Src("nil"), failure}
}

// on is the name of a fake's field.
func on(m *golang.Method) string { return cmp.Or(m.On, "On"+m.Name) }
