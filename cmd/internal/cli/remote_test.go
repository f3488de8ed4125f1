package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// Other hosts are asked where that is allowed, and only those; what they said is kept.
func TestRemoteReferences(t *testing.T) {
	var asked atomic.Int32
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/shared.yaml" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, "Pet: {type: object, required: [name], properties: {name: {type: string}}}\n")
	}))
	dir, cache := t.TempDir(), filepath.Join(t.TempDir(), "cache")
	at, err := url.Parse(host.URL)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "HOST", at.Host)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const doc = `openapi: 3.1.0
info: {title: Pets, version: '1'}
paths:
  /pets:
    get:
      operationId: get
      responses: {'200': {description: it, content: {application/json: {schema: {$ref: 'http://HOST/FILE#/Pet'}}}}}
`
	write("pets.yaml", strings.Replace(doc, "FILE", "shared.yaml", 1))
	write("gone.yaml", strings.Replace(doc, "FILE", "gone.yaml", 1))
	write("events.yaml", `asyncapi: 3.0.0
info: {title: Events, version: '1'}
channels: {born: {address: born, messages: {born: {payload: {$ref: 'http://HOST/shared.yaml#/Pet'}}}}}
operations: {born: {action: send, channel: {$ref: '#/channels/born'}}}
`)
	write("concordat.yaml", "version: v1\nremote: {hosts: HOST, cache: kept, timeout: 5s, max-bytes: 10000, max-age: 24h}\ncontracts: [{spec: pets.yaml, out: gen}]\n")
	write("go.mod", "module example.com/shop\n")
	steps := []struct {
		name string
		args []string
		code int
		want string // of both streams
	}{
		{"not allowed", []string{"validate", "pets.yaml"}, 4, "remote-reference"},
		{"another host", []string{"validate", "--allow-remote=example.com", "--remote-cache", cache, "pets.yaml"}, 4, "not among those that may be asked"},
		{"no public address", []string{"validate", "--allow-remote", "--remote-cache", cache, "pets.yaml"}, 4, "no public address"},
		{"offline, never seen", []string{"validate", "--offline", "--remote-cache", cache, "pets.yaml"}, 4, "not in the cache"},
		{"allowed", []string{"contract", "--allow-remote=" + at.Host, "--remote-cache", cache, "pets.yaml"}, 0, "field name string"},
		{"not there", []string{"validate", "--allow-remote=" + at.Hostname(), "--remote-cache", cache, "gone.yaml"}, 4, "gone.yaml"},
		{"events", []string{"contract", "--allow-remote=" + at.Host, "--remote-cache", cache, "events.yaml"}, 0, "field name string"},
		{"configured", []string{"generate"}, 0, "gen: "},
	}
	for _, s := range steps {
		code, out, errs := run(t, dir, nil, s.args...)
		if code != s.code || !strings.Contains(out+errs, s.want) {
			t.Errorf("%s: exit code %d, want %d\n%s%s", s.name, code, s.code, out, errs)
		}
	}
	if n := asked.Load(); n != 3 { // once for the flags' cache, once for what is not there, once for the configured cache
		t.Errorf("the host was asked %d times", n)
	}
	host.Close()
	for _, args := range [][]string{{"validate", "--offline", "--remote-cache", cache, "pets.yaml"}, {"generate", "--offline", "--check"}} {
		if code, out, errs := run(t, dir, nil, args...); code != 0 {
			t.Errorf("%q without the host: exit code %d\n%s%s", args, code, out, errs)
		}
	}
}
