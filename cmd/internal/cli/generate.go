package cli

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/concordat-dev/concordat/cmd/internal/config"
	"github.com/concordat-dev/concordat/cmd/internal/output"
	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/generator"
)

// module is what generated code requires of its own go.mod.
const module = "github.com/concordat-dev/concordat"

type generateFlags struct {
	config, out, pkg string
	split            string
	check, json      bool
	sources
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
longer meant to be there are removed, and files that a person wrote are never touched.

Where a document has errors, what they concern is left out, the rest is generated all
the same, and the exit code is 4. Nothing is written where a contract cannot be read at
all, nor from Protobuf files with errors. With --check nothing is written: the exit code
is 1 where the generated code is not up to date, and 4 where a contract has errors,
whether it is up to date or not.`,
		Example: `  concordat generate petstore.yaml
  concordat generate --out internal/petstore --package petstore petstore.yaml
  concordat generate --check`,
		Args:              anySpecs,
		ValidArgsFunction: completeSpecs,
		RunE:              func(c *cobra.Command, specs []string) error { return a.runGenerate(c.Context(), specs, f) },
	}
	c.Flags().StringVar(&f.config, "config", "", "read `FILE` (default "+config.FileName+" where no SPEC is given)")
	c.Flags().StringVarP(&f.out, "out", "o", "", "generate into `DIR` (default one named after the package)")
	c.Flags().StringVar(&f.pkg, "package", "", "name the Go package `NAME` (default that of --out, else made from the contract's name)")
	c.Flags().StringVar(&f.split, "split", "", "divide an OpenAPI document by tag: `packages` gives each a package of its own")
	f.sources.flags(c)
	c.Flags().BoolVar(&f.check, "check", false, "write nothing; exit with 1 if the generated code is not up to date")
	c.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
	complete(c, "package")
	complete(c, "split", "packages")
	_ = c.MarkFlagDirname("out") // the errors say that there are no such flags: there are
	_ = c.MarkFlagFilename("config", "yaml", "yml")
	return c
}

func importFlag(c *cobra.Command, to *[]string) {
	c.Flags().StringSliceVarP(to, "import", "I", nil, "look up Protobuf imports in `DIR`; may be repeated")
}

func (a *app) runGenerate(ctx context.Context, specs []string, f generateFlags) error {
	jobs, err := a.jobs(specs, f)
	if err != nil {
		return err
	}
	p := &output.Progress{}
	if a.fancy() && a.errorFormat == "text" {
		p = output.NewProgress(a.env.Err)
		defer p.Stop()
	}
	run := &generation{app: a, flags: f, progress: p, taken: map[string]string{}, results: []result{}}
	for _, j := range jobs {
		run.job(ctx, j)
	}
	p.Stop()
	return run.finish()
}

// jobs says what is to be done, from the arguments or from the configuration.
func (a *app) jobs(specs []string, f generateFlags) ([]job, error) {
	switch {
	case len(specs) > 0 && f.config != "":
		return nil, usage("a SPEC and --config do not go together", "name either of them")
	case len(specs) == 0:
		return a.configured(f)
	case f.pkg != "" && !config.IsPackageName(f.pkg):
		return nil, usage(fmt.Sprintf("--package %q is no name of a Go package", f.pkg), config.PackageHelp)
	case !config.IsSplit(f.split):
		return nil, usage(fmt.Sprintf("nothing is split by %q", f.split), config.SplitHelp)
	}
	jobs, err := f.sources.jobs(specs)
	if err != nil {
		return nil, err
	}
	if len(jobs) > 1 && (f.out != "" || f.pkg != "") {
		return nil, usage(fmt.Sprintf("--out and --package suit one contract, and these are %d", len(jobs)),
			"run concordat for each of them, or list them in "+config.FileName)
	}
	for i := range jobs {
		jobs[i].out, jobs[i].pkg, jobs[i].split = filepath.ToSlash(f.out), f.pkg, f.split
	}
	return jobs, nil
}

// A generation is the work of one run, and what its jobs had to say.
type generation struct {
	*app
	flags    generateFlags
	progress *output.Progress
	taken    map[string]string // directories that have been generated into, and from what
	diags    diag.List
	results  []result
	code     int // worst so far
	hint     string
}

func (g *generation) fail(code int) { g.code = max(g.code, code) }

func (g *generation) job(ctx context.Context, j job) {
	g.progress.Step("reading %s", strings.Join(j.specs, " "))
	c, diags := g.parse(ctx, j)
	g.diags = append(g.diags, diags...)
	if diags.HasErrors() {
		g.fail(Contract)
	}
	if c == nil || c.Format == contract.Protobuf && diags.HasErrors() {
		return // messages that are half known give Go that does not compile
	}
	j = g.placed(j, c)
	if !diags.HasErrors() && hollow(c) {
		g.diags.Warnf("empty-contract", contract.Span{File: j.specs[0], Line: 1, Col: 1, EndLine: 1, EndCol: 1}, "the contract has neither operations nor types")
	}
	if g.clashes(j) || g.mixes(j, c) {
		return
	}
	g.progress.Step("generating %s", j.out)
	if files, ok := g.files(ctx, c, j); ok {
		g.write(j, files, diags.Count(diag.Error))
	}
}

// placed decides on the package and the directory that j leaves open: a directory where
// people keep a package already says how that is called.
func (g *generation) placed(j job, c *contract.Contract) job {
	if j.pkg == "" && j.out != "" && c.Format != contract.Protobuf {
		j.pkg = output.PackageIn(g.path(j.out))
	}
	if j.pkg == "" {
		j.pkg = generator.PackageName(c)
	}
	if j.out == "" {
		j.out = filepath.ToSlash(filepath.Join(j.base, j.pkg))
	}
	j.out = path.Clean(j.out)
	return j
}

// mixes refuses a directory where people keep a package of another name, or one that
// nobody can import: go build would refuse it, too. What Protobuf's packages are called,
// go_package says.
func (g *generation) mixes(j job, c *contract.Contract) bool {
	there := output.PackageIn(g.path(j.out))
	if c.Format == contract.Protobuf || there == "" || there == j.pkg && config.IsPackageName(there) {
		return false
	}
	g.fail(Generation)
	d := g.diags.Errorf("mixed-packages", contract.Span{File: j.out}, "the directory holds package %s; generated code is package %s", there, j.pkg)
	if d.Help = fmt.Sprintf("choose another directory with --out, or `--package %s`", there); there == "main" {
		d.Message, d.Help = "the directory holds package main, which nobody can import", "choose another directory with --out"
	}
	return true
}

// hollow says whether there is nothing to generate.
func hollow(c *contract.Contract) bool { return operations(c) == 0 && len(c.Types) == 0 }

// clashes refuses a second contract in one directory: each would declare a Client, and
// take the files of the other for stale ones.
func (g *generation) clashes(j job) bool {
	dir := g.path(j.out)
	first, taken := g.taken[dir]
	if !taken {
		g.taken[dir] = j.specs[0]
		return false
	}
	d := g.diags.Errorf("same-output", j.entry, "%s goes into %s, as %s does", j.specs[0], j.out, first)
	if j.entry.File == "" {
		d.Help = "run concordat for each of them with --out"
		g.fail(Usage)
		return true
	}
	d.Help = "give each contract an `out` of its own"
	g.fail(Config)
	return true
}

// files generates the Go of c for the directory of j; all of it, or false.
func (g *generation) files(ctx context.Context, c *contract.Contract, j job) ([]output.File, bool) {
	m, err := output.FindModule(g.path(j.out))
	if err != nil {
		g.blame(j, err)
		return nil, false
	}
	if !m.Requires(module) {
		g.hint = fmt.Sprintf("the generated code needs the runtime: run `go get %s`", module)
	}
	imp, err := m.ImportPath(g.path(j.out))
	if err != nil {
		g.blame(j, err)
		return nil, false
	}
	made, diags := generator.Generate(ctx, c, generator.Options{
		Package: j.pkg, ImportPath: imp, Source: g.source(j, m), Version: g.env.Version,
		Formats: j.formats, Types: j.types, Policies: j.policies, Split: j.split,
	})
	g.diags = append(g.diags, diags...)
	if diags.HasErrors() {
		g.fail(Generation)
		return nil, false
	}
	var files []output.File
	for _, f := range made {
		files = append(files, output.File{Name: f.Name, Content: f.Content})
	}
	return files, true
}

// source names the contract in the header of generated files, relative to the package,
// so that it is the same from whichever folder concordat runs, and on every machine.
func (g *generation) source(j job, m *output.Module) string {
	spec, out := filepath.FromSlash(j.specs[0]), filepath.FromSlash(j.out)
	rel, err := filepath.Rel(g.absolute(out), g.absolute(spec))
	together := !filepath.IsAbs(spec) && !filepath.IsAbs(out)
	if err != nil || !together && !m.Holds(g.absolute(spec)) {
		return filepath.Base(spec)
	}
	return filepath.ToSlash(rel)
}

// absolute is path for comparing; where there is no working directory it changes nothing.
func (a *app) absolute(name string) string {
	abs, err := filepath.Abs(a.path(name))
	if err != nil {
		return a.path(name)
	}
	return abs
}

func (g *generation) write(j job, files []output.File, faults int) {
	do := output.Write
	if g.flags.check {
		do = output.Plan
	}
	changes, err := do(g.path(j.out), files)
	if err != nil {
		g.blame(j, err)
		return
	}
	r := result{Specs: j.specs, Out: j.out, Files: len(files), Errors: faults, Changes: map[string]string{}}
	for _, c := range changes {
		r.Changes[c.Name] = string(c.Op)
	}
	if g.flags.check && len(changes) > 0 {
		g.fail(Findings)
	}
	g.results = append(g.results, r)
}

// blame makes a finding of what stands between the generated code and the disk.
func (g *generation) blame(j job, err error) {
	g.fail(Generation)
	at := contract.Span{File: j.out}
	if mine, ok := errors.AsType[*output.NotOursError](err); ok {
		at.File = filepath.ToSlash(filepath.Join(j.out, mine.Name))
		g.diags.Errorf("foreign-file", at, "the file exists, and was not generated by concordat").Help = "move it away, or choose another directory with --out"
		return
	}
	if _, ok := errors.AsType[*output.NoModuleError](err); ok {
		g.diags.Errorf("no-module", at, "the directory is in no Go module").Help = "run `go mod init NAME` in your project first"
		return
	}
	g.diags.Errorf("not-written", at, "%v", err)
}
