package asyncapi

import "github.com/concordat-dev/concordat/contract/diag"

// vocabulary is what fields are called in AsyncAPI. It serves to suggest the one that was
// meant; the official schemas know where each is allowed.
var vocabulary = []string{
	"asyncapi", "id", "info", "servers", "channels", "operations", "components", "defaultContentType", "tags",
	"externalDocs", "title", "version", "description", "termsOfService", "contact", "license", "host", "pathname",
	"protocol", "protocolVersion", "variables", "security", "bindings", "url", "enum", "default", "examples",
	"address", "messages", "summary", "parameters", "action", "channel", "traits", "reply", "location", "headers",
	"payload", "correlationId", "contentType", "name", "schemaFormat", "schema", "schemas", "securitySchemes",
	"publish", "subscribe", "operationId", "messageId", "message", "oneOf", "flows", "scopes", "bearerFormat",
	"operationTraits", "messageTraits", "replies", "correlationIds", "serverVariables", "x-deprecated",
}

// suggestion says what may have been meant by a field that does not exist.
func suggestion(key string) string {
	if best := diag.Nearest(key, vocabulary); best != "" && best != key {
		return `did you mean "` + best + `"?`
	}
	return `fields of one's own begin with "x-"`
}
