package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A row is what each tool took for one document.
type row struct {
	document document
	results  map[string]result // by tool
}

// A result is one tool's median.
type result struct {
	cost
	lines  int    // of Go, everything that was written
	failed string // why there is nothing to measure
	note   string
}

// generate runs the tools in turns, round by round, so that what else the machine does
// meets them all.
func generate(ctx context.Context, tools []tool, d document, rounds int) row {
	costs, r := map[string][]cost{}, row{d, map[string]result{}}
	for range rounds {
		for _, t := range tools {
			if r.results[t.name].failed != "" {
				continue
			}
			c, note, err := generateOnce(ctx, t, d)
			if err != nil {
				r.results[t.name] = result{failed: err.Error()}
				continue
			}
			costs[t.name] = append(costs[t.name], c)
			r.results[t.name] = result{cost: medians(costs[t.name]), note: note}
		}
	}
	for _, t := range tools {
		dir, _ := t.output(d)
		res := r.results[t.name]
		res.lines = linesOfGo(dir)
		r.results[t.name] = res
	}
	return r
}

func generateOnce(ctx context.Context, t tool, d document) (c cost, note string, err error) {
	dir, pkg := t.output(d)
	if err := os.RemoveAll(dir); err != nil {
		return c, "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return c, "", err
	}
	c, out, err := measure(ctx, ".", t.binary, t.args(d, pkg, dir)...)
	if err != nil {
		return c, "", fmt.Errorf("%s", lastLine(out))
	}
	if n := strings.Count(out, "Skipping operation"); n > 0 {
		note = fmt.Sprintf("drops %d operations", n)
	}
	return c, note, nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// linesOfGo counts all Go below dir, tests and fakes included.
func linesOfGo(dir string) int {
	n := 0
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			data, _ := os.ReadFile(path)
			n += countLines(data)
		}
		return nil
	})
	return n
}
