package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// figures are the medians of one benchmark of one side, by unit.
type figures map[string]float64

// benchmarks runs those of package run, and the one that is laid over the router, round
// by round. The result is by benchmark, then by side.
func benchmarks(ctx context.Context, o options) (map[string]map[string]figures, error) {
	dir, err := os.MkdirTemp("", "concordat-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	run, routes := filepath.Join(dir, "run.test"), filepath.Join(dir, "route.test")
	overlay, err := overlay(dir)
	if err != nil {
		return nil, err
	}
	root := filepath.Join("..", "..")
	if _, out, err := measure(ctx, ".", "go", "test", "-c", "-o", run, "./run"); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	if _, out, err := measure(ctx, root, "go", "test", "-overlay", overlay, "-c", "-o", routes, "./runtime/internal/route"); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	if _, out, err := measure(ctx, dir, run, "-test.run", "."); err != nil {
		return nil, fmt.Errorf("the sides do not do the same: %w\n%s", err, out)
	}
	found := map[string]map[string]map[string][]float64{}
	for i := range o.rounds {
		progress("round %d of %d", i+1, o.rounds)
		for _, args := range [][]string{{run, "."}, {routes, "^BenchmarkRoute"}} {
			_, out, err := measure(ctx, dir, args[0], "-test.run", "^$", "-test.bench", args[1], "-test.benchtime", o.benchtime)
			if err != nil {
				return nil, fmt.Errorf("%w\n%s", err, out)
			}
			collect(found, out)
		}
	}
	return summarize(found), nil
}

// overlay writes the file that puts our benchmark into the router's package.
func overlay(dir string) (string, error) {
	at, err := filepath.Abs(filepath.Join("..", "..", "runtime", "internal", "route", "bench_openapi_test.go"))
	if err != nil {
		return "", err
	}
	from, err := filepath.Abs("lookup_test.go.txt")
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {at: from}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, data, 0o644)
}

// collect reads lines as "BenchmarkDecode/ogen-2  1000  12 ns/op  3 allocs/op".
func collect(found map[string]map[string]map[string][]float64, output string) {
	for line := range strings.Lines(output) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name, side, _ := strings.Cut(strings.TrimPrefix(f[0], "Benchmark"), "/")
		if i := strings.LastIndexByte(side, '-'); i >= 0 && strings.Trim(side[i+1:], "0123456789") == "" {
			side = side[:i]
		}
		if found[name] == nil {
			found[name] = map[string]map[string][]float64{}
		}
		if found[name][side] == nil {
			found[name][side] = map[string][]float64{}
		}
		for i := 2; i+1 < len(f); i += 2 {
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				found[name][side][f[i+1]] = append(found[name][side][f[i+1]], v)
			}
		}
	}
}

func summarize(found map[string]map[string]map[string][]float64) map[string]map[string]figures {
	all := map[string]map[string]figures{}
	for name, sides := range found {
		all[name] = map[string]figures{}
		for side, units := range sides {
			all[name][side] = figures{}
			for unit, values := range units {
				all[name][side][unit] = median(values)
			}
		}
	}
	return all
}
