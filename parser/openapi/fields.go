package openapi

import (
	"slices"
	"strconv"
	"strings"

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
		if like := nearest(key, fieldsOf[kind]); like != "" {
			d.Help = "did you mean " + like + "?"
		}
	}
}

// nearest returns the field that differs from key by letter case or at most two letters.
func nearest(key string, fields []string) string {
	if len(key) > 40 {
		return ""
	}
	best, found := 3, ""
	for _, f := range fields {
		if d := distance(strings.ToLower(key), strings.ToLower(f)); d < best {
			best, found = d, f
		}
	}
	return found
}

// distance counts the insertions, deletions and replacements that lead from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
