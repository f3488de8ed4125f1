package generator

import (
	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/templates/golang"
)

// avroFormat says how a body is written by Avro; nil for one that is not.
func avroFormat(b *contract.Body) *golang.AvroFormat {
	if b.Coding == nil || b.Coding.Language != "avro" {
		return nil
	}
	return &golang.AvroFormat{Schema: b.Coding.Schema, Framed: b.Coding.Framed, ID: b.Coding.SchemaID}
}
