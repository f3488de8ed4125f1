// Package openapidoc writes an OpenAPI document of the REST routes that Protobuf services
// declare by google.api.http: what the runtime answers (runtime/stub/rpc/transcode), for
// those who do not speak gRPC. Version 3.1, or 3.2 where there are streams, which only that
// can describe.
//
// A variable of several segments, {name=shelves/*/books/*}, becomes a parameter for each
// of its values, named after the text before it: /v1/shelves/{shelf}/books/{book}. Methods
// that OpenAPI has no word for and routes that take every method are left out, as are
// query parameters for maps; Emit says so.
//
// It imports contract, contract/diag, genproto's annotations, yaml.v3 and protobuf-go.
package openapidoc

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// Emit returns the document of c as YAML. It is nil where c is no Protobuf contract or
// none of its methods has a route, which a finding says. The same contract gives the same
// bytes.
func Emit(c *contract.Contract) ([]byte, diag.List) {
	e := &emitter{c: c, paths: map[string]*dict{}, schemas: map[string]*dict{}}
	if c.Format != contract.Protobuf {
		e.diags.Errorf("not-protobuf", c.Span, "the contract is %s; an OpenAPI document is made of google.api.http rules", c.Format)
		return nil, e.diags
	}
	if err := e.load(); err != nil {
		e.diags.Errorf("invalid-descriptors", c.Span, "descriptors cannot be read: %v", err)
		return nil, e.diags
	}
	for _, s := range c.Services {
		for _, op := range s.Operations {
			if wire, ok := op.Wire.(*contract.GRPC); ok {
				e.operation(s, op, wire)
			}
		}
	}
	if len(e.order) == 0 {
		e.diags.Errorf("no-routes", c.Span, "no method has option google.api.http").Help = "give methods routes, as google/api/http.proto shows"
		return nil, e.diags
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(e.document().node()); err != nil {
		e.diags.Errorf("not-printable", c.Span, "the document cannot be written: %v", err)
		return nil, e.diags
	}
	return out.Bytes(), e.diags
}

type emitter struct {
	c       *contract.Contract
	files   *protoregistry.Files
	diags   diag.List
	paths   map[string]*dict
	order   []string // of paths
	schemas map[string]*dict
	queue   []protoreflect.Descriptor // whose schemas are referred to
	streams bool
}

func (e *emitter) load() error {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(e.c.Descriptors, &set); err != nil {
		return err
	}
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(&set)
	e.files = files
	return err
}

func (e *emitter) document() *dict {
	version := "3.1.1"
	if e.streams {
		version = "3.2.0"
	}
	info := new(dict).add("title", cmp.Or(e.c.Title, e.c.Name)).add("version", cmp.Or(e.c.Version, "0"))
	info.text("description", e.c.Doc)
	d := new(dict).add("openapi", version).add("info", info)
	paths := new(dict)
	for _, p := range e.order {
		paths.add(p, e.paths[p])
	}
	d.add("paths", paths)
	e.fill()
	schemas := new(dict)
	for _, name := range sorted(e.schemas) {
		schemas.add(name, e.schemas[name])
	}
	return d.add("components", new(dict).add("schemas", schemas))
}

func sorted(m map[string]*dict) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// verbs are the methods that a path item of OpenAPI 3.1 has.
var verbs = []string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"}

// operation adds the routes of a method. The first has its name, others a number.
func (e *emitter) operation(s *contract.Service, op *contract.Operation, wire *contract.GRPC) {
	for i, r := range wire.Routes {
		if !slices.Contains(verbs, r.Method) {
			e.diags.Warnf("not-generated", r.Span, "OpenAPI has no word for the method %s of %s", r.Method, op.Name).Help = "the route is left out of the document"
			continue
		}
		m := e.method(wire)
		if m == nil {
			continue
		}
		rt, err := e.route(r, m)
		if err != nil {
			e.diags.Warnf("http-rule", r.Span, "the route %s %s of %s cannot be described: %v", r.Method, r.Path, op.Name, err)
			continue
		}
		item := e.paths[rt.path]
		if item == nil {
			item = new(dict)
			e.paths[rt.path] = item
			e.order = append(e.order, rt.path)
		}
		id := strings.ReplaceAll(short(s.Name)+"_"+op.Name, ".", "_")
		if i > 0 {
			id += fmt.Sprintf("_%d", i+1)
		}
		item.add(strings.ToLower(r.Method), e.describe(id, short(s.Name), op, m, r, rt))
	}
}

func short(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func (e *emitter) method(wire *contract.GRPC) protoreflect.MethodDescriptor {
	name := strings.ReplaceAll(strings.TrimPrefix(wire.Method, "/"), "/", ".")
	d, err := e.files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil
	}
	m, _ := d.(protoreflect.MethodDescriptor)
	return m
}

func (e *emitter) describe(id, tag string, op *contract.Operation, m protoreflect.MethodDescriptor, r *contract.Route, rt *route) *dict {
	d := new(dict).add("operationId", id).add("tags", []any{tag})
	d.add("summary", op.Doc.Summary).add("description", op.Doc.Detail)
	if op.Doc.Deprecated != "" {
		d.add("deprecated", true)
	}
	if op.Idempotent && r.Method != "GET" {
		d.add("x-idempotent", true)
	}
	d.add("parameters", append(rt.params, e.query(m, r, rt)...))
	d.add("requestBody", e.requestBody(m, r, rt))
	return d.add("responses", new(dict).add("200", e.success(m, r)).add("default", e.failure()))
}

// failure is google.rpc.Status.
func (e *emitter) failure() *dict {
	const name = "google.rpc.Status"
	if e.schemas[name] == nil {
		detail := new(dict).add("type", "object").add("properties", new(dict).add("@type", typed("string"))).add("additionalProperties", true)
		e.schemas[name] = new(dict).add("type", "object").add("description", "Why a call failed.").add("properties", new(dict).
			add("code", typed("integer").add("format", "int32")).add("message", typed("string")).
			add("details", typed("array").add("items", detail)))
	}
	return new(dict).add("description", "The call failed.").add("content", new(dict).add("application/json", new(dict).add("schema", ref(name))))
}

func typed(t string) *dict  { return new(dict).add("type", t) }
func ref(name string) *dict { return new(dict).add("$ref", "#/components/schemas/"+name) }
