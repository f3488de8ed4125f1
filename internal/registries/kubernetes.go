package registries

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An APIServer is what StartKubernetes needs to know.
type APIServer struct {
	Port, Etcd    int    // both on 127.0.0.1; etcd runs already
	Cert, Key, CA string // PEM files: of the server, and of who issues client certificates
	Tokens        string // lines of “token,user,uid,"groups"”
}

// StartKubernetes runs an API server, without nodes or controllers, at
// https://127.0.0.1:Port. It authorizes by roles.
func StartKubernetes(t testing.TB, a APIServer) *Server {
	t.Helper()
	program := Find(t, Kubernetes, "kube-apiserver")
	dir := t.TempDir()
	tokens, account := filepath.Join(dir, "tokens.csv"), filepath.Join(dir, "account.key")
	ca, err := os.ReadFile(a.CA)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{tokens: []byte(a.Tokens), account: accountKey(t)} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	return Start(t, dir, fmt.Sprintf("https://127.0.0.1:%d/readyz", a.Port), client, program,
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", a.Etcd), "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", a.Port),
		"--tls-cert-file="+a.Cert, "--tls-private-key-file="+a.Key, "--client-ca-file="+a.CA, "--token-auth-file="+tokens, "--cert-dir="+dir,
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+account, "--service-account-signing-key-file="+account,
		"--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24", "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none")
}

// accountKey signs the tokens of service accounts.
func accountKey(t testing.TB) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}
