// Package plugin is concordat as a plugin of protoc and buf: it answers one
// google.protobuf.compiler.CodeGeneratorRequest.
//
// It imports contract, contract/diag, parser/protobuf, generator, generator/messages and
// google.golang.org/protobuf.
package plugin

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/generator"
	"github.com/concordat-dev/concordat/generator/messages"
	"github.com/concordat-dev/concordat/parser/protobuf"
)

// Run reads a request from in and writes the response to out. What is wrong with the
// contract or the parameters stands in the response, as protoc wants it; warnings go to
// log. The error is about in and out, or a request that is none.
func Run(ctx context.Context, in io.Reader, out, log io.Writer, version string) error {
	raw, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	var req pluginpb.CodeGeneratorRequest
	// Options stay the bytes that they are: their order is part of what is generated.
	if err := (proto.UnmarshalOptions{Resolver: new(protoregistry.Types)}).Unmarshal(raw, &req); err != nil {
		return fmt.Errorf("this is no request of protoc: %w", err)
	}
	resp, err := respond(ctx, &req, log, version)
	if err != nil {
		return err
	}
	if raw, err = proto.Marshal(resp); err != nil {
		return fmt.Errorf("writing the response: %w", err)
	}
	if _, err = out.Write(raw); err != nil {
		return fmt.Errorf("writing the response: %w", err)
	}
	return nil
}

// respond answers req. The error is log's.
func respond(ctx context.Context, req *pluginpb.CodeGeneratorRequest, log io.Writer, version string) (*pluginpb.CodeGeneratorResponse, error) {
	resp := &pluginpb.CodeGeneratorResponse{
		SupportedFeatures: new(uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL | pluginpb.CodeGeneratorResponse_FEATURE_SUPPORTS_EDITIONS)),
		MinimumEdition:    new(int32(descriptorpb.Edition_EDITION_PROTO2)),
		MaximumEdition:    new(int32(descriptorpb.Edition_EDITION_2024)),
	}
	files, l, err := generate(ctx, req, version)
	if err != nil {
		resp.Error = new(err.Error())
		return resp, nil
	}
	if errs := list(l, diag.Error); errs != "" {
		resp.Error = &errs
		return resp, nil
	}
	for _, f := range files {
		resp.File = append(resp.File, &pluginpb.CodeGeneratorResponse_File{Name: &f.Name, Content: new(string(f.Content))})
	}
	if warnings := list(l, diag.Warning); warnings != "" {
		if _, err := fmt.Fprintln(log, warnings); err != nil {
			return nil, fmt.Errorf("writing warnings: %w", err)
		}
	}
	return resp, nil
}

// generate runs the parser and the generator over the request's descriptors. The error
// is about the parameters.
func generate(ctx context.Context, req *pluginpb.CodeGeneratorRequest, version string) ([]generator.File, diag.List, error) {
	opts, err := options(req.GetParameter())
	if err != nil {
		return nil, nil, err
	}
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: req.GetProtoFile()})
	if err != nil {
		return nil, nil, err
	}
	c, l := protobuf.FromDescriptors(set, req.GetFileToGenerate())
	if c == nil {
		return nil, l, nil
	}
	opts.Version = version
	if opts.Source != "" {
		opts.Source = path.Join(opts.Source, c.Source)
	}
	files, more := generator.Generate(ctx, c, opts)
	return files, append(l, more...), nil
}

// options reads the parameter: "module=example.com/shop,Ma.proto=example.com/a".
func options(parameter string) (generator.Options, error) {
	layout := &messages.Options{Mapping: map[string]string{}, APILevels: map[string]string{}}
	o := generator.Options{Layout: layout, ServicesOnly: true}
	for _, p := range strings.Split(parameter, ",") {
		name, value, given := strings.Cut(p, "=")
		switch {
		case p == "":
		case name == "module":
			layout.Module = value
		case name == "paths" && value == "source_relative":
			layout.SourceRelative = true
		case name == "paths" && value == "import":
			layout.SourceRelative = false
		case name == "messages" && (value == "true" || !given):
			o.ServicesOnly = false
		case name == "messages" && value == "false":
			o.ServicesOnly = true
		case name == "default_api_level" && apiLevel(value):
			layout.APILevel = value
		case strings.HasPrefix(name, "apilevelM") && apiLevel(value):
			layout.APILevels[strings.TrimPrefix(name, "apilevelM")] = value
		case name == "source" && given:
			o.Source = value
		case len(name) > 1 && name[0] == 'M' && given:
			layout.Mapping[name[1:]] = value
		default:
			return o, fmt.Errorf("unknown parameter %q: write module=PATH, paths=import, paths=source_relative, MFILE=PATH, messages=true, default_api_level=API_OPEN, apilevelMFILE=API_OPAQUE or source=FOLDER", p)
		}
	}
	return o, nil
}

func apiLevel(s string) bool { return s == "API_OPEN" || s == "API_HYBRID" || s == "API_OPAQUE" }

// list writes the findings of one severity as compilers do.
func list(l diag.List, s diag.Severity) string {
	var lines []string
	for _, d := range l {
		if d.Severity != s {
			continue
		}
		line := fmt.Sprintf("%s [%s]", d.Message, d.Code)
		if d.Span.Line > 0 {
			line = fmt.Sprintf("%s:%d:%d: %s", d.Span.File, d.Span.Line, d.Span.Col, line)
		} else if d.Span.File != "" {
			line = d.Span.File + ": " + line
		}
		if d.Help != "" {
			line += "\n  help: " + d.Help
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
