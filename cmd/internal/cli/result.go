package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// A result is what became of a job, as --json shows it.
type result struct {
	Specs   []string          `json:"specs"`
	Out     string            `json:"out"`
	Files   int               `json:"files"`
	Errors  int               `json:"errors"`  // of the contract: what they concern is not in the files
	Changes map[string]string `json:"changes"` // created, updated or removed, by file below Out
}

// finish reports everything and says how the run ends.
func (g *generation) finish() error {
	g.report(g.diags)
	if g.flags.json {
		enc := json.NewEncoder(g.env.Out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(map[string]any{"contracts": g.results}); err != nil {
			return &exitError{code: Generation, message: err.Error()}
		}
	} else {
		g.summary()
	}
	if g.code != OK {
		return said(g.code)
	}
	if g.hint != "" && !g.flags.json && !g.flags.check && g.errorFormat == "text" {
		fmt.Fprintf(g.env.Err, "concordat: %s\n", g.hint)
	}
	return nil
}

func (g *generation) summary() {
	stale := false
	for _, r := range g.results {
		fmt.Fprintf(g.env.Out, "%s: %s\n", r.Out, r.summary(g.flags.check))
		for _, name := range sortedKeys(r.Changes) {
			if op := r.Changes[name]; g.flags.check || op == "removed" {
				fmt.Fprintf(g.env.Out, "  %s %s\n", name, g.verdict(op))
			}
		}
		stale = stale || len(r.Changes) > 0
	}
	if stale && g.flags.check {
		fmt.Fprintln(g.env.Out, "run `concordat generate` with the same arguments, without --check")
	}
}

func (g *generation) verdict(op string) string {
	if !g.flags.check {
		return op
	}
	return map[string]string{"created": "is missing", "updated": "differs", "removed": "is no longer generated"}[op]
}

// summary is a line about r: "5 files, 2 updated".
func (r result) summary(check bool) string {
	parts := []string{count(r.Files, "file")}
	switch {
	case len(r.Changes) == 0:
		parts = append(parts, "up to date")
	case check:
		parts = append(parts, "not up to date with "+strings.Join(r.Specs, " "))
	default:
		for _, op := range []string{"created", "updated", "removed"} {
			if n := r.changed(op); n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, op))
			}
		}
	}
	if r.Errors > 0 {
		parts = append(parts, fmt.Sprintf("incomplete: the contract has %s", count(r.Errors, "error")))
	}
	return strings.Join(parts, ", ")
}

func (r result) changed(op string) int {
	n := 0
	for _, o := range r.Changes {
		if o == op {
			n++
		}
	}
	return n
}

// count puts a number before a noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func operations(c *contract.Contract) int {
	n := 0
	for _, s := range c.Services {
		n += len(s.Operations)
	}
	return n
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
