package node

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// What one document may cost.
const (
	MaxBytes  = 32 << 20 // of one file
	maxTotal  = 64 << 20 // of all files of one contract
	maxFiles  = 2000
	maxDepth  = 500     // of nested lists and maps
	maxCopied = 200_000 // nodes that stand for YAML aliases
)

// A Loader reads the files of one contract, each once, and follows references between
// them. It is not safe for concurrent use.
type Loader struct {
	read  func(name string) ([]byte, error)
	diags *diag.List
	files map[string]*Node // nil for files that cannot be read
	total int
	told  map[*Node]bool // references whose fault has been reported

	fetch func(url string) ([]byte, error) // nil: other hosts are not asked
}

// NewLoader returns a Loader that gets files from read, by slash-separated names, and
// adds its findings to diags.
func NewLoader(read func(name string) ([]byte, error), diags *diag.List) *Loader {
	return &Loader{read: read, diags: diags, files: map[string]*Node{}, told: map[*Node]bool{}}
}

// AllowRemote lets l ask other hosts: fetch gets the document at an http or https URL, and
// sees to limits of its own. Without it, references to other hosts are findings.
func (l *Loader) AllowRemote(fetch func(url string) ([]byte, error)) { l.fetch = fetch }

// mayFetch says whether a URL may be asked for. Other schemes than HTTP's never are: a
// document from another host must not read files.
func (l *Loader) mayFetch(address string) bool {
	return l.fetch != nil && (strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://"))
}

// Load returns the root of a file; nil, after a diagnostic, where it cannot be read.
func (l *Loader) Load(file string) *Node { return l.load(file, top(file)) }

// top is the place of a file as such.
func top(file string) contract.Span {
	return contract.Span{File: file, Line: 1, Col: 1, EndLine: 1, EndCol: 1}
}

// Files returns the names of the files that have been read, sorted.
func (l *Loader) Files() []string {
	var names []string
	for name, root := range l.files {
		if root != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// load reads a file that is asked for at at.
func (l *Loader) load(file string, at contract.Span) *Node {
	key := file
	if !isRemote(file) {
		key = path.Clean(file)
	}
	if root, known := l.files[key]; known {
		return root
	}
	l.files[key] = nil
	if len(l.files) > maxFiles {
		l.diags.Errorf("too-large", at, "the contract is spread over more than %d files", maxFiles)
		return nil
	}
	read := l.read
	if isRemote(file) && l.fetch != nil {
		read = l.fetch
	}
	data, err := read(file)
	if err != nil {
		l.unreadable(file, at, err)
		return nil
	}
	root := l.parse(file, data)
	l.files[key] = root
	return root
}

func (l *Loader) unreadable(file string, at contract.Span, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		l.diags.Errorf("missing-file", at, "there is no file %s", file).Help = "references are relative to the file that holds them"
		return
	}
	l.diags.Errorf("unreadable-file", at, "%s cannot be read: %s", file, reason(err))
}

// reason leaves out what the diagnostic says anyway: operation and path.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

func (l *Loader) parse(file string, data []byte) *Node {
	if l.total += len(data); len(data) > MaxBytes || l.total > maxTotal {
		l.diags.Errorf("too-large", top(file), "the file has %d MB; at most %d are read, %d with everything that it refers to",
			len(data)>>20, MaxBytes>>20, maxTotal>>20)
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if off := notText(data); off >= 0 {
		l.diags.Errorf("not-text", spanAt(file, data, off), "the file is not UTF-8 text, hence neither YAML nor JSON")
		return nil
	}
	doc := &document{name: file, size: len(data)}
	root, err := read(doc, data, l.diags)
	switch {
	case err != nil:
		at := (&Node{doc: doc}).span(err.at)
		at.Path = ""
		l.diags.Errorf(err.code, at, "%s", err.msg)
		return nil
	case root == nil:
		l.diags.Errorf("empty-file", top(file), "the file is empty")
	}
	return root
}

// read takes what begins like JSON as JSON. YAML may begin so, too: then its reader is
// the second to try, and JSON's fault the one to report.
func read(doc *document, data []byte, diags *diag.List) (*Node, *syntaxError) {
	start := bytes.TrimLeft(data, " \t\r\n")
	if len(start) == 0 {
		return nil, nil
	}
	if start[0] != '{' && start[0] != '[' {
		return readYAML(doc, data, diags)
	}
	mark := len(*diags)
	root, err := readJSON(doc, string(data), diags)
	if err == nil || err.code != "syntax" || path.Ext(doc.name) == ".json" || len(data) > 1<<20 {
		return root, err
	}
	*diags = (*diags)[:mark]
	if root, yerr := readYAML(doc, data, diags); yerr == nil {
		return root, nil
	}
	*diags = (*diags)[:mark]
	return nil, err
}

// notText returns the offset of the first byte that no text holds, or -1.
func notText(data []byte) int {
	nul := bytes.IndexByte(data, 0)
	if utf8.Valid(data) {
		return nul
	}
	for off := 0; off < len(data); {
		r, size := utf8.DecodeRune(data[off:])
		if r == utf8.RuneError && size == 1 || r == 0 {
			return off
		}
		off += size
	}
	return nul
}

func spanAt(file string, data []byte, off int) contract.Span {
	line := bytes.Count(data[:off], []byte("\n")) + 1
	col := off - bytes.LastIndexByte(data[:off], '\n')
	return contract.Span{File: file, Line: line, Col: col, EndLine: line, EndCol: col + 1}
}

// Expect says whether n is one of kinds, and reports where it is not. An absent n passes
// silently as false: whether it may be absent is another question. what names the thing:
// "parameters".
func Expect(diags *diag.List, n *Node, what string, kinds ...Kind) bool {
	if n == nil || slices.Contains(kinds, n.kind) {
		return n != nil
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.String()
	}
	diags.Errorf("wrong-kind", n.Span(), "%s must be %s, not %s", cmp.Or(what, "this"), strings.Join(names, " or "), n.kind)
	return false
}
