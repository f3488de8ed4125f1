package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"
)

// A Credential is what proves who calls. It never prints what it holds.
type Credential struct {
	User  string // of basic authentication
	Value string // key, token or password
	// Expires is when it ends; the zero time means never.
	Expires time.Time
	// Sign, where there is one, puts the credential into the request in its own way, and
	// Value is not sent: for digest, signatures and the like. The body must stay as it is.
	Sign func(*http.Request) error
}

const redacted = "[credential]"

// String returns a placeholder, so that no log or error shows a secret.
func (Credential) String() string { return redacted }

// GoString does as String.
func (Credential) GoString() string { return redacted }

// Format does as String, whatever the verb.
func (Credential) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue does as String.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText does as String, for JSON and its kin.
func (Credential) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// empty says that there is nothing to send.
func (c Credential) empty() bool { return c.Value == "" && c.User == "" && c.Sign == nil }

// A Source gives credentials. It is asked before each call, so one that fetches them should
// keep them: see Cache. It may be called at the same time by many.
type Source interface {
	// Credential returns what to send now. Its errors must not show secrets.
	Credential(ctx context.Context) (Credential, error)
}

// A Renewer is a Source that may have something better when a server refused, by 401, what
// it gave.
type Renewer interface {
	Source
	// Renew returns another credential than used. challenges are the values of the
	// server's WWW-Authenticate headers. It is called once per call at most.
	Renew(ctx context.Context, used Credential, challenges []string) (Credential, error)
}

// SourceFunc makes a Source of a function.
type SourceFunc func(ctx context.Context) (Credential, error)

// Credential implements Source.
func (f SourceFunc) Credential(ctx context.Context) (Credential, error) { return f(ctx) }

// Static always gives one key or token.
func Static(value string) Source {
	return SourceFunc(func(context.Context) (Credential, error) { return Credential{Value: value}, nil })
}

// Password always gives one user with a password, for basic authentication.
func Password(user, password string) Source {
	return SourceFunc(func(context.Context) (Credential, error) { return Credential{User: user, Value: password}, nil })
}

// Env gives what an environment variable holds at the time of each call.
func Env(name string) Source {
	return SourceFunc(func(context.Context) (Credential, error) {
		v := os.Getenv(name)
		if v == "" {
			return Credential{}, fmt.Errorf("the environment variable %s is empty; set it", name)
		}
		return Credential{Value: v}, nil
	})
}

// What File puts up with.
const (
	fileRecheck = 5 * time.Second
	maxFile     = 64 << 10
)

// File gives the content of a file without the space around it, such as the token that
// Kubernetes mounts and replaces now and then. The file is read again after five seconds,
// and at once when a server refused what it held.
func File(name string) Renewer { return &file{name: name} }

type file struct {
	name string

	mu   sync.Mutex
	read time.Time
	last Credential
}

// Credential implements Source.
func (f *file) Credential(context.Context) (Credential, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.last.empty() && time.Since(f.read) < fileRecheck {
		return f.last, nil
	}
	return f.load()
}

// Renew implements Renewer.
func (f *file) Renew(_ context.Context, used Credential, _ []string) (Credential, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.load()
	if err == nil && c.Value == used.Value {
		return Credential{}, errNothingNew
	}
	return c, err
}

// load reads the file. One that cannot be read, or is empty since it is being replaced,
// leaves what there was.
func (f *file) load() (Credential, error) {
	data, err := readFile(f.name)
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("%s is empty; it should hold a token", f.name)
	}
	if err != nil {
		if !f.last.empty() {
			return f.last, nil
		}
		return Credential{}, err
	}
	f.read, f.last = time.Now(), Credential{Value: string(data)}
	return f.last, nil
}

func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, which is no token", name, info.Size())
	}
	data, err := os.ReadFile(name)
	return bytes.TrimSpace(data), err
}

var errNothingNew = errors.New("the source has nothing but what the server refused")
