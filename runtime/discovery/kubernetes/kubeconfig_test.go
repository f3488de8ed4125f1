package kubernetes

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

const written = `---
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %[2]s
    server: %[1]s
    tls-server-name: localhost
  name: here # where we are
- name: 'there'
  cluster:
      certificate-authority: ca.crt
      server: "https://there:6443"
contexts:
- context:
    cluster: here
    namespace: shop
    user: admin
  name: admin@here
- context: {}
  name: nothing
- context:
    cluster: there
    user: robot
  name: robot@there
current-context: admin@here
kind: Config
preferences: {}
users:
- name: admin
  user:
    client-certificate-data: %[3]s
    client-key-data: %[4]s
- name: robot
  user:
    tokenFile: secrets/token
`

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// An API server that demands the certificate which the kubeconfig holds.
func TestKubeconfig(t *testing.T) {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	conf, err := ca.Mutual("apiserver")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.PeerCertificates[0].Subject.CommonName != "admin" || !strings.Contains(r.URL.Path, "/namespaces/shop/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.URL.Query().Get("watch") == "" {
			fmt.Fprint(w, list("10", "s1 1 10.0.0.1"))
		}
	}))
	if s.TLS, err = conf.Server("http/1.1"); err != nil {
		t.Fatal(err)
	}
	s.StartTLS()
	defer s.Close()

	leaf, err := ca.Issue("admin")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, caFile, err := leaf.WriteFiles(t.TempDir(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	b64 := func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(b)
	}
	text := fmt.Sprintf(written, s.URL, b64(caFile), b64(cert), b64(key))
	inFiles := strings.NewReplacer("certificate-authority-data: "+b64(caFile), "certificate-authority: "+caFile,
		"client-certificate-data: "+b64(cert), "client-certificate: "+cert, "client-key-data: "+b64(key), "client-key: "+key).Replace(text)
	mixed := strings.ReplaceAll(text, "client-key-data: "+b64(key), "client-key: "+key)
	v, err := parseYAML([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"inline": text, "in files": inFiles, "mixed": mixed, "JSON": string(asJSON), "CRLF": strings.ReplaceAll(text, "\n", "\r\n")} {
		c, err := Kubeconfig(writeConfig(t, text), "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		defer r.web.Close()
		if got := hear(t, r, "kubernetes://users", 300*time.Millisecond); len(got) == 0 || !strings.HasSuffix(got[0], " 10.0.0.1:80") {
			t.Errorf("%s: %q", name, got)
		}
	}

	file := writeConfig(t, text)
	c, err := Kubeconfig(file, "robot@there")
	if err != nil || c.Server != "https://there:6443" || c.TokenFile != filepath.Join(filepath.Dir(file), "secrets", "token") || c.Namespace != "" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestKubeconfigRefuses(t *testing.T) {
	const whole = "clusters:\n- name: c\n  cluster:\n    server: https://h\n%susers:\n- name: u\n  user:\n    token: x\n%scontexts:\n- name: x\n  context:\n    cluster: c\n    user: u\ncurrent-context: x\n"
	if _, err := Kubeconfig(writeConfig(t, fmt.Sprintf(whole, "", "")), ""); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{fmt.Sprintf(whole, "    insecure-skip-tls-verify: true\n", ""), "always verified"},
		{fmt.Sprintf(whole, "    proxy-url: http://p\n", ""), "proxies"},
		{fmt.Sprintf(whole, "", "    exec:\n      command: aws\n"), "plug-ins"},
		{fmt.Sprintf(whole, "", "    auth-provider:\n      name: gcp\n"), "plug-ins"},
		{fmt.Sprintf(whole, "", "    username: me\n"), "since 1.19"},
		{fmt.Sprintf(whole, "", "    as: root\n"), "impersonation"},
		{fmt.Sprintf(whole, "    certificate-authority-data: '%%'\n", ""), "base64"},
		{fmt.Sprintf(whole, "    certificate-authority-data: eA==\n", ""), "no certificate"},
		{strings.Replace(fmt.Sprintf(whole, "", ""), "server: https://h", "other: x", 1), "no server"},
		{strings.Replace(fmt.Sprintf(whole, "", ""), "- name: u", "- name: v", 1), `user "u" is missing`},
		{strings.Replace(fmt.Sprintf(whole, "", ""), "current-context: x", "current-context: y", 1), `no context "y"`},
		{"", "empty"}, {"# nothing\n", "empty"}, {"a: &b c\n", "line 1: this kind of YAML"}, {"a: [1, 2]\n", "this kind"}, {"a: |\n  text\n", "this kind"},
		{"a:\n\tb: c\n", "line 2: a tab"}, {"a: b\na: c\n", "twice"}, {"a: b\n  c: d\n", "line 2: the indentation"}, {"a\n", "not “key: value”"},
		{"- \"x\n", "not a quoted"}, {"- 'x\n", "not a quoted"}, {"-\n", "without content"}, {"a: 'x\n", "not a quoted"}, {"\"a\n", "not “key"},
		{strings.Repeat("- ", 100) + "a: b\n", ""}, {nested(100), "too deep"}, {`{"clusters": 7}`, "cannot unmarshal"}, {"{", "unexpected end"},
	} {
		if _, err := Kubeconfig(writeConfig(t, c.text), ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %q", c.text, err, c.want)
		}
	}
	if _, err := Kubeconfig(filepath.Join(t.TempDir(), "absent"), ""); err == nil {
		t.Error("an absent file")
	}
}

func nested(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "%sa:\n", strings.Repeat(" ", i))
	}
	return s.String() + strings.Repeat(" ", n) + "b: c\n"
}

func TestYAML(t *testing.T) {
	const text = "a: 'it''s'\nb: \"x\\ty\" # why\nc: #nothing\nd: null\ne:\n- 1\n- x: y\n  z: #\n    w: true\n\"f g\": []\nh: a:b # c\ni: -x\n"
	v, err := parseYAML([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(v)
	if want := `{"a":"it's","b":"x\ty","c":null,"d":null,"e":["1",{"x":"y","z":{"w":true}}],"f g":[],"h":"a:b","i":"-x"}`; err != nil || string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzYAML(f *testing.F) {
	f.Add(written)
	f.Add("- - a\n  - b: 'c\n")
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := parseYAML([]byte(s)); err == nil {
			if _, err := json.Marshal(v); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestInCluster(t *testing.T) {
	dir := t.TempDir()
	if _, err := InCluster(dir); err == nil || !strings.Contains(err.Error(), "Kubeconfig") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "namespace"), []byte("shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := InCluster(dir)
	if err != nil || c.Namespace != "shop" || c.TokenFile != filepath.Join(dir, "token") || c.Server != "https://kubernetes.default.svc" || c.TLS == nil {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []Config{{}, {Server: "h:443"}, {Server: "http://h", Token: "x"}, {Server: "http://h", TokenFile: "x"}, {Server: "http://h", TLS: tlsconf.System()}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}
