package parser

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract/diag"
)

// raised finds codes where findings are made: as the first text of a call that makes one,
// or in a table of codes.
var raised = regexp.MustCompile(`(?:\b(?:Errorf|Warnf|say|give|fail)\((?:[a-z]+, )?|\bcode(?:: | = )|\{|, nil, |return )"([a-z0-9]+(?:-[a-z0-9]+)+)"(?:,|\}| *$)`)

// TestEveryCodeIsExplained holds the codes that parsers write down against those that
// "concordat explain" knows.
func TestEveryCodeIsExplained(t *testing.T) {
	seen := 0
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range raised.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(m[1], "x-") {
				continue // an extension
			}
			seen++
			if diag.Codes[m[1]] == "" {
				t.Errorf("%s raises %s, which nothing explains", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Errorf("only %d codes were found; does the expression still fit the sources?", seen)
	}
}
