package templates

import (
	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

// A stubs names the functions of the runtime that carry a method, and the type of the
// variable that describes it.
type stubs struct{ client, server, op block.Code }

// carrier returns the stubs of a method, by its service's wire and its shape.
func carrier(s *golang.Service, m *golang.Method) stubs {
	pkg, n := stubPath, [3]string{}
	switch s.Wire {
	case golang.RPC:
		pkg, n = rpcPath, rpcStubs(m.Sig)
	case golang.Events:
		n = eventStubs(m.Sig)
	default:
		n = restStubs(m.Sig)
	}
	return stubs{block.Qual(pkg, n[0]), block.Qual(pkg, n[1]), block.Qual(pkg, n[2])}
}

func restStubs(s golang.Shape) [3]string {
	switch s {
	case golang.Exec:
		return [3]string{"Exec", "HandleExec", "Op"}
	case golang.ServerStream:
		return [3]string{"Stream", "HandleStream", "Op"}
	}
	return [3]string{"Call", "Handle", "Op"}
}

func eventStubs(s golang.Shape) [3]string {
	if s == golang.Ask {
		return [3]string{"Ask", "Answer", "Request"}
	}
	return [3]string{"Publish", "Consume", "Event"}
}

func rpcStubs(s golang.Shape) [3]string {
	switch s {
	case golang.ServerStream:
		return [3]string{"ServerStream", "HandleServerStream", "Method"}
	case golang.ClientStream:
		return [3]string{"ClientStream", "HandleClientStream", "Method"}
	case golang.Bidi:
		return [3]string{"Bidi", "HandleBidi", "Method"}
	}
	return [3]string{"Unary", "HandleUnary", "Method"}
}
