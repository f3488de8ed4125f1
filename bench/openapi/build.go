package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// build compiles what was generated, everything below its folder, in turns. The packages
// it imports are compiled before and stay in the cache; a comment that no build has seen
// makes the compiler do the generated ones again.
func build(ctx context.Context, tools []tool, d document, rounds int) row {
	costs, r := map[string][]cost{}, row{d, map[string]result{}}
	for _, t := range tools {
		dir, _ := t.output(d)
		if linesOfGo(dir) == 0 {
			r.results[t.name] = result{failed: "nothing generated"}
			continue
		}
		if err := buildImports(ctx, dir); err != nil {
			r.results[t.name] = result{failed: err.Error()}
		}
	}
	for range rounds {
		for _, t := range tools {
			if r.results[t.name].failed != "" {
				continue
			}
			dir, _ := t.output(d)
			c, err := buildOnce(ctx, dir)
			if err != nil {
				r.results[t.name] = result{failed: err.Error()}
				continue
			}
			costs[t.name] = append(costs[t.name], c)
			r.results[t.name] = result{cost: medians(costs[t.name])}
		}
	}
	return r
}

// buildImports fills the cache with what the generated packages import from elsewhere.
func buildImports(ctx context.Context, dir string) error {
	_, out, err := measure(ctx, ".", "go", "list", "-f", `{{join .Imports "\n"}}`, "./"+filepath.ToSlash(dir)+"/...")
	if err != nil {
		return fmt.Errorf("go list: %s", lastLine(out))
	}
	args := []string{"build"}
	for _, p := range strings.Fields(out) {
		if !strings.Contains(p, "/bench/openapi/gen/") {
			args = append(args, p)
		}
	}
	if _, out, err = measure(ctx, ".", "go", args...); err != nil {
		return fmt.Errorf("what it imports does not compile: %s", firstError(out))
	}
	return nil
}

// buildOnce builds all below dir after it has changed every package there.
func buildOnce(ctx context.Context, dir string) (cost, error) {
	if err := touch(dir); err != nil {
		return cost{}, err
	}
	c, out, err := measure(ctx, ".", "go", "build", "./"+filepath.ToSlash(dir)+"/...")
	if err != nil {
		return c, fmt.Errorf("does not compile: %s", firstError(out))
	}
	return c, nil
}

func firstError(out string) string {
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "#") {
			_, what, _ := strings.Cut(line, ": ")
			return strings.TrimSpace(what)
		}
	}
	return lastLine(out)
}

// touch appends a comment to one file of every package below dir.
func touch(dir string) error {
	done := map[string]bool{}
	return filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		folder := filepath.Dir(path)
		if err != nil || done[folder] || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		done[folder] = true
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if _, err = fmt.Fprintf(f, "\n// Built at %d.\n", time.Now().UnixNano()); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	})
}
