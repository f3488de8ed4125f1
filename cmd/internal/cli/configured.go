package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/concordat-dev/concordat/cmd/internal/config"
	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/generator"
)

// configured returns the jobs that a configuration lists.
func (a *app) configured(f generateFlags) ([]job, error) {
	name := f.config
	switch {
	case f.out != "" || f.pkg != "" || f.split != "":
		return nil, usage("--out, --package and --split go with a SPEC", "in "+config.FileName+" they are `out`, `package` and `split`")
	case f.sources.given():
		return nil, usage("--import, --overlay, --allow-remote and --remote-cache go with a SPEC", "in "+config.FileName+" they are `imports`, `overlays` and `remote`")
	case name == "":
		name = config.FileName
	}
	src, err := a.read(name)
	if errors.Is(err, fs.ErrNotExist) && f.config == "" {
		return nil, usage("no SPEC was named, and there is no "+config.FileName+" here",
			"name a contract: `concordat generate petstore.yaml`")
	}
	name = filepath.ToSlash(name)
	if err != nil {
		a.report(diag.List{unreadable(name, err)})
		return nil, said(Config)
	}
	c, diags := config.Parse(name, src)
	if diags.HasErrors() {
		a.report(diags)
		return nil, said(Config)
	}
	return a.jobsOf(c, filepath.ToSlash(filepath.Dir(name)), f.offline), nil
}

func unreadable(name string, err error) *diag.Diagnostic {
	d := &diag.Diagnostic{Severity: diag.Error, Code: "unreadable-file", Span: contract.Span{File: name}, Message: fmt.Sprintf("the file cannot be read: %v", err)}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		d.Message = fmt.Sprintf("the file cannot be read: %v", pe.Err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		d.Code, d.Message = "missing-file", "there is no such file"
	}
	return d
}

// jobsOf makes jobs of what a configuration in the folder base lists.
func (a *app) jobsOf(c *config.Config, base string, offline bool) []job {
	var jobs []job
	hosts := remoteOf(c.Remote, base, offline, a.path)
	for _, e := range c.Contracts {
		jobs = append(jobs, job{
			specs: below(base, e.Spec), out: below(base, []string{e.Out})[0], base: base,
			pkg: e.Package, split: e.Split, imports: below(base, e.Imports), entry: e.Span,
			formats: e.Formats, types: e.Types,
			policies: generator.Policies{Text: e.Policies.Text, Operations: e.Policies.Operations},
			overlays: below(base, e.Overlays), remote: hosts,
		})
	}
	return jobs
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
