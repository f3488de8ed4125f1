// Package corpus finds the real contracts that tests read, which others wrote and which
// are no part of this module.
//
// It imports only the standard library.
package corpus

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the folder of real contracts below CONCORDAT_CORPUS, or, where that is not
// set, below shared/corpus beside the module. Where there is none the test is skipped.
func Dir(t testing.TB, below ...string) string {
	t.Helper()
	dir := os.Getenv("CONCORDAT_CORPUS")
	if dir == "" {
		dir = filepath.Join(root(t), "..", "shared", "corpus")
	}
	dir = filepath.Join(append([]string{dir}, below...)...)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus of real contracts at %s; CONCORDAT_CORPUS names its folder", dir)
	}
	return dir
}

// root is the path to the module's folder from that of the test.
func root(t testing.TB) string {
	t.Helper()
	for dir := "."; len(dir) < 100; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("the test runs outside of the module")
	return ""
}
