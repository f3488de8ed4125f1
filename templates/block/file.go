package block

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"
)

// A File is one Go file before it is formatted.
type File struct {
	Path, Name string            // import path and name of its package
	Header     string            // a comment above everything, without its slashes
	Doc        []string          // of the package clause
	Names      map[string]string // import path to package name, where the path does not tell
	Aliases    map[string]string // import path to the name it is imported under
	Decls      []Code            // a blank line goes between them
}

// Render returns the file before formatting. Formatting takes three quarters of the time
// of an emission, so it is kept apart from rendering and done once.
func (f *File) Render() ([]byte, error) {
	j := jen.NewFilePathName(f.Path, f.Name)
	j.NoFormat = true
	for p, name := range f.Names {
		f.hint(j, p, name)
	}
	for p, name := range f.Aliases {
		j.ImportAlias(p, name)
	}
	for _, d := range f.Decls {
		if d != nil {
			j.Add(d, jen.Line())
		}
	}
	var b bytes.Buffer
	if err := j.Render(&b); err != nil {
		return nil, err
	}
	return f.assemble(b.Bytes())
}

// Source returns the file, formatted.
func (f *File) Source() ([]byte, error) {
	src, err := f.Render()
	if err != nil {
		return nil, err
	}
	out, err := format.Source(src)
	if err != nil {
		return nil, fmt.Errorf("formatting a file of package %s: %w", f.Path, err)
	}
	return out, nil
}

// hint tells jennifer what a package is called. goimports writes the name wherever the
// path does not end in it, a major version aside.
func (f *File) hint(j *jen.File, p, name string) {
	if locals[name] {
		j.ImportAlias(p, name+"pkg")
	} else if assumed(p) == name {
		j.ImportName(p, name)
	} else {
		j.ImportAlias(p, name)
	}
}

// locals are the names that emitted functions give their parameters and variables: an
// import of the same name would be shadowed.
var locals = map[string]bool{
	"b": true, "c": true, "conn": true, "ctx": true, "err": true, "f": true, "i": true, "impl": true,
	"in": true, "m": true, "out": true, "p": true, "s": true, "t": true, "v": true, "yield": true,
}

// assumed is the name of a package as far as its path tells.
func assumed(p string) string {
	dir, base := path.Split(p)
	if n, ok := strings.CutPrefix(base, "v"); ok && dir != "" && n != "" && strings.Trim(n, "0123456789") == "" {
		return path.Base(dir)
	}
	return base
}

// assemble puts the header and the package's comment above what jennifer printed and
// groups the imports: the standard library, then the others.
func (f *File) assemble(src []byte) ([]byte, error) {
	clause, rest, ok := bytes.Cut(src, []byte("\n\n"))
	if !ok {
		return nil, fmt.Errorf("package %s: no package clause", f.Path)
	}
	var b bytes.Buffer
	b.Grow(len(src) + 512)
	if f.Header != "" {
		fmt.Fprintf(&b, "%s\n\n", slashes(strings.Join(strings.Fields(f.Header), " ")))
	}
	for _, l := range paragraph(f.Doc) {
		b.WriteString(l + "\n")
	}
	b.Write(clause)
	b.WriteString("\n\n")
	imports, body := cutImports(rest)
	writeImports(&b, imports)
	b.Write(body)
	return b.Bytes(), nil
}

// cutImports separates jennifer's import declaration, the first thing below the package
// clause, from what follows. Each import is one line: [name] "path".
func cutImports(src []byte) (imports []string, body []byte) {
	src = bytes.TrimLeft(src, "\n")
	rest, ok := bytes.CutPrefix(src, []byte("import "))
	if !ok {
		return nil, src
	}
	if block, ok := bytes.CutPrefix(rest, []byte("(\n")); ok {
		list, body, _ := bytes.Cut(block, []byte(")\n"))
		return strings.Split(strings.TrimSpace(string(list)), "\n"), body
	}
	line, body, _ := bytes.Cut(rest, []byte("\n"))
	return []string{string(line)}, body
}

func writeImports(b *bytes.Buffer, imports []string) {
	if len(imports) == 0 {
		return
	}
	for i, line := range imports {
		imports[i] = unnamed(line)
	}
	if len(imports) == 1 {
		fmt.Fprintf(b, "import %s\n", imports[0])
		return
	}
	slices.SortFunc(imports, func(x, y string) int {
		return cmp.Or(cmp.Compare(group(x), group(y)), cmp.Compare(importPath(x), importPath(y)))
	})
	b.WriteString("import (\n")
	for i, line := range imports {
		if i > 0 && group(line) != group(imports[i-1]) {
			b.WriteByte('\n')
		}
		b.WriteString(line + "\n")
	}
	b.WriteString(")\n")
}

// unnamed drops the name of an import where its path tells it: jennifer names every
// package that it does not know.
func unnamed(line string) string {
	name, _, _ := strings.Cut(line, " ")
	if p := importPath(line); assumed(p) == name {
		return strconv.Quote(p)
	}
	return line
}

// group is 0 for the standard library, whose first path element holds no dot, as
// goimports has it.
func group(line string) int {
	first, _, _ := strings.Cut(importPath(line), "/")
	if strings.Contains(first, ".") {
		return 1
	}
	return 0
}

func importPath(line string) string {
	quoted := line[strings.IndexByte(line, '"'):]
	p, err := strconv.Unquote(quoted)
	if err != nil {
		return quoted
	}
	return p
}
