// Package parser reads contracts of every format into the one model. It recognises a
// format by what a file holds, hands the file to that format's parser, and keeps hostile
// input out: files that are too large or are no text never reach a library.
//
// It imports contract, contract/diag, the format parsers below it, parser/internal/workspace
// and the standard library.
package parser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/asyncapi"
	"github.com/concordat-dev/concordat/parser/openapi"
	"github.com/concordat-dev/concordat/parser/protobuf"
)

// MaxBytes is the size of the largest file that is read where Options do not say otherwise:
// 32 MiB, some eight times the largest public contract that we know.
const MaxBytes = 32 << 20

// Options say how files are read.
type Options struct {
	// Read returns the bytes of a file that is named by a slash path as the user, or a
	// contract, spelled it. Its errors become diagnostics.
	Read func(name string) ([]byte, error)

	ImportPaths []string // where Protobuf imports are looked for, in order
	MaxBytes    int64    // the largest file that is read; 0 stands for the constant MaxBytes

	// Overlays are files with OpenAPI Overlays 1.0 or 1.1, which are applied to an OpenAPI
	// document in their order before it is read.
	Overlays []string

	// Remote gets what an OpenAPI or AsyncAPI document refers to on other hosts, by its http or https
	// URL, and sees to limits; package parser/remote has one. nil: other hosts are not
	// asked, and such references are findings.
	Remote func(ctx context.Context, url string) ([]byte, error)

	// List returns the .proto files in a folder and everywhere below it, as slash paths
	// that begin with dir, sorted; an error where dir is no folder. nil: folders, and the
	// files of a buf workspace, cannot be asked for.
	List func(dir string) ([]string, error)

	// BufCache is the folder in which buf keeps the modules that buf.lock names, "" for
	// none: where $BUF_CACHE_DIR points, or ~/.cache/buf.
	BufCache string
}

// Parse reads files into one contract: either one OpenAPI or AsyncAPI document with what it
// refers to, or Protobuf files that belong together, or a descriptor set, which is a
// google.protobuf.FileDescriptorSet or an image of buf, also compressed by gzip. A folder,
// a buf.yaml and a buf.work.yaml stand for the Protobuf files of theirs, and a Protobuf
// file imports from the modules of the workspace that it lies in. The contract is nil only where nothing
// at all could be understood; otherwise it holds everything that could, whatever the
// findings say. Parse never panics on input and gives up when ctx is done.
func Parse(ctx context.Context, files []string, o Options) (*contract.Contract, diag.List) {
	var ds diag.List
	if o.MaxBytes <= 0 {
		o.MaxBytes = MaxBytes
	}
	s := &source{read: o.Read, max: o.MaxBytes, held: map[string][]byte{}}
	work := s.gather(files, &o, &ds)
	protos, document := s.sort(work.files, &ds)
	var c *contract.Contract
	var found diag.List
	switch {
	case document.name != "" && document.format == contract.Protobuf:
		c, found = protobuf.ParseDescriptors(document.name, s.held[document.name], o.MaxBytes)
	case document.name != "" && document.format == contract.OpenAPI:
		c, found = openapi.ParseWith(ctx, document.name, openapi.Options{Read: s.readFile, Remote: o.remote(ctx), Overlays: o.Overlays})
	case document.name != "":
		c, found = asyncapi.ParseWith(ctx, document.name, asyncapi.Options{Read: s.readFile, Remote: o.remote(ctx)})
	case len(protos) > 0:
		c, found = protobuf.Parse(ctx, protos, slices.Concat(o.ImportPaths, work.roots), s.readFile)
		work.advise(found)
	}
	if len(o.Overlays) > 0 && c != nil && c.Format != contract.OpenAPI {
		found.Warnf("overlay-not-applied", whole(o.Overlays[0]), "overlays are for OpenAPI documents; they change nothing of %s", c.Source)
	}
	return c, append(ds, found...)
}

// remote is o.Remote for as long as ctx lasts; nil where there is none.
func (o *Options) remote(ctx context.Context) func(string) ([]byte, error) {
	if o.Remote == nil {
		return nil
	}
	return func(url string) ([]byte, error) { return o.Remote(ctx, url) }
}

// A recognised file.
type recognised struct {
	name   string
	format contract.Format
}

// sort recognises files: the Protobuf ones, or the single document. What belongs to
// neither is a finding.
func (s *source) sort(files []string, ds *diag.List) (protos []string, document recognised) {
	for _, name := range files {
		data, err := s.entry(name)
		if err != nil {
			unreadable(ds, name, err)
			continue
		}
		described := protobuf.IsDescriptors(data)
		format := contract.Protobuf
		if !described {
			format = s.recognise(name, data, ds)
		}
		switch {
		case format == 0:
		case document.name != "" || len(protos) > 0 && format != contract.Protobuf:
			ds.Errorf("several-contracts", whole(name), "%s is a contract of its own beside %s", format, files[0]).Help =
				"give one OpenAPI or AsyncAPI document at a time; only Protobuf files are read together"
		case format == contract.Protobuf && !described:
			protos = append(protos, name)
		default:
			document = recognised{name, format}
		}
	}
	if len(files) == 0 && !ds.HasErrors() {
		ds.Errorf("no-files", contract.Span{}, "no contract was given").Help = "name an OpenAPI, AsyncAPI or .proto file"
	}
	return protos, document
}

func (s *source) recognise(name string, data []byte, ds *diag.List) contract.Format {
	if at, ok := binary(data); ok {
		ds.Errorf("not-text", place(name, data, at), "byte 0x%02x at offset %d: a contract is UTF-8 text", data[at], at).Help =
			"check that this is the source of a contract, not something compiled or packed"
		return 0
	}
	if len(bytes.TrimSpace(data)) == 0 {
		ds.Errorf("empty-file", whole(name), "the file is empty").Help = "check that this is the file that was meant, and that it was written to its end"
		return 0
	}
	format := Recognise(name, data)
	if format == 0 {
		ds.Errorf("unknown-format", whole(name), "this is no OpenAPI, AsyncAPI or Protobuf contract").Help =
			"looked for a top-level key openapi, swagger or asyncapi, in YAML or JSON, and for a Protobuf syntax, edition, package, import, message, enum or service"
	}
	return format
}

// unreadable says why a file that was asked for could not be read.
func unreadable(ds *diag.List, name string, err error) {
	var large *TooLargeError
	switch {
	case errors.As(err, &large):
		ds.Errorf("too-large", whole(name), "the file has %s, more than the %s that are read", size(large.Bytes), size(large.Max)).Help =
			"split the contract, and refer from one file to the other"
	case errors.Is(err, fs.ErrNotExist):
		ds.Errorf("missing-file", whole(name), "there is no such file").Help = "paths are relative to the working directory"
	default:
		ds.Errorf("unreadable-file", whole(name), "%s", reason(err))
	}
}

// reason leaves out what the diagnostic says anyway: operation and path.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return "the file cannot be read: " + pe.Err.Error()
	}
	return "the file cannot be read: " + err.Error()
}

func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// whole is the place of a file as such.
func whole(name string) contract.Span {
	return contract.Span{File: name, Line: 1, Col: 1, EndLine: 1, EndCol: 1}
}
