package templates

import (
	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

// transcode prints the routes by which REST calls a method of Protobuf.
//
//	transcode.Unary(s, &getBook, impl.GetBook, transcode.Rule{Method: "GET", Path: "/v1/{name=shelves/*/books/*}"})
func transcode(m *golang.Method) block.Code {
	args := []block.Code{block.Src("s"), block.Src("&" + m.Var), implementation(m)}
	for _, r := range m.Routes {
		args = append(args, block.Struct(block.Qual(transPath, "Rule"),
			block.Pair{Key: "Method", Value: text(r.Method)},
			block.Pair{Key: "Path", Value: text(r.Path)},
			block.Pair{Key: "Body", Value: text(r.Body)},
			block.Pair{Key: "Reply", Value: text(r.Reply)},
		))
	}
	return block.Call(block.Qual(transPath, shape(m)), args...)
}

// implementation prints impl.GetBook, held to protovalidate's rules where there are some:
//
//	validate.Unary(impl.GetBook)
func implementation(m *golang.Method) block.Code {
	impl := block.Src("impl." + m.Name)
	if !m.Checked {
		return impl
	}
	return block.Call(block.Qual(checkPath, shape(m)), impl)
}

func shape(m *golang.Method) string { return rpcStubs(m.Sig)[0] }
