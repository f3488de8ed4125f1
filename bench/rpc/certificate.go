package main

import (
	"os"

	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// The processes share a certificate by their environment. It lives as long as they do,
// and protects nothing.
const (
	certVariable = "CONCORDAT_BENCH_CERTIFICATE"
	keyVariable  = "CONCORDAT_BENCH_KEY"
	rootVariable = "CONCORDAT_BENCH_ROOT"
)

func certificate() []byte { return []byte(os.Getenv(certVariable)) }
func key() []byte         { return []byte(os.Getenv(keyVariable)) }
func root() []byte        { return []byte(os.Getenv(rootVariable)) }

// issue makes a certificate for the processes that this one starts.
func issue() error {
	ca, err := devca.New()
	if err != nil {
		return err
	}
	leaf, err := ca.Issue("bench")
	if err != nil {
		return err
	}
	for k, v := range map[string][]byte{certVariable: leaf.Cert, keyVariable: leaf.Key, rootVariable: ca.PEM()} {
		if err := os.Setenv(k, string(v)); err != nil {
			return err
		}
	}
	return nil
}
