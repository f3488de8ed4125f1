package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Carries reports whether h carries a credential of the scheme already, set by whoever
// calls.
func (s *Scheme) Carries(h http.Header) bool {
	if s.Kind == KindAPIKey {
		return s.In == "header" && h.Get(s.Param) != ""
	}
	_, ok := ofAuthorization(h, s.authorization())
	return ok
}

// Apply puts c where the scheme wants it: into the header, the query or the cookies of
// req, which is the caller's own. What req carries there already stays. Errors do not show
// c.
func (s *Scheme) Apply(req *http.Request, c Credential) error {
	switch {
	case c.Sign != nil:
		if err := c.Sign(req); err != nil {
			return fmt.Errorf("scheme %s: %w", s.Name, err)
		}
		return nil
	case s.Kind == KindMutualTLS || s.Carries(req.Header):
		return nil
	case c.empty():
		return fmt.Errorf("scheme %s: the credential is empty", s.Name)
	case s.Kind == KindAPIKey:
		return s.applyKey(req, c.Value)
	}
	value, err := s.header(c)
	if err != nil {
		return err
	}
	if req.Header.Get("Authorization") != "" {
		return fmt.Errorf("scheme %s: something else stands in the Authorization header, which has room for one", s.Name)
	}
	req.Header.Set("Authorization", value)
	return nil
}

// header is the value of Authorization (RFC 9110, 11.6.2).
func (s *Scheme) header(c Credential) (string, error) {
	switch kind := s.authorization(); {
	case kind == "basic":
		if strings.Contains(c.User, ":") || !printable(c.User+c.Value) {
			return "", fmt.Errorf("scheme %s: a user may have no colon, and neither user nor password control characters (RFC 7617, 2)", s.Name)
		}
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.User+":"+c.Value)), nil
	case !printable(c.Value):
		return "", errControl(s)
	case kind == "bearer":
		return "Bearer " + c.Value, nil
	case kind == "":
		return "", fmt.Errorf("scheme %s: nothing is known of kind %q", s.Name, s.Kind)
	default:
		return strings.ToUpper(kind[:1]) + kind[1:] + " " + c.Value, nil
	}
}

func (s *Scheme) applyKey(req *http.Request, key string) error {
	if !printable(key) {
		return errControl(s)
	}
	switch s.In {
	case "header":
		req.Header.Set(s.Param, key)
	case "query":
		if _, there := one(req.URL.Query()[s.Param]); there {
			return nil
		}
		u := *req.URL
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += url.QueryEscape(s.Param) + "=" + url.QueryEscape(key)
		req.URL = &u
	case "cookie":
		return s.applyCookie(req, key)
	default:
		return fmt.Errorf("scheme %s: a key cannot travel in %q", s.Name, s.In)
	}
	return nil
}

func (s *Scheme) applyCookie(req *http.Request, key string) error {
	if len(req.CookiesNamed(s.Param)) > 0 {
		return nil
	}
	if strings.ContainsAny(key, "\";,\\ ") {
		return fmt.Errorf("scheme %s: the key has characters that a cookie cannot carry (RFC 6265, 4.1.1)", s.Name)
	}
	line := s.Param + "=" + key
	if before := req.Header["Cookie"]; len(before) > 0 {
		line = strings.Join(before, "; ") + "; " + line
	}
	req.Header.Set("Cookie", line)
	return nil
}

func errControl(s *Scheme) error {
	return fmt.Errorf("scheme %s: the credential has control characters; does it end in a line feed?", s.Name)
}

// printable refuses what would end a header or begin another.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// A Presented is what a caller shows for one scheme. It does not print secrets.
type Presented struct {
	Scheme *Scheme
	Credential
	// Request is the request, whose body is not read yet. A verifier that reads it, as
	// VerifyBody does, puts another one in its place.
	Request *http.Request
}

var errTwice = errors.New("the credential is there more than once")

// present finds what req shows for s. false: nothing.
func (s *Scheme) present(req *http.Request) (Credential, bool, error) {
	var values []string
	switch {
	case s.Kind != KindAPIKey:
		return s.presentHeader(req)
	case s.In == "header":
		values = req.Header.Values(s.Param)
	case s.In == "query":
		values = req.URL.Query()[s.Param]
	case s.In == "cookie":
		for _, c := range req.CookiesNamed(s.Param) {
			values = append(values, c.Value)
		}
	}
	if len(values) > 1 {
		return Credential{}, true, errTwice
	}
	v, ok := one(values)
	return Credential{Value: v}, ok, nil
}

func one(values []string) (string, bool) {
	if len(values) == 0 || values[0] == "" {
		return "", false
	}
	return values[0], true
}

func (s *Scheme) presentHeader(req *http.Request) (Credential, bool, error) {
	kind := s.authorization()
	v, ok := ofAuthorization(req.Header, kind)
	switch {
	case !ok || kind == "":
		return Credential{}, false, nil
	case len(req.Header.Values("Authorization")) > 1:
		return Credential{}, true, errTwice
	case kind != "basic":
		return Credential{Value: v}, true, nil
	}
	user, password, ok := req.BasicAuth()
	if !ok {
		return Credential{}, true, errors.New("the Authorization header is not basic authentication (RFC 7617)")
	}
	return Credential{User: user, Value: password}, true, nil
}

// ofAuthorization returns what follows the authentication scheme kind.
func ofAuthorization(h http.Header, kind string) (string, bool) {
	for _, line := range h["Authorization"] {
		name, rest, _ := strings.Cut(line, " ")
		if rest = strings.TrimSpace(rest); strings.EqualFold(name, kind) && rest != "" {
			return rest, true
		}
	}
	return "", false
}
