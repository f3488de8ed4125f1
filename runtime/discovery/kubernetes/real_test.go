package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/internal/registries"
	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/internal/web"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// cluster is a real API server, with somebody who may do everything.
type realCluster struct {
	t *testing.T
	registries.APIServer
	url, dir string
	admin    *web.Client
	server   *registries.Server
}

func startCluster(t *testing.T) *realCluster {
	t.Helper()
	if testing.Short() {
		t.Skip("starts an API server")
	}
	registries.Find(t, registries.Kubernetes, "kube-apiserver")
	registries.Find(t, registries.Etcd) // Debian's 3.4 breaks the API server's watches
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	c := &realCluster{t: t, dir: t.TempDir()}
	for _, name := range []string{"apiserver", "robot"} {
		leaf, err := ca.Issue(name)
		if err != nil {
			t.Fatal(err)
		}
		if c.Cert, c.Key, c.CA, err = leaf.WriteFiles(c.dir, name); err != nil {
			t.Fatal(err)
		}
	}
	c.Cert, c.Key = filepath.Join(c.dir, "apiserver.crt"), filepath.Join(c.dir, "apiserver.key")
	ports := registries.Ports(t, 2)
	c.Port, c.Etcd = ports[0], ports[1]
	c.Tokens = "boss,admin,admin,\"system:masters\"\nweak,robot,robot\n"
	c.url = fmt.Sprintf("https://127.0.0.1:%d", c.Port)
	registries.StartEtcd(t, t.TempDir(), c.Etcd)
	c.server = registries.StartKubernetes(t, c.APIServer)
	c.admin, err = web.New(web.Config{Servers: []string{c.url}, TLS: tlsconf.Roots(c.CA), Auth: func(_ context.Context, h http.Header) error {
		h.Set("Authorization", "Bearer boss")
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.admin.Close)
	return c
}

// do sends an object; "" sends nothing.
func (c *realCluster) do(method, path, object string) {
	c.t.Helper()
	x := web.Exchange{Method: method, Path: path}
	if object != "" {
		x.Body = json.RawMessage(object)
	}
	if _, err := c.admin.Do(c.t.Context(), x); err != nil {
		c.t.Fatal(err)
	}
}

const (
	slicesPath = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
	rbac       = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/"
)

// real writes an EndpointSlice that the API server takes.
func real(name string, first, n int, more string) string {
	var es []string
	for i := range n {
		es = append(es, fmt.Sprintf(`{"addresses":["10.1.0.%d"],"conditions":{"ready":true%s},"zone":"a"}`, first+i, more))
	}
	return fmt.Sprintf(`{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":%q,"labels":{"kubernetes.io/service-name":"users"}},
		"addressType":"IPv4","ports":[{"name":"api","port":8443}],"endpoints":[%s]}`, name, strings.Join(es, ","))
}

func addrs(first, n int) string {
	var as []string
	for i := range n {
		as = append(as, fmt.Sprintf("10.1.0.%d:8443", first+i))
	}
	slices.Sort(as)
	return strings.Join(as, " ")
}

// TestReal goes through the life of a service with an API server: rights that are
// missing, a token that is replaced, 250 endpoints in three slices, a crash.
func TestReal(t *testing.T) {
	c := startCluster(t)
	c.do("POST", "/api/v1/namespaces", `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}`)
	token := filepath.Join(c.dir, "token")
	write := func(s string) {
		if err := os.WriteFile(token, []byte(s+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wrong")
	r, err := New(Config{Server: c.url, TLS: tlsconf.Roots(c.CA), TokenFile: token})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	sets := follow(ctx, t, r, "kubernetes://users.shop?port=api")
	await(t, sets, "error 401")
	write("weak")
	await(t, sets, "error 403")
	c.do("POST", rbac+"roles", `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"resolve"},
		"rules":[{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["list","watch"]}]}`)
	c.do("POST", rbac+"rolebindings", `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"resolve"},
		"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"resolve"},"subjects":[{"kind":"User","name":"robot","apiGroup":"rbac.authorization.k8s.io"}]}`)
	await(t, sets, "")

	for i, n := range []int{100, 100, 50} {
		c.do("POST", slicesPath, real(fmt.Sprintf("users-%d", i), 100*i, n, ""))
	}
	await(t, sets, addrs(0, 250))
	c.do("PUT", slicesPath+"/users-2", real("users-2", 200, 50, `,"serving":true,"terminating":true`))
	set := await(t, sets, addrs(0, 200))
	if e := set[0]; e.Zone != "a" || e.ServerName != "users.shop.svc" {
		t.Errorf("%+v", e)
	}
	c.do("DELETE", slicesPath+"/users-1", "")
	await(t, sets, addrs(0, 100))

	c.server.Kill()
	await(t, sets, "error 0")
	registries.StartKubernetes(t, c.APIServer)
	c.do("DELETE", slicesPath+"/users-0", "")
	await(t, sets, "")

	// What kubectl uses, with a client certificate, serves as well.
	config := writeConfig(t, fmt.Sprintf("clusters:\n- name: c\n  cluster:\n    server: %s\n    certificate-authority: %s\nusers:\n- name: u\n  user:\n    client-certificate: %s\n    client-key: %s\n"+
		"contexts:\n- name: x\n  context:\n    cluster: c\n    user: u\n    namespace: shop\ncurrent-context: x\n", c.url, c.CA, filepath.Join(c.dir, "robot.crt"), filepath.Join(c.dir, "robot.key")))
	kc, err := Kubeconfig(config, "")
	if err != nil {
		t.Fatal(err)
	}
	if r, err = New(kc); err != nil {
		t.Fatal(err)
	}
	c.do("POST", slicesPath, real("users-9", 9, 1, ""))
	await(t, follow(ctx, t, r, "kubernetes://users"), addrs(9, 1))

	// History that is gone is said to be, by the API server itself.
	w := watch{Registry: r, service: service{name: "users", namespace: "shop"}, version: "1"}
	if err := w.follow(ctx); !errors.Is(err, errRelist) {
		t.Error(err)
	}
}

// A report is what a resolver says: addresses joined by spaces, or "error".
type report struct {
	text string
	set  []discovery.Endpoint
}

func follow(ctx context.Context, t *testing.T, r discovery.Resolver, s string) <-chan report {
	sets := make(chan report, 1000)
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for set, err := range r.Resolve(ctx, u) {
			text := ""
			for i, e := range set {
				if i > 0 {
					text += " "
				}
				text += e.Addr
			}
			if err != nil {
				text = fmt.Sprintf("error %d", web.StatusOf(err))
			}
			sets <- report{text, set}
		}
	})
	t.Cleanup(wg.Wait)
	return sets
}

// await returns the first set that reads as wanted.
func await(t *testing.T, sets <-chan report, want string) []discovery.Endpoint {
	t.Helper()
	var seen []string
	for late := time.After(2 * time.Minute); ; {
		select {
		case r := <-sets:
			if r.text == want {
				return slices.Clone(r.set)
			}
			seen = append(seen, r.text)
		case <-late:
			t.Fatalf("waited for %q, saw %q", want, seen)
		}
	}
}
