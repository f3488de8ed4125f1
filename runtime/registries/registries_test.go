package registries

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/discovery/consul"
)

func TestWhatATargetSaysOfAServer(t *testing.T) {
	for _, c := range []struct{ target, want string }{
		{"consul://users?zone=a&weight=2&tag=x&tag=y&addr=h:1&id=i&server-name=n&k=v", ""},
		{"etcd://users", ""},
		{"eureka://users", ""},
		{"kubernetes://users", "announces pods by itself"},
		{"https://users", "say consul://NAME"},
		{"consul://", "say consul://NAME"},
		{"consul:users", "say consul://NAME"},
		{"consul://users?weight=0", "not a positive number"},
		{"%", "invalid URL escape"},
	} {
		o, err := Announce(c.target)
		if c.want == "" && (err != nil || o == nil) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.target, err, c.want)
		}
	}
}

func TestFaultsOfTheEnvironment(t *testing.T) {
	for _, c := range []struct{ scheme, name, value, want string }{
		{"consul", "CONSUL_HTTP_SSL_VERIFY", "false", "CONSUL_CACERT"},
		{"consul", "CONSUL_HTTP_TOKEN_FILE", filepath.Join(t.TempDir(), "gone"), "CONSUL_HTTP_TOKEN_FILE"},
		{"kubernetes", "KUBECONFIG", filepath.Join(t.TempDir(), "gone"), "gone"},
		{"eureka", "EUREKA_CLIENT_REGISTRYFETCHINTERVALSECONDS", "often", "number of seconds"},
		{"etcd", "ETCDCTL_ENDPOINTS", "ftp://h:1", "ftp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			t.Setenv(c.name, c.value)
			conn, err := concordat.NewConn(c.scheme+"://users", All())
			if err != nil {
				t.Fatal("NewConn reads the environment:", err)
			}
			defer conn.Close()
			err = conn.Try(t.Context(), &concordat.Spec{Name: "Test/Get"}, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestConsulByItsVariables(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"", "127.0.0.1:8500", "http://127.0.0.1:8500", "unix:///run/consul.sock"} {
		t.Setenv("CONSUL_HTTP_ADDR", addr)
		t.Setenv("CONSUL_HTTP_TOKEN_FILE", token)
		r, err := openConsul()
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		if _, ok := r.(*consul.Registry); !ok {
			t.Errorf("%s: %T", addr, r)
		}
	}
}

func TestEveryRegistryButKubernetesTakesServers(t *testing.T) {
	for scheme := range known {
		if scheme == "kubernetes" {
			continue
		}
		r, err := known[scheme]()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := r.(discovery.Registrar); !ok {
			t.Errorf("%s takes no servers", scheme)
		}
	}
}
