package openapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// fieldsOf are the fields of OpenAPI's objects, of all versions together. A field that is
// none of them is most likely misspelled, and what it says would be lost.
var fieldsOf = map[string][]string{
	"document": {"openapi", "$self", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components", "security", "tags", "externalDocs"},
	"components": {"schemas", "responses", "parameters", "examples", "requestBodies", "headers", "securitySchemes", "links", "callbacks",
		"pathItems", "mediaTypes"},
	"pathItem": {"$ref", "summary", "description", "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
		"additionalOperations", "servers", "parameters"},
	"operation": {"tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses", "callbacks",
		"deprecated", "security", "servers"},
	"parameter": {"$ref", "name", "in", "description", "required", "deprecated", "allowEmptyValue", "style", "explode", "allowReserved",
		"schema", "example", "examples", "content", "summary"},
	"requestBody": {"$ref", "description", "content", "required", "summary"},
	"response":    {"$ref", "summary", "description", "headers", "content", "links"},
	"mediaType":   {"$ref", "schema", "itemSchema", "example", "examples", "encoding", "prefixEncoding", "itemEncoding", "description", "summary"},
}

// known reports the fields of n that OpenAPI does not define for that kind of object.
func (r *reader) known(n *node.Node, kind string) {
	if r.told[n] || n.Kind() != node.Map {
		return
	}
	r.told[n] = true
	for key, v := range n.Entries() {
		if strings.HasPrefix(key, "x-") || slices.Contains(fieldsOf[kind], key) {
			continue
		}
		d := r.diags.Warnf("unknown-field", v.KeySpan(), "the field %s means nothing here", strconv.Quote(key))
		if like := diag.Nearest(key, fieldsOf[kind]); like != "" {
			d.Help = "did you mean " + like + "?"
		}
	}
}
