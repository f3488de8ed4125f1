package templates

import (
	"go/ast"
	"slices"

	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

func hasTypes(_ *golang.Package, u *golang.Unit) bool { return len(u.Types) > 0 }

func typesFile(_ *golang.Package, u *golang.Unit) []block.Code {
	var decls []block.Code
	for _, d := range u.Types {
		decls = append(decls, Type(d)...)
	}
	return decls
}

// Type prints a declared type, by its kind.
//
//	type CustomerID string
func Type(d golang.Decl) []block.Code {
	switch d := d.(type) {
	case *golang.Struct:
		return Struct(d)
	case *golang.Named:
		return Named(d)
	case *golang.Enum:
		return Enum(d)
	case *golang.Union:
		return []block.Code{Union(d)}
	}
	return nil
}

// Struct prints a struct type and what makes it a variant of unions.
//
//	// A Customer buys things.
//	type Customer struct {
//		ID   concordat.UUID `json:"id"`
//		Name *string        `json:"name,omitzero"` // 1 to 100 characters
//
//		// Tags group customers.
//		Tags []string `json:"tags,omitzero"`
//	}
//
//	func (*Customer) isParty() {}
func Struct(s *golang.Struct) []block.Code {
	fields := make([]block.Code, len(s.Fields))
	for i, f := range s.Fields {
		fields[i] = field(f, i > 0)
	}
	return withMarkers(block.Doc(s.Doc, block.Type(s.Name, block.StructType(fields...))), s.Name, s.Markers)
}

func field(f *golang.Field, apart bool) block.Code {
	line := block.Behind(block.Seq(block.Src(f.Name), ref("", f.Type), block.Tag(f.Tag)), f.Comment)
	if len(f.Doc) == 0 {
		return line
	}
	if apart {
		return block.Apart(block.Doc(f.Doc, line))
	}
	return block.Doc(f.Doc, line)
}

// Named prints a type that is defined by another.
//
//	// Tags group customers.
//	type Tags []string
func Named(n *golang.Named) []block.Code {
	def := ref("", n.Type)
	if n.Alias {
		def = block.Seq(block.Src("="), def)
	}
	return withMarkers(block.Doc(n.Doc, block.Type(n.Name, def)), n.Name, n.Markers)
}

// Enum prints a named scalar and its constants.
//
//	// A Status is how far an order is.
//	type Status string
//
//	// The values of Status.
//	const (
//		StatusPaid Status = "paid"
//		// StatusLost cannot be found.
//		StatusLost Status = "lost"
//	)
func Enum(e *golang.Enum) []block.Code {
	decls := withMarkers(block.Doc(e.Doc, block.Type(e.Name, ref("", e.Type))), e.Name, e.Markers)
	if len(e.Values) == 0 {
		return decls
	}
	values := make([]block.Code, len(e.Values))
	for i, v := range e.Values {
		values[i] = block.Doc(v.Doc, block.Src(v.Name+" "+e.Name+" = "+v.Value))
	}
	consts := block.Doc([]string{"The values of " + e.Name + "."}, block.Consts(values...))
	return slices.Insert(decls, 1, consts)
}

// Union prints an interface that only its variants implement.
//
//	// A Payment is how an order is paid.
//	type Payment interface{ isPayment() } // *Card or *IBAN
func Union(u *golang.Union) block.Code {
	var names string
	for i, v := range u.Variants {
		if i > 0 {
			names += " or "
		}
		names += "*" + v.Name
	}
	return block.Doc(u.Doc, block.Behind(block.Type(u.Name, block.Src("interface{ "+u.Marker+"() }")), names))
}

// withMarkers adds the unexported methods that make name a variant.
func withMarkers(decl block.Code, name string, markers []string) []block.Code {
	if len(markers) == 0 {
		return []block.Code{decl}
	}
	methods := make([]block.Code, len(markers))
	for i, m := range markers {
		methods[i] = block.Src("func (*" + name + ") " + m + "() {}")
	}
	return []block.Code{decl, block.Group(methods...)}
}

// ref prints a type. home is the package that unqualified exported names belong to when
// the file is another package's; "" in the package itself.
func ref(home string, r golang.Ref) block.Code {
	name := block.Src(r.Name)
	switch {
	case r.Pkg != "":
		name = block.Qual(r.Pkg, r.Name)
	case home != "" && ast.IsExported(r.Name):
		name = block.Qual(home, r.Name)
	}
	args := make([]block.Code, len(r.Args))
	for i, a := range r.Args {
		args[i] = ref(home, a)
	}
	return block.Seq(prefix(r.Prefix), block.Generic(name, args...))
}

func prefix(p string) block.Code {
	if p == "" {
		return nil
	}
	return block.Src(p)
}
