package asyncapi

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// foreign reads a payload in a schema language other than JSON Schema. One that is not
// known travels as bytes.
func (r *reader) foreign(b *contract.Body, l layers, format, schema *node.Node) {
	switch name := strings.ToLower(text(format)); {
	case strings.Contains(name, "avro"):
		r.avroBody(b, l, schema)
	case strings.Contains(name, "protobuf"):
		r.protoBody(b, l, schema)
	default:
		r.unsupported(format)
		b.Media = cmp.Or(b.Media, "application/octet-stream")
	}
}

// avroBody reads a payload described by Avro. It travels in Avro's binary encoding, unless
// the message itself says that it is JSON: the content type of the document is a default
// that its authors thought of other messages for.
func (r *reader) avroBody(b *contract.Body, l layers, schema *node.Node) {
	if own := l.get("contentType"); strings.Contains(text(own), "json") {
		if strings.Contains(text(own), "avro") {
			r.diags.Warnf("avro-json", own.Span(), "Avro's own JSON encoding is not spoken; the payload is plain JSON, in which a union's value stands without the name of its type").
				Help = "leave the content type out to have Avro's binary encoding"
		}
		if r.avro.Body(b, schema) {
			b.Coding = nil
			r.plainJSON = append(r.plainJSON, b)
		}
		return
	}
	if own := l.get("contentType"); own == nil {
		b.Media = "avro/binary"
	}
	r.avro.Body(b, schema)
	if frame, id := r.framing(l); frame {
		r.framed[b] = id
	}
}

// framing reads from the Kafka binding of a message whether the number of its schema in a
// registry stands before the payload, in the form of Confluent's.
func (r *reader) framing(l layers) (framed bool, id uint32) {
	for b := range l.all("bindings") {
		kafka := r.follow(r.follow(b).Get("kafka"))
		if text(kafka.Get("schemaIdLocation")) != "payload" {
			continue
		}
		how := kafka.Get("schemaIdPayloadEncoding")
		if s := text(how); s != "" && s != "confluent" && s != "4" {
			r.diags.Warnf("schema-id-encoding", how.Span(), "the number of the schema is written as %s, which is not known; payloads are read and written without it", quote(how)).
				Help = "confluent (a zero byte and four bytes) is known"
			continue
		}
		n, _ := strconv.ParseUint(text(kafka.Get("x-schema-id")), 10, 32)
		return true, uint32(n)
	}
	return false, 0
}

// codings says of bodies what is known only once all are read.
func (r *reader) codings() {
	for b, id := range r.framed {
		if b.Coding != nil {
			b.Coding.Framed, b.Coding.SchemaID = true, id
		}
	}
	for _, b := range r.plainJSON {
		b.Coding = nil
	}
	r.compileProtos()
}

func (r *reader) unsupported(format *node.Node) {
	r.diags.Warnf("schema-format-unsupported", format.Span(), "payloads described by %s are carried as bytes, not as types", quote(format)).
		Help = "describe the payload by JSON Schema, Avro or Protobuf to have types, checks and codecs"
}
