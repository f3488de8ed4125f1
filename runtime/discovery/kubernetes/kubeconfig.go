package kubernetes

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// A kubeconfig is the file that kubectl uses, as far as we read it; what we refuse is
// here, too, so that it is refused and not overlooked.
// Source: kubernetes.io/docs/reference/config-api/kubeconfig.v1
type kubeconfig struct {
	CurrentContext string `json:"current-context"`
	Clusters       []struct {
		Name    string
		Cluster cluster
	}
	Users []struct {
		Name string
		User user
	}
	Contexts []struct {
		Name    string
		Context struct{ Cluster, User, Namespace string }
	}
}

type cluster struct {
	Server     string
	CAFile     string `json:"certificate-authority"`
	CAData     []byte `json:"certificate-authority-data"`
	ServerName string `json:"tls-server-name"`
	Insecure   bool   `json:"insecure-skip-tls-verify"`
	Proxy      string `json:"proxy-url"`
}

type user struct {
	Token     string
	TokenFile string          `json:"tokenFile"`
	CertFile  string          `json:"client-certificate"`
	CertData  []byte          `json:"client-certificate-data"`
	KeyFile   string          `json:"client-key"`
	KeyData   []byte          `json:"client-key-data"`
	Exec      json.RawMessage `json:"exec"`
	Plugin    json.RawMessage `json:"auth-provider"`
	Username  string
	As        string
}

// Kubeconfig returns the configuration that the file has for the context, "" meaning its
// current one. It understands JSON and the YAML that kubectl and its like write. Plug-ins
// for authentication, proxies and unverified servers are refused.
func Kubeconfig(file, context string) (Config, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("kubernetes: %w", err)
	}
	c, err := parse(b, filepath.Dir(file), context)
	if err != nil {
		return Config{}, fmt.Errorf("kubernetes: %s: %w", file, err)
	}
	return c, nil
}

func parse(b []byte, dir, context string) (Config, error) {
	if t := bytes.TrimSpace(b); len(t) == 0 || t[0] != '{' {
		v, err := parseYAML(b)
		if err != nil {
			return Config{}, fmt.Errorf("%w; kubectl config view --raw --flatten -o json writes what is certainly understood", err)
		}
		if b, err = json.Marshal(v); err != nil {
			return Config{}, err
		}
	}
	var k kubeconfig
	if err := json.Unmarshal(b, &k); err != nil {
		return Config{}, err
	}
	return k.config(dir, context)
}

// config picks the context.
func (k *kubeconfig) config(dir, context string) (Config, error) {
	context = cmp.Or(context, k.CurrentContext)
	for _, c := range k.Contexts {
		if c.Name != context {
			continue
		}
		cl, u, err := k.named(c.Context.Cluster, c.Context.User)
		if err != nil {
			return Config{}, err
		}
		return connect(cl, u, dir, c.Context.Namespace)
	}
	return Config{}, fmt.Errorf("there is no context %q", context)
}

func (k *kubeconfig) named(clusterName, userName string) (cl cluster, u user, err error) {
	found := 0
	for _, c := range k.Clusters {
		if c.Name == clusterName {
			cl = c.Cluster
			found |= 1
		}
	}
	for _, c := range k.Users {
		if c.Name == userName {
			u = c.User
			found |= 2
		}
	}
	if found != 3 {
		return cl, u, fmt.Errorf("the context's cluster %q or user %q is missing", clusterName, userName)
	}
	return cl, u, nil
}

func connect(cl cluster, u user, dir, ns string) (Config, error) {
	if err := refuse(cl, u); err != nil {
		return Config{}, err
	}
	c := Config{Server: cl.Server, ServerName: cl.ServerName, Token: u.Token, TokenFile: beside(dir, u.TokenFile), Namespace: ns}
	cert, key, ca := beside(dir, u.CertFile), beside(dir, u.KeyFile), beside(dir, cl.CAFile)
	inline := u.CertData != nil || u.KeyData != nil || cl.CAData != nil
	switch {
	case !inline && cert != "":
		c.TLS = tlsconf.Mutual(cert, key, ca)
	case !inline && ca != "":
		c.TLS = tlsconf.Roots(ca)
	case inline:
		return c, c.inline(u, cl, cert, key, ca)
	}
	return c, nil
}

// inline takes what stands in the file itself; files that stand beside it are read once.
func (c *Config) inline(u user, cl cluster, cert, key, ca string) error {
	var err error
	read := func(data []byte, file string) []byte {
		if data != nil || file == "" || err != nil {
			return data
		}
		data, err = os.ReadFile(file)
		return data
	}
	certPEM, keyPEM, caPEM := read(u.CertData, cert), read(u.KeyData, key), read(cl.CAData, ca)
	if certPEM == nil {
		c.TLS = tlsconf.RootsPEM(caPEM)
	} else {
		c.TLS = tlsconf.MutualPEM(certPEM, keyPEM, caPEM)
	}
	if err != nil {
		return err
	}
	return c.TLS.Load()
}

func refuse(cl cluster, u user) error {
	switch {
	case cl.Server == "":
		return errors.New("the cluster has no server")
	case cl.Insecure:
		return errors.New("insecure-skip-tls-verify: servers are always verified; give certificate-authority")
	case cl.Proxy != "":
		return errors.New("proxy-url: proxies are not used")
	case said(u.Exec) || said(u.Plugin):
		return errors.New("plug-ins for authentication are not run; kubectl create token makes a token for tokenFile")
	case u.Username != "":
		return errors.New("username and password: no API server has taken them since 1.19")
	case u.As != "":
		return errors.New("impersonation is not supported")
	}
	return nil
}

func said(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// beside makes file relative to dir.
func beside(dir, file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}
