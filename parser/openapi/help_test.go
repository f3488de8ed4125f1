package openapi_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/openapi"
)

// files is a directory in memory.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	if text, ok := f[name]; ok {
		return []byte(text), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func parse(t *testing.T, text string) (*contract.Contract, diag.List) {
	t.Helper()
	return openapi.Parse(t.Context(), "a.yaml", files{"a.yaml": text}.read)
}

// show renders findings as the tests write them down.
func show(l diag.List) string {
	var b strings.Builder
	for _, d := range l {
		fmt.Fprintf(&b, "%d:%d %s %s\n", d.Span.Line, d.Span.Col, d.Severity, d.Code)
	}
	return b.String()
}

func upper(s string) string { return strings.ToUpper(s) }
