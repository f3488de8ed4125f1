package stub_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/stub"
)

var (
	signed = &auth.Scheme{Name: "signature", Kind: auth.KindAPIKey, In: "header", Param: "X-Signature"}
	token  = &auth.Scheme{Name: "token", Kind: auth.KindHTTP, HTTP: "bearer"}
)

func hookOp(name string, scheme *auth.Scheme) *stub.Op[CreatePetRequest, stub.None] {
	return &stub.Op[CreatePetRequest, stub.None]{
		Spec:    concordat.Spec{Name: "pets.Webhooks/" + name, Route: "POST /" + name, Security: auth.Requirements{{{Scheme: scheme}}}},
		Bodies:  []stub.Body{{Media: "application/json", T: &petTable, Kind: codec.Object, Flag: codec.Req}},
		Replies: []stub.Reply{{Status: 204}},
	}
}

// A webhook is signed by who sends it, and verified by who receives it: by its body, or by
// a token.
func TestHookSecurity(t *testing.T) {
	born, fed := hookOp("born", signed), hookOp("fed", token)
	var who []string
	note := func(ctx context.Context, in *CreatePetRequest) error {
		who = append(who, auth.PrincipalOf(ctx).Subject+" "+in.Body.Name)
		return nil
	}
	var tamper func([]byte) []byte
	s := concordat.NewServer(concordat.WithPlaintext(), quiet,
		concordat.WithVerifier(signed, auth.VerifyBody(map[string][]byte{"shelter": []byte("s3cret"), "nobody": nil})),
		concordat.WithVerifier(token, auth.Keys(map[string]string{"kitchen": "t0ken"})),
		concordat.WithMiddleware(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tamper != nil {
					b, _ := io.ReadAll(r.Body)
					b = tamper(b)
					r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
				}
				next.ServeHTTP(w, r)
			})
		}))
	s.Below("/hooks", func(s *concordat.Server) {
		stub.HandleExec(s, born, note)
		stub.HandleExec(s, fed, note)
	})
	run(t, s)
	send := func(op *stub.Op[CreatePetRequest, stub.None], opts ...concordat.ConnOption) error {
		t.Helper()
		hooks := concordat.NewHooks(10, append(opts, concordat.WithPlaintext(), concordat.WithPrivateNetworks(), quiet)...)
		defer hooks.Close()
		conn, err := hooks.Conn("http://" + s.Addr() + "/hooks" + strings.TrimPrefix(op.Route, "POST "))
		if err != nil {
			t.Fatal(err)
		}
		return stub.Exec(t.Context(), conn, op, &CreatePetRequest{Body: Pet{ID: 1, Name: "Rex"}})
	}
	mine := concordat.WithCredentials(signed, auth.SignBody(signed, []byte("s3cret")))
	if err := send(born, mine); err != nil {
		t.Fatal(err)
	}
	if err := send(fed, concordat.WithCredentials(token, auth.Static("t0ken"))); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(who, ", "); got != "shelter Rex, kitchen Rex" {
		t.Errorf("received from %s", got)
	}
	for name, c := range map[string]struct {
		op   *stub.Op[CreatePetRequest, stub.None]
		opt  concordat.ConnOption
		tamp func([]byte) []byte
	}{
		"another secret":     {born, concordat.WithCredentials(signed, auth.SignBody(signed, []byte("guess"))), nil},
		"no signature":       {born, concordat.WithoutAuthentication(), nil},
		"rubbish":            {born, concordat.WithCredentials(signed, auth.Static("v1=zz")), nil},
		"an old signature":   {born, concordat.WithCredentials(signed, auth.Static("t=1000000000,v1=00")), nil},
		"another body":       {born, mine, func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("Rex"), []byte("Max")) }},
		"the empty secret":   {born, concordat.WithCredentials(signed, auth.SignBody(signed, nil)), nil},
		"another token":      {fed, concordat.WithCredentials(token, auth.Static("guess")), nil},
		"no credential":      {fed, mine, nil},
		"the other's scheme": {born, concordat.WithCredentials(token, auth.Static("t0ken")), nil},
	} {
		tamper = c.tamp
		if err := send(c.op, c.opt); concordat.ErrorOf(err).Code != concordat.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(who) != 2 {
		t.Errorf("received from %q", who)
	}
}
