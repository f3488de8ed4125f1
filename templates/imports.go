package templates

import "github.com/concordat-dev/concordat/templates/block"

// The packages of the runtime that generated code imports.
const (
	concordatPath = "github.com/concordat-dev/concordat/runtime"
	stubPath      = concordatPath + "/stub"
	rpcPath       = stubPath + "/rpc"
	transPath     = rpcPath + "/transcode"
	checkPath     = rpcPath + "/validate"
	codecPath     = concordatPath + "/codec"
	paramPath     = codecPath + "/param"
	brokerPath    = concordatPath + "/broker"
)

func concordat(name string) block.Code { return block.Qual(concordatPath, name) }
func stub(name string) block.Code      { return block.Qual(stubPath, name) }
func codec(name string) block.Code     { return block.Qual(codecPath, name) }
func unsafe(name string) block.Code    { return block.Qual("unsafe", name) }

// offset prints unsafe.Offsetof(Customer{}.ID), or nothing where field is "".
func offset(owner, field string) block.Code {
	if field == "" {
		return nil
	}
	return block.Call(unsafe("Offsetof"), block.Src(owner+"{}."+field))
}

// list prints the items of a slice: a single one on the line that it belongs to, several
// below each other.
func list(elem block.Code, items []block.Code) block.Code {
	if len(items) == 1 {
		return block.List(elem, items...)
	}
	return block.ListLines(elem, items...)
}

// each maps xs through f.
func each[T any](xs []T, f func(T) block.Code) []block.Code {
	out := make([]block.Code, len(xs))
	for i, x := range xs {
		out[i] = f(x)
	}
	return out
}

// text prints a string literal, or nothing for "".
func text(s string) block.Code {
	if s == "" {
		return nil
	}
	return block.String(s)
}

// source prints Go source, or nothing for "".
func source(s string) block.Code {
	if s == "" {
		return nil
	}
	return block.Src(s)
}

// truth prints true, or nothing.
func truth(b bool) block.Code {
	if !b {
		return nil
	}
	return block.Src("true")
}

// whole prints a number, or nothing for 0.
func whole(n int) block.Code {
	if n == 0 {
		return nil
	}
	return block.Int(n)
}
