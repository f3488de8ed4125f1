package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/concordat-dev/concordat/cmd/internal/config"
	"github.com/concordat-dev/concordat/cmd/internal/output"
	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/generator"
	"github.com/concordat-dev/concordat/parser"
)

// module is what generated code requires of its own go.mod.
const module = "github.com/concordat-dev/concordat"

type generateFlags struct {
	config, out, pkg string
	imports          []string
	check, json      bool
}

func (a *app) generate() *cobra.Command {
	var f generateFlags
	c := &cobra.Command{
		Use:   "generate [SPEC ...]",
		Short: "Write Go from contracts",
		Long: `Writes typed Go clients, servers, publishers, subscribers and fakes from contracts.

With SPEC, each document becomes a package of its own; .proto files that are named
together form one contract. Without SPEC, everything that concordat.yaml lists is
generated. Files that have not changed are left alone, generated files that are no
longer meant to be there are removed, and files that a person wrote are never touched.`,
		Example: `  concordat generate petstore.yaml
  concordat generate --out internal/petstore --package petstore petstore.yaml
  concordat generate --check`,
		RunE: func(c *cobra.Command, specs []string) error { return a.runGenerate(c.Context(), specs, f) },
	}
	c.Flags().StringVar(&f.config, "config", "", "configuration file (default "+config.FileName+" where no SPEC is given)")
	c.Flags().StringVarP(&f.out, "out", "o", "", "directory of the generated package (default one named after the package)")
	c.Flags().StringVar(&f.pkg, "package", "", "Go package name (default made from the contract's name)")
	c.Flags().StringSliceVarP(&f.imports, "import", "I", nil, "directory in which Protobuf imports are looked up; may be repeated")
	c.Flags().BoolVar(&f.check, "check", false, "write nothing; exit with 1 if the generated code is not up to date")
	c.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
	return c
}

// A job is one contract and where its Go goes. Paths are relative to Env.Dir.
type job struct {
	specs   []string
	out     string // "" until the package is known
	base    string // where out begins when it is not given
	pkg     string
	imports []string
}

// A result is what became of a job, as --json shows it.
type result struct {
	Specs   []string          `json:"specs"`
	Out     string            `json:"out"`
	Files   int               `json:"files"`
	Changes map[string]string `json:"changes"`
}

func (a *app) runGenerate(ctx context.Context, specs []string, f generateFlags) error {
	jobs, err := a.jobs(specs, f)
	if err != nil {
		return err
	}
	p := &output.Progress{}
	if a.env.ErrTTY && a.errorFormat == "text" {
		p = output.NewProgress(a.env.Err)
		defer p.Stop()
	}
	run := &generation{app: a, flags: f, progress: p}
	for _, j := range jobs {
		run.job(ctx, j)
	}
	p.Stop()
	return run.finish()
}

// jobs says what is to be done, from the arguments or from the configuration.
func (a *app) jobs(specs []string, f generateFlags) ([]job, error) {
	if len(specs) == 0 || f.config != "" {
		if len(specs) > 0 {
			return nil, fail(Usage, errors.New("name either a SPEC or --config, not both"))
		}
		return a.configured(f)
	}
	jobs := group(specs)
	if len(jobs) > 1 && (f.out != "" || f.pkg != "") {
		return nil, fail(Usage, fmt.Errorf("--out and --package suit one contract, and these are %d; use %s", len(jobs), config.FileName))
	}
	for i := range jobs {
		jobs[i].out, jobs[i].pkg, jobs[i].imports = filepath.ToSlash(f.out), f.pkg, f.imports
	}
	return jobs, nil
}

// group makes one job of all .proto files, and one of every other document.
func group(specs []string) []job {
	var jobs []job
	proto := -1
	for _, s := range specs {
		s = filepath.ToSlash(s)
		switch {
		case strings.HasSuffix(s, ".proto") && proto >= 0:
			jobs[proto].specs = append(jobs[proto].specs, s)
		case strings.HasSuffix(s, ".proto"):
			proto = len(jobs)
			fallthrough
		default:
			jobs = append(jobs, job{specs: []string{s}})
		}
	}
	return jobs
}

func (a *app) configured(f generateFlags) ([]job, error) {
	if f.out != "" || f.pkg != "" {
		return nil, fail(Usage, errors.New("--out and --package go with a SPEC; in "+config.FileName+" they are out and package"))
	}
	name := f.config
	if name == "" {
		name = config.FileName
	}
	src, err := a.read(name)
	if errors.Is(err, fs.ErrNotExist) && f.config == "" {
		return nil, fail(Usage, config.ErrNone)
	}
	if err != nil {
		return nil, fail(Config, err)
	}
	c, diags := config.Parse(filepath.ToSlash(name), src)
	if a.report(diags); diags.HasErrors() {
		return nil, fail(Config, nil)
	}
	base := filepath.ToSlash(filepath.Dir(name))
	var jobs []job
	for _, e := range c.Contracts {
		jobs = append(jobs, job{specs: below(base, e.Spec), out: one(below(base, []string{e.Out})), base: base, pkg: e.Package, imports: below(base, e.Imports)})
	}
	return jobs, nil
}

// below puts relative names under base, and leaves "" as it is.
func below(base string, names []string) []string {
	var out []string
	for _, n := range names {
		if n != "" && base != "." && !filepath.IsAbs(n) {
			n = filepath.ToSlash(filepath.Join(base, n))
		}
		out = append(out, n)
	}
	return out
}

func one(names []string) string { return names[0] }

// A generation collects what several jobs had to say.
type generation struct {
	*app
	flags    generateFlags
	progress *output.Progress
	diags    diag.List
	results  []result
	code     int // worst so far
	err      error
	hint     string
}

func (g *generation) job(ctx context.Context, j job) {
	g.progress.Step("reading %s", strings.Join(j.specs, " "))
	c, diags := parser.Parse(ctx, j.specs, parser.Options{Read: g.read, ImportPaths: j.imports})
	g.diags = append(g.diags, diags...)
	if diags.HasErrors() {
		g.fail(Contract, nil)
	}
	if c == nil {
		return
	}
	if j.pkg == "" {
		j.pkg = generator.PackageName(c)
	}
	if j.out == "" {
		j.out = filepath.ToSlash(filepath.Join(j.base, j.pkg))
	}
	g.progress.Step("generating %s", j.out)
	files, err := g.files(ctx, c, j)
	if err != nil {
		g.fail(Generation, err)
		return
	}
	g.write(j, files)
}

// files generates the Go of c for the directory of j.
func (g *generation) files(ctx context.Context, c *contract.Contract, j job) ([]output.File, error) {
	m, err := output.FindModule(g.path(j.out))
	if err != nil {
		return nil, err
	}
	if !m.Requires(module) {
		g.hint = fmt.Sprintf("the generated code needs the runtime: run `go get %s`", module)
	}
	imp, err := m.ImportPath(g.path(j.out))
	if err != nil {
		return nil, err
	}
	made, diags := generator.Generate(ctx, c, generator.Options{
		Package: j.pkg, ImportPath: imp, Source: source(j), Version: g.env.Version,
	})
	g.diags = append(g.diags, diags...)
	if diags.HasErrors() {
		g.fail(Generation, nil)
	}
	var files []output.File
	for _, f := range made {
		files = append(files, output.File{Name: f.Name, Content: f.Content})
	}
	return files, nil
}

// source names the contract in the header of generated files, relative to the package,
// so that it is the same from whichever folder concordat runs.
func source(j job) string {
	rel, err := filepath.Rel(filepath.FromSlash(j.out), filepath.FromSlash(j.specs[0]))
	if err != nil || filepath.IsAbs(j.out) != filepath.IsAbs(j.specs[0]) {
		return filepath.Base(j.specs[0])
	}
	return filepath.ToSlash(rel)
}

func (g *generation) write(j job, files []output.File) {
	do := output.Write
	if g.flags.check {
		do = output.Plan
	}
	changes, err := do(g.path(j.out), files)
	if err != nil {
		g.fail(Generation, err)
		return
	}
	r := result{Specs: j.specs, Out: j.out, Files: len(files), Changes: map[string]string{}}
	for _, c := range changes {
		r.Changes[c.Name] = string(c.Op)
	}
	if g.flags.check && len(changes) > 0 {
		g.fail(Findings, nil)
	}
	g.results = append(g.results, r)
}

func (g *generation) fail(code int, err error) {
	g.code = max(g.code, code)
	g.err = errors.Join(g.err, err)
}

// finish reports everything and says how the run ends.
func (g *generation) finish() error {
	g.report(g.diags)
	if g.flags.json {
		enc := json.NewEncoder(g.env.Out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(map[string]any{"contracts": g.results}); err != nil {
			return fail(Generation, err)
		}
	} else {
		g.summary()
	}
	if g.code != OK {
		return fail(g.code, g.err)
	}
	if g.hint != "" && !g.flags.json {
		fmt.Fprintf(g.env.Err, "concordat: %s\n", g.hint)
	}
	return nil
}

func (g *generation) summary() {
	for _, r := range g.results {
		switch {
		case len(r.Changes) == 0:
			fmt.Fprintf(g.env.Out, "%s: %d files, up to date\n", r.Out, r.Files)
		case g.flags.check:
			fmt.Fprintf(g.env.Out, "%s: not up to date with %s; run `concordat generate`\n", r.Out, strings.Join(r.Specs, " "))
			g.list(r)
		default:
			fmt.Fprintf(g.env.Out, "%s: %d files, %d changed\n", r.Out, r.Files, len(r.Changes))
		}
	}
}

func (g *generation) list(r result) {
	for _, name := range sortedKeys(r.Changes) {
		would := map[string]string{"created": "is missing", "updated": "differs", "removed": "is no longer generated"}
		fmt.Fprintf(g.env.Out, "  %s %s\n", name, would[r.Changes[name]])
	}
}
