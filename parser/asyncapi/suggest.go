package asyncapi

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
	best, least := "", 3
	for _, word := range vocabulary {
		if d := distance(key, word); d < least && d < len(word)/2 {
			best, least = word, d
		}
	}
	if best != "" && best != key {
		return `did you mean "` + best + `"?`
	}
	return `fields of one's own begin with "x-"`
}

// distance counts the letters to insert, delete or replace between two words (Levenshtein).
func distance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
