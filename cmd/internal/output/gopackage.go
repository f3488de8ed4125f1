package output

import (
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// PackageIn returns the name of the Go package that people keep in dir, "" where there is
// none: files of tests, files that are not built, and what concordat generated do not count.
func PackageIn(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "" // most likely it does not exist yet; writing to it will tell
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		if name := packageOf(dir, e.Name()); name != "" {
			return name
		}
	}
	return ""
}

func packageOf(dir, name string) string {
	src, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || generated(src) {
		return ""
	}
	if built, err := build.Default.MatchFile(dir, name); err != nil || !built {
		return ""
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.PackageClauseOnly)
	if err != nil {
		return ""
	}
	return f.Name.Name
}
