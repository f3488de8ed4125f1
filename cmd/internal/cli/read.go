package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/generator"
	"github.com/concordat-dev/concordat/parser"
	"github.com/concordat-dev/concordat/parser/remote"
)

// path makes a name that the user gave, or that a contract holds, one of this machine.
func (a *app) path(name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.env.Dir, name)
}

// list returns the .proto files of a folder, named as the user would name them.
func (a *app) list(dir string) ([]string, error) {
	root := a.path(dir)
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return nil, &fs.PathError{Op: "list", Path: dir, Err: errors.New("it is no folder")}
	}
	var files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.Type().IsRegular() && filepath.Ext(p) == ".proto":
			rel, err := filepath.Rel(root, p)
			files = append(files, path.Join(filepath.ToSlash(dir), filepath.ToSlash(rel)))
			return err
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

// bufCache is the folder in which buf keeps modules, as buf looks for it.
func (a *app) bufCache() string {
	if dir := a.env.Getenv("BUF_CACHE_DIR"); dir != "" {
		return filepath.ToSlash(dir)
	}
	if dir := a.env.Getenv("XDG_CACHE_HOME"); dir != "" {
		return path.Join(filepath.ToSlash(dir), "buf")
	}
	if home := a.env.Getenv("HOME"); home != "" {
		return path.Join(filepath.ToSlash(home), ".cache", "buf")
	}
	return ""
}

// read returns the content of a file of a contract, named as the user would name it.
func (a *app) read(name string) ([]byte, error) {
	if name == "-" {
		// One byte behind the limit, for the parser to refuse it.
		return io.ReadAll(io.LimitReader(a.env.In, parser.MaxBytes+1))
	}
	f, err := os.Open(a.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("it is a directory")}
	case info.Size() > parser.MaxBytes:
		return nil, &parser.TooLargeError{Bytes: info.Size(), Max: parser.MaxBytes}
	}
	// What has no size, a pipe, is cut one byte behind the limit: the parser refuses it.
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead)
	_, err = b.ReadFrom(io.LimitReader(f, parser.MaxBytes+1))
	return b.Bytes(), err
}

// A job is one contract and where its Go goes. Paths are relative to Env.Dir.
type job struct {
	formats, types map[string]string // Go types that the user wants

	policies generator.Policies

	specs   []string
	out     string // "" until the package is known
	base    string // where out begins when it is not given
	pkg     string
	split   string
	imports []string
	entry   contract.Span // in concordat.yaml; nowhere for what the command line names

	overlays []string
	remote   *remote.Options // nil: other hosts are not asked
}

// group makes one job of all .proto files, and one of every other document. What is named
// twice is read once.
func group(specs, imports []string) []job {
	var jobs []job
	proto := -1
	for i, s := range specs {
		s = filepath.ToSlash(s)
		switch {
		case slices.Contains(specs[:i], specs[i]):
		case strings.HasSuffix(s, ".proto") && proto >= 0:
			jobs[proto].specs = append(jobs[proto].specs, s)
		case strings.HasSuffix(s, ".proto"):
			proto = len(jobs)
			fallthrough
		default:
			jobs = append(jobs, job{specs: []string{s}, imports: imports})
		}
	}
	return jobs
}

// parse reads the contract of j, and adds to the findings what only the command line
// knows: who named a file that is not there, and which one was probably meant.
func (a *app) parse(ctx context.Context, j job) (*contract.Contract, diag.List) {
	o := parser.Options{Read: a.read, List: a.list, BufCache: a.bufCache(), ImportPaths: j.imports, Overlays: j.overlays}
	if j.remote != nil {
		o.Remote = a.fetcher(j.remote).Fetch
	}
	c, diags := parser.Parse(ctx, j.specs, o)
	for _, d := range diags {
		if d.Code != "missing-file" || !slices.Contains(j.specs, d.Span.File) || d.Span.Col > 1 {
			continue
		}
		if j.entry.File != "" {
			d.Related = append(d.Related, diag.Related{Span: j.entry, Message: "named here"})
			d.Help = fmt.Sprintf("paths are relative to %s", j.entry.File)
		}
		if near := a.nearby(d.Span.File); near != "" {
			d.Help = fmt.Sprintf("did you mean %s?", near)
		}
	}
	return c, diags
}
