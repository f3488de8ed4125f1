package asyncapi

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
	"github.com/concordat-dev/concordat/parser/protobuf"
)

// A protoBody is a payload described by Protobuf.
type protoBody struct {
	body   *contract.Body
	at     *node.Node
	file   string // a slash path, of no file where the text stands in the document
	want   string // name of the message, where the document says it
	called string // the AsyncAPI message
}

// protoBody notes a payload described by Protobuf: text in place, or a reference to a .proto,
// whose fragment may name the message ("orders.proto#/acme.Order"). They are compiled when
// all are known.
func (r *reader) protoBody(b *contract.Body, l layers, schema *node.Node) {
	if b.Media == "" || l.get("contentType") == nil {
		b.Media = "application/x-protobuf"
	}
	p := &protoBody{body: b, at: schema, called: text(l.get("name")), want: text(l.get("x-protobuf-message"))}
	if ref, n := schema.Ref(); n != nil {
		file, fragment, _ := strings.Cut(ref, "#")
		if strings.HasSuffix(file, ".proto") {
			p.file, p.want = path.Join(path.Dir(schema.File()), file), cmp.Or(strings.Trim(fragment, "/"), p.want)
			r.protos = append(r.protos, p)
			return
		}
		if schema = r.follow(schema); schema == nil {
			return
		}
	}
	source, ok := schema.Str()
	if !ok {
		r.diags.Errorf("protobuf-schema", schema.Span(), "a schema in Protobuf is the text of a .proto, or a reference to one").Help =
			`write "schema: |" and the text below, or $ref: ./orders.proto`
		return
	}
	stem := strings.TrimSuffix(path.Base(schema.File()), path.Ext(schema.File()))
	name := cmp.Or(p.called, "payload")
	for i := 1; ; i++ {
		p.file = path.Join(path.Dir(schema.File()), fmt.Sprintf("%s_%s%d.proto", stem, fileName(name), i))
		if old, taken := r.protoText[p.file]; !taken || old == source {
			break
		}
	}
	r.protoText[p.file] = source
	r.protos = append(r.protos, p)
}

// fileName is a name as a part of a file's.
func fileName(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return '_'
	}, s)
}

// compileProtos reads all that protoBody noted into the descriptors of the contract.
func (r *reader) compileProtos() {
	var set descriptorpb.FileDescriptorSet
	for _, p := range r.protos {
		if r.stopped() {
			return
		}
		c := r.compileProto(p)
		if c == nil || len(c.Files) == 0 {
			continue
		}
		var own descriptorpb.FileDescriptorSet
		if err := proto.Unmarshal(c.Descriptors, &own); err != nil {
			continue // the compiler wrote it
		}
		for _, f := range own.File {
			if !slices.ContainsFunc(set.File, func(o *descriptorpb.FileDescriptorProto) bool { return o.GetName() == f.GetName() }) {
				set.File = append(set.File, f)
			}
			if !strings.HasPrefix(f.GetName(), "google/") && !slices.Contains(r.contract.Files, f.GetName()) {
				r.contract.Files = append(r.contract.Files, f.GetName())
			}
		}
		i := slices.IndexFunc(own.File, func(f *descriptorpb.FileDescriptorProto) bool { return f.GetName() == c.Files[0] })
		if message := r.protoMessage(p, own.File[max(i, 0)]); message != "" {
			p.body.Coding = &contract.Coding{Language: "protobuf", Message: message}
		}
	}
	if len(set.File) > 0 {
		r.contract.Descriptors, _ = proto.Marshal(&set) // what was read can be written
	}
}

// compileProto compiles one file. What is wrong with text in the document is told at the
// document's place.
func (r *reader) compileProto(p *protoBody) *contract.Contract {
	read := func(name string) ([]byte, error) {
		if source, ok := r.protoText[name]; ok {
			return []byte(source), nil
		}
		return r.read(name)
	}
	c, found := protobuf.Parse(r.ctx, []string{p.file}, nil, read)
	_, inline := r.protoText[p.file]
	for _, d := range found {
		if inline && d.Code == "missing-package" {
			continue // nobody imports the text
		}
		if inline && d.Span.File == p.file {
			d.Message = fmt.Sprintf("line %d of the text: %s", d.Span.Line, d.Message)
			d.Span = p.at.Span()
			d.Related = nil
		}
		*r.diags = append(*r.diags, d)
	}
	if found.HasErrors() {
		return nil
	}
	return c
}

// protoMessage finds which message of a file a payload is: the one that the document names,
// the one called like the AsyncAPI message, or the only one that is no part of another.
func (r *reader) protoMessage(p *protoBody, f *descriptorpb.FileDescriptorProto) string {
	prefix := ""
	if f.GetPackage() != "" {
		prefix = f.GetPackage() + "."
	}
	var all, whole []string
	used := map[string]bool{}
	for _, m := range f.MessageType {
		all = append(all, prefix+m.GetName())
		for _, field := range m.Field {
			if t := strings.TrimPrefix(field.GetTypeName(), "."); t != prefix+m.GetName() {
				used[t] = true
			}
		}
	}
	for _, name := range all {
		if strings.TrimPrefix(p.want, ".") == name || prefix+p.want == name || p.want == "" && strings.EqualFold(prefix+p.called, name) {
			return name
		}
		if !used[name] {
			whole = append(whole, name)
		}
	}
	if len(whole) == 1 && p.want == "" {
		return whole[0]
	}
	why := "does not say which of its messages the payload is"
	if p.want != "" {
		why = "has no message " + p.want
	}
	r.diags.Errorf("protobuf-schema", p.at.Span(), "%s %s; it has %s", path.Base(p.file), why, strings.Join(all, ", ")).Help =
		"call the AsyncAPI message like it, add it to the reference (orders.proto#/acme.Order), or write x-protobuf-message"
	return ""
}
