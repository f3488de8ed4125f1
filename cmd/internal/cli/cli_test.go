package cli_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/cmd/internal/cli"
	"github.com/concordat-dev/concordat/contract/diag"
)

// run carries out args in dir as on a terminal whose environment is env.
func run(t *testing.T, dir string, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = cli.Run(t.Context(), args, cli.Env{
		In: strings.NewReader(""), Out: &o, Err: &e, Dir: dir, ErrTTY: true, Version: "v1.2.3",
		Getenv: func(name string) string { return env[name] },
	})
	return code, o.String(), e.String()
}

// Colours follow the terminal and its user, and never reach standard output.
func TestColors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte("openapi: 9.9.9\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		env   map[string]string
		args  []string
		color bool
	}{
		{"a terminal", map[string]string{"TERM": "xterm"}, nil, true},
		{"no colour is asked for", map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, nil, false},
		{"an empty NO_COLOR asks for nothing", map[string]string{"TERM": "xterm", "NO_COLOR": ""}, nil, true},
		{"a dumb terminal", map[string]string{"TERM": "dumb"}, nil, false},
		{"JSON", map[string]string{"TERM": "xterm"}, []string{"--error-format", "json"}, false},
		{"annotations", map[string]string{"TERM": "xterm"}, []string{"--error-format", "github"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := run(t, dir, c.env, append(c.args, "validate", "a.yaml")...)
			if code != cli.Contract || !strings.Contains(errs, "unsupported-version") {
				t.Errorf("exit code %d\n%s", code, errs)
			}
			if got := strings.Contains(errs, "\x1b["); got != c.color {
				t.Errorf("coloured: %v, want %v\n%q", got, c.color, errs)
			}
			if strings.Contains(out, "\x1b") {
				t.Errorf("standard output is coloured: %q", out)
			}
		})
	}
}

// Remarks are for those who ask, and for programs; that there are some is said.
func TestRemarks(t *testing.T) {
	dir := t.TempDir()
	doc := "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths:\n  /a:\n    get:\n      operationId: a\n      parameters: [{name: Accept, in: header, schema: {type: string}}]\n      responses: {'204': {description: A.}}\n"
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(doc), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
		not  string
	}{
		{nil, "1 remark not shown; --remarks shows them", "ignored-header"},
		{[]string{"--remarks"}, "remark: ", "not shown"},
		{[]string{"--error-format", "json"}, `"severity": "remark"`, "not shown"},
		{[]string{"--error-format", "github"}, "", "::"},
		{[]string{"--error-format", "github", "--remarks"}, "::notice ", "not shown"},
	} {
		code, _, errs := run(t, dir, map[string]string{"NO_COLOR": "1"}, append(c.args, "validate", "a.yaml")...)
		if code != cli.OK || !strings.Contains(errs, c.want) || strings.Contains(errs, c.not) {
			t.Errorf("%v: exit code %d\n%s\nwant %q and not %q", c.args, code, errs, c.want, c.not)
		}
	}
}

// raised finds codes where the command line makes findings.
var raised = regexp.MustCompile(`(?:\b(?:Errorf|Warnf)\(|Code: )"([a-z0-9-]+)"`)

// TestEveryCodeIsExplained holds the codes that the command line raises against those
// that "concordat explain" knows.
func TestEveryCodeIsExplained(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for _, m := range raised.FindAllSubmatch(src, -1) {
			seen++
			if diag.Codes[string(m[1])] == "" {
				t.Errorf("%s raises %s, which nothing explains", path, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 15 {
		t.Errorf("only %d codes were found; does the expression still fit the sources?", seen)
	}
}
