package templates

import (
	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

// union prints &codec.UnionType{...}. The interface that holds a variant is read and
// written by code only, never by offset: that is what keeps the garbage collector safe.
func union(u *golang.TableUnion) block.Code {
	if u == nil {
		return nil
	}
	return block.Address(block.StructLines(codec("UnionType"),
		block.Pair{Key: "Tag", Value: text(u.Tag)},
		block.Pair{Key: "Variants", Value: block.ListLines(codec("Variant"), each(u.Variants, func(v *golang.TableVariant) block.Code {
			return variant(u, v)
		})...)},
		block.Pair{Key: "Get", Value: get(u)},
	))
}

func variant(u *golang.TableUnion, v *golang.TableVariant) block.Code {
	return block.Struct(nil,
		block.Pair{Key: "Tags", Value: block.List(block.Src("string"), each(v.Tags, block.String)...)},
		block.Pair{Key: "T", Value: table(v.Table)},
		block.Pair{Key: "Set", Value: set(u, v)},
	)
}

// set prints func(p unsafe.Pointer) unsafe.Pointer { v := new(Card); *(*Payment)(p) = v; return unsafe.Pointer(v) }.
func set(u *golang.TableUnion, v *golang.TableVariant) block.Code {
	pointer := unsafe("Pointer")
	return block.Sig{Params: []block.Code{block.Seq(block.Src("p"), pointer)}, Results: []block.Code{pointer}}.Literal(
		block.Seq(block.Src("v := "), block.Call(block.Src("new"), ref("", v.Of))),
		block.Seq(held(u), block.Src("= v")),
		block.Return(block.Call(pointer, block.Src("v"))),
	)
}

// get prints the function that tells which variant is held.
func get(u *golang.TableUnion) block.Code {
	pointer := unsafe("Pointer")
	sig := block.Sig{Params: []block.Code{block.Seq(block.Src("p"), pointer)}, Results: []block.Code{block.Src("int"), pointer}}
	var cases []block.Code
	for i, v := range u.Variants {
		cases = append(cases,
			block.Seq(block.Src("case *"), ref("", v.Of), block.Src(":")),
			block.Return(block.Int(i), block.Call(pointer, block.Src("v"))),
		)
	}
	return block.Block(sig.Func(),
		block.Block(block.Seq(block.Src("switch v := ("), held(u), block.Src(").(type)")), cases...),
		block.Src("return -1, nil"),
	)
}

// held prints *(*Payment)(p), the interface itself.
func held(u *golang.TableUnion) block.Code {
	return block.Seq(block.Src("*(*"), ref("", u.Of), block.Src(")(p)"))
}
