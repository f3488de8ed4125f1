package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
)

// A Verifier says who shows a credential. An error, and no principal, means that the
// credential is worth nothing: the caller is told only that (401), and the error is logged.
// An error that wraps ErrUnavailable, or that of a context, means that nobody can tell now
// (503), and one that wraps ErrForbidden that the caller is known and not welcome (403). A
// *Challenge is a 401 that says what to do. Errors must not show secrets.
type Verifier func(ctx context.Context, p *Presented) (*Principal, error)

// What verifiers wrap to be answered otherwise than by 401.
var (
	ErrUnavailable = errors.New("credentials cannot be verified now")
	ErrForbidden   = errors.New("the caller is not allowed")
)

// A Challenge is the error of a Verifier that wants another answer, as digest does: Value
// is sent as WWW-Authenticate.
type Challenge struct{ Value string }

// Error implements error.
func (*Challenge) Error() string { return "the caller was challenged" }

var (
	errUnknown     = errors.New("the credential is unknown")
	errNoPrincipal = errors.New("the verifier returned neither a principal nor an error")
)

// Equal compares two secrets in a time that does not depend on where they differ, nor on
// their lengths.
func Equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// Keys knows some keys, by the name of who has each: the principal's subject. An empty key
// is nobody's. The time that it takes says nothing of the keys.
func Keys(keys map[string]string) Verifier {
	type known struct {
		name string
		sum  [sha256.Size]byte
	}
	var all []known
	for name, key := range keys {
		if key != "" {
			all = append(all, known{name, sha256.Sum256([]byte(key))})
		}
	}
	return func(_ context.Context, p *Presented) (*Principal, error) {
		sum, found := sha256.Sum256([]byte(p.Value)), -1
		for i := range all {
			if subtle.ConstantTimeCompare(sum[:], all[i].sum[:]) == 1 {
				found = i
			}
		}
		if found < 0 {
			return nil, errUnknown
		}
		return &Principal{Subject: all[found].name}, nil
	}
}

// Tokens makes a Verifier of a function of the token or key alone.
func Tokens(verify func(ctx context.Context, token string) (*Principal, error)) Verifier {
	return func(ctx context.Context, p *Presented) (*Principal, error) { return verify(ctx, p.Value) }
}

// Passwords makes a Verifier, of basic authentication, of a function of user and password.
// Compare what is not hashed by Equal.
func Passwords(verify func(ctx context.Context, user, password string) (*Principal, error)) Verifier {
	return func(ctx context.Context, p *Presented) (*Principal, error) {
		return verify(ctx, p.User, p.Value)
	}
}
