package auth

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// replayable is for how long a signature is good: what somebody overheard is worth nothing
// later. Clocks may differ by as much.
const replayable = 5 * time.Minute

// SignBody signs the body of each request by secret, as senders of webhooks do, so that the
// receiver knows who wrote it and that nobody changed it: the key of scheme, one in a header,
// is "t=" the seconds since 1970, ",v1=" and the HMAC-SHA256, in hex, of that number, a dot
// and the body. Bodies that stream cannot be signed. Other ways to sign are a Credential with
// Sign.
func SignBody(scheme *Scheme, secret []byte) Source {
	sign := func(req *http.Request) error {
		if scheme.Kind != KindAPIKey || scheme.In != "header" {
			return errors.New("a signature travels as a key in a header")
		}
		body, err := bodyOf(req)
		if err != nil {
			return err
		}
		at := strconv.FormatInt(time.Now().Unix(), 10)
		req.Header.Set(scheme.Param, "t="+at+",v1="+hex.EncodeToString(signature(secret, at, body)))
		return nil
	}
	return SourceFunc(func(context.Context) (Credential, error) {
		if len(secret) == 0 {
			return Credential{}, errors.New("the secret is empty")
		}
		return Credential{Sign: sign}, nil
	})
}

// bodyOf reads what req will send.
func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	if req.GetBody == nil {
		return nil, errors.New("a body that streams cannot be signed")
	}
	r, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func signature(secret []byte, at string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(at + "."))
	h.Write(body)
	return h.Sum(nil)
}

// VerifyBody knows the secrets of some senders, by their names: the principal's subject. It
// verifies what SignBody makes, up to five minutes old, and reads the body for that, within
// the limit of the server; several "v1" are alternatives, for a secret that is replaced.
func VerifyBody(secrets map[string][]byte) Verifier {
	return func(_ context.Context, p *Presented) (*Principal, error) {
		at, sums, err := parseSignature(p.Value)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(p.Request.Body)
		if err != nil {
			return nil, fmt.Errorf("the body cannot be read: %w", err)
		}
		p.Request.Body = struct {
			io.Reader
			io.Closer
		}{bytes.NewReader(body), p.Request.Body}
		for name, secret := range secrets {
			want := signature(secret, at, body)
			for _, sum := range sums {
				if len(secret) > 0 && hmac.Equal(sum, want) {
					return &Principal{Subject: name}, nil
				}
			}
		}
		return nil, errUnknown
	}
}

// parseSignature reads "t=…,v1=…", and refuses what is too old.
func parseSignature(value string) (at string, sums [][]byte, err error) {
	for part := range strings.SplitSeq(value, ",") {
		switch name, v, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			at = v
		case "v1":
			sum, err := hex.DecodeString(v)
			if err != nil {
				return "", nil, errors.New("the signature is not hex")
			}
			sums = append(sums, sum)
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || len(sums) == 0 {
		return "", nil, errors.New("the signature is not like t=…,v1=…")
	}
	if age := time.Since(time.Unix(seconds, 0)); age > replayable || age < -replayable {
		return "", nil, errors.New("the signature is too old, or the clocks differ")
	}
	return at, sums, nil
}
