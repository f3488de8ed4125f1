// Package protobuf reads Protobuf contracts (proto2, proto3, editions 2023 and 2024)
// into the model. The compiler behind it is bufbuild/protocompile's experimental one; it
// moves, so one file here, compiler.go, is all that knows its API.
//
// Extensions and options other than deprecated, idempotency_level and google.api.http have
// no place in the model: they stay in Contract.Descriptors, from which messages are
// generated.
//
// It imports contract, contract/diag, protocompile, protoreflect's printer, the Go of
// google/api, google/rpc, google/type and buf/validate, and google.golang.org/protobuf.
package protobuf

import (
	"context"
	"fmt"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// patience bounds one call of Parse whose context has no deadline of its own. The
// largest public tree takes seconds; only hostile input gets here.
const patience = 2 * time.Minute

// Parse reads files, which together form one contract, and everything that they import.
// Files are slash paths; read returns their text and is never called concurrently.
//
// An import is looked for under importPaths, in order, and then under the roots that
// the files themselves suggest: for each, the folder above it from which its imports
// resolve and its package matches its path. The well-known google/protobuf/*.proto are
// built in. Errors are reported wherever they stand, warnings only in files. The contract
// is nil where no descriptor could be made of the files.
func Parse(ctx context.Context, files, importPaths []string, read func(string) ([]byte, error)) (*contract.Contract, diag.List) {
	return parse(ctx, protocompiler{}, files, importPaths, read)
}

type outcome struct {
	c *contract.Contract
	l diag.List
}

// parse runs in a goroutine of its own so that it can be left behind: the compiler looks
// at its context only between files.
func parse(ctx context.Context, c compiler, files, importPaths []string, read func(string) ([]byte, error)) (*contract.Contract, diag.List) {
	if len(files) == 0 {
		var l diag.List
		l.Errorf("no-files", contract.Span{}, "no .proto file was given")
		return nil, l
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan outcome, 1)
	go func() { done <- guarded(ctx, c, files, importPaths, read) }()
	select {
	case o := <-done:
		return o.c, o.l
	case <-ctx.Done():
		var l diag.List
		l.Errorf("compiler-timeout", contract.Span{File: files[0]}, "the file was not understood in time: %v", context.Cause(ctx))
		return nil, l
	}
}

// guarded turns a panic of the compiler into a diagnostic.
func guarded(ctx context.Context, c compiler, files, importPaths []string, read func(string) ([]byte, error)) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o.c = nil
			crashed(&o.l, files[0], p)
		}
	}()
	s := newSources(read)
	names := s.arrange(&o.l, files, importPaths)
	if len(names) == 0 {
		return o
	}
	u, l := c.compile(ctx, names, s)
	o.l = append(o.l, l...)
	if u != nil {
		o.c = partial(u, &o.l)
	}
	return o
}

// partial builds the model. Where the source is at fault the descriptors may be too, and
// that is no news to anybody.
func partial(u *unit, l *diag.List) *contract.Contract {
	faulty := l.HasErrors()
	if faulty {
		defer func() { _ = recover() }()
	}
	c, err := build(u, l)
	if err != nil && !faulty {
		l.Errorf("invalid-descriptors", contract.Span{File: u.display(u.asked[0])}, "descriptors cannot be read: %s", plain(err))
	}
	return c
}

func crashed(l *diag.List, file string, p any) {
	d := l.Errorf("compiler-crash", contract.Span{File: file}, "the Protobuf compiler crashed: %v", p)
	d.Help = "this is a fault of Concordat, please report it with the file" + where(debug.Stack())
}

// where names the innermost frame of the compiler in a stack trace, for bug reports.
func where(stack []byte) string {
	for line := range strings.Lines(string(stack)) {
		if _, file, ok := strings.Cut(line, "/bufbuild/protocompile@"); ok {
			return ": protocompile@" + strings.TrimSpace(file)
		}
	}
	return ""
}

// FromDescriptors makes a contract of files within set, a serialized
// google.protobuf.FileDescriptorSet in topological order. Spans are those of its source
// info: none where it has none, and tabs count as the compiler counted them.
func FromDescriptors(set []byte, files []string) (c *contract.Contract, l diag.List) {
	if len(files) == 0 {
		l.Errorf("no-files", contract.Span{}, "no file was asked for")
		return nil, l
	}
	defer func() {
		if p := recover(); p != nil {
			c = nil
			l.Errorf("invalid-descriptors", contract.Span{File: files[0]}, "descriptors cannot be read: %v", p)
		}
	}()
	c, err := build(&unit{raw: set, asked: files, display: func(n string) string { return n }}, &l)
	if err != nil {
		l.Errorf("invalid-descriptors", contract.Span{File: files[0]}, "descriptors cannot be read: %s", plain(err))
	}
	return c, l
}

// plain undoes the blanks that the Protobuf module varies in its errors so that nobody
// compares them: ours are compared.
func plain(err error) string { return strings.ReplaceAll(err.Error(), "\u00a0", " ") }

// A unit is a compiled set of files.
type unit struct {
	raw     []byte                   // serialized google.protobuf.FileDescriptorSet in topological order
	asked   []string                 // names of files within it
	display func(name string) string // the path of a file as people know it
	spans   map[string]contract.Span // by full name; the rest comes from source info
}

func stem(file string) string { return strings.TrimSuffix(path.Base(file), ".proto") }

// plural spells n things.
func plural(n int, thing string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
