package roundtrip

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// credentials are options by which a client has what the contract's schemes want, and a
// server takes it, with whatever scopes are asked for.
func (s *subject) credentials() (server []concordat.ServerOption, conn []concordat.ConnOption) {
	scopes := map[*auth.Scheme][]string{}
	for _, op := range s.Ops {
		for _, together := range operationOf(op).Security {
			for _, q := range together {
				scopes[q.Scheme] = append(scopes[q.Scheme], q.Scopes...)
			}
		}
	}
	for scheme, granted := range scopes {
		if scheme.Kind == auth.KindMutualTLS {
			continue
		}
		source := auth.Static("value-of-" + scheme.Name)
		if scheme.HTTP == "basic" {
			source = auth.Password("user", "value-of-"+scheme.Name)
		}
		server = append(server, concordat.WithVerifier(scheme, accept(granted)))
		conn = append(conn, concordat.WithCredentials(scheme, source))
	}
	return server, conn
}

// accept takes any credential. One that the operation also declares as a parameter has the
// value that was drawn for that.
func accept(scopes []string) auth.Verifier {
	return func(_ context.Context, p *auth.Presented) (*auth.Principal, error) {
		if p.Value == "" {
			return nil, errors.New("no value")
		}
		return &auth.Principal{Subject: "somebody", Scopes: scopes}, nil
	}
}

// refuseStranger makes one call without credentials, and expects it to be refused before
// the implementation sees it.
func (c *restCase) refuseStranger() {
	if !wants(c.op) {
		return
	}
	in := c.request()
	if !in.IsValid() {
		return
	}
	c.answer(func([]reflect.Value) []reflect.Value {
		c.t.Error("the implementation saw a stranger")
		return results(c.impl.MethodByName(c.method).Type(), reflect.Value{}, concordat.Errorf(concordat.Internal, "seen"))
	})
	if _, err := call(c.t.Context(), c.stranger, c.method, in); concordat.ErrorOf(err) == nil || concordat.ErrorOf(err).Status != http.StatusUnauthorized {
		c.t.Errorf("a stranger got %v", err)
	}
}

// wants says whether a stranger is refused by what is not a parameter, too.
func wants(op *operation) bool {
	for _, together := range op.Security {
		if len(together) == 0 || !slices.ContainsFunc(together, func(q auth.Requirement) bool { return !declared(op, q.Scheme) && q.Scheme.Kind != auth.KindMutualTLS }) {
			return false
		}
	}
	return len(op.Security) > 0
}

// declared says whether the credential is a parameter of the operation, too.
func declared(op *operation, s *auth.Scheme) bool {
	places := map[stub.Place]string{stub.Header: "header", stub.Query: "query", stub.Cookie: "cookie"}
	return slices.ContainsFunc(op.Params, func(p stub.Param) bool { return s.Param == p.Name && s.In == places[p.In] })
}
