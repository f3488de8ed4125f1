package protobuf

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/contract/diag"

	corpora "github.com/concordat-dev/concordat/internal/corpus"
)

// corpus returns the folder of real contracts, or skips.
func corpus(t testing.TB) string {
	t.Helper()
	return filepath.ToSlash(corpora.Dir(t, "proto"))
}

func protos(t testing.TB, root string) (files []string) {
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".proto") {
			files = append(files, filepath.ToSlash(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCorpus(t *testing.T) {
	dir := corpus(t)
	for name, roots := range map[string][]string{
		"grpc":          {dir + "/grpc", dir + "/googleapis"},
		"opentelemetry": nil,
		"temporal":      {dir + "/temporal", dir + "/googleapis"},
		"googleapis":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			files := protos(t, dir+"/"+name)
			start := time.Now()
			c, l := Parse(t.Context(), files, roots, os.ReadFile)
			for _, d := range l {
				if d.Severity == diag.Error {
					t.Errorf("%s:%d:%d: %s [%s]", d.Span.File, d.Span.Line, d.Span.Col, d.Message, d.Code)
				}
			}
			if c == nil {
				t.Fatal("no contract")
			}
			if len(c.Types) == 0 || len(c.Descriptors) == 0 {
				t.Errorf("%d types, %d bytes of descriptors", len(c.Types), len(c.Descriptors))
			}
			t.Logf("%d files, %d services, %d types, %d findings, %v", len(files), len(c.Services), len(c.Types), len(l), time.Since(start))
		})
	}
}

// BenchmarkGoogleapis reads 125 files, 937 types: some 0.35 s on two cores.
func BenchmarkGoogleapis(b *testing.B) {
	dir := corpus(b) + "/googleapis"
	files := protos(b, dir)
	for b.Loop() {
		if c, l := Parse(b.Context(), files, []string{dir}, os.ReadFile); c == nil || l.HasErrors() {
			b.Fatal(show(l))
		}
	}
}
