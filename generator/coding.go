package generator

import (
	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/generator/messages"
	"github.com/concordat-dev/concordat/templates/golang"
)

// avroFormat says how a body is written by Avro; nil for one that is not.
func avroFormat(b *contract.Body) *golang.AvroFormat {
	if b.Coding == nil || b.Coding.Language != "avro" {
		return nil
	}
	return &golang.AvroFormat{Schema: b.Coding.Schema, Framed: b.Coding.Framed, ID: b.Coding.SchemaID}
}

// planProtos finds the Go of messages of Protobuf that payloads are. It lies in a package
// below the contract's own, one for each package of Protobuf, whatever go_package says: what
// that names may be somebody else's.
func (p *pass) planProtos() {
	if len(p.c.Descriptors) == 0 {
		return
	}
	var err error
	if p.protos, err = messages.Below(p.c.Descriptors, p.c.Files, p.out.Path); err != nil {
		p.diags.Errorf("go-package", p.c.Span, "the messages of Protobuf get no Go: %v", err)
		p.protos = nil
	}
}

// protoFiles are the messages of Protobuf as protoc-gen-go generates them.
func (p *pass) protoFiles() []File {
	if p.protos == nil {
		return nil
	}
	generated, err := p.protos.Generate()
	if err != nil {
		p.warn("go-package", p.c.Span, "the messages of Protobuf cannot be generated: %v", err)
		return nil
	}
	var files []File
	for _, f := range generated {
		files = append(files, File{f.Name, f.Content})
	}
	return files
}

// protoPayload makes the payload a message of Protobuf, where it is one.
func (w *messenger) protoPayload(b *contract.Body) bool {
	if b.Coding == nil || b.Coding.Language != "protobuf" || w.protos == nil {
		return false
	}
	id, ok := w.protos.Ident(b.Coding.Message)
	if !ok {
		w.warn("unknown-message", b.Span, "the message %s has no Go type; it is passed as bytes", b.Coding.Message)
		return false
	}
	of := golang.Ref{Pkg: id.Path, Name: id.Name}
	w.st.Fields = append(w.st.Fields, &golang.Field{Name: "Payload", Type: pointer(of)})
	w.c.bodies = []*golang.Body{{Media: b.Media, Field: &golang.TableField{Owner: w.st.Name, GoField: "Payload"},
		Proto: &golang.ProtoValue{Of: of, JSON: classOf(b.Media, b.Schema) == jsonClass && b.Media != ""}}}
	return true
}

// cloudEvent gives the struct of a CloudEvent a field for its attributes.
func (w *messenger) cloudEvent(m *contract.Message) {
	if m.Cloud == nil {
		return
	}
	w.c.cloud = w.fields.name("Event", "CloudEvent")
	w.st.Fields = append(w.st.Fields, &golang.Field{Name: w.c.cloud, Type: golang.Ref{Pkg: runtimePath, Name: "CloudEvent"}})
}

// cloud says how an operation's messages are CloudEvents; nil where they are none.
func cloud(op *operation) *golang.Cloud {
	if op.carried.cloud == "" {
		return nil
	}
	e := op.In.Cloud
	return &golang.Cloud{Owner: op.carried.name, Field: op.carried.cloud, Structured: e.Structured, Type: e.Type, Source: e.Source}
}
