package parser

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// Recognise says which format data is written in, 0 where it is none of them. The content
// decides; where it says nothing, or two things, the name does.
func Recognise(name string, data []byte) contract.Format {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	found := topKeys(data)
	if isProto(data) {
		found = append(found, contract.Protobuf)
	}
	if len(found) == 1 {
		return found[0]
	}
	return byName(name, found)
}

// byName breaks a tie. A .proto file may be empty and still be one; a document without
// its version key is none.
func byName(name string, found []contract.Format) contract.Format {
	base := strings.ToLower(path.Base(name))
	for _, f := range found {
		if strings.Contains(base, strings.ToLower(f.String())) || f == contract.Protobuf && path.Ext(base) == ".proto" {
			return f
		}
	}
	switch {
	case len(found) > 0:
		return found[0]
	case path.Ext(base) == ".proto":
		return contract.Protobuf
	}
	return 0
}

// yamlKey is a key of a block mapping at the left margin. YAML allows a document to be
// indented as a whole, so the margin is that of the first key.
var yamlKey = regexp.MustCompile(`(?m)^([ \t]*)["']?(openapi|swagger|asyncapi)["']?[ \t]*:(?:[ \t\r]|$)`)

// topKeys returns the formats whose version key stands at the top level of a YAML or JSON
// document.
func topKeys(data []byte) []contract.Format {
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); bytes.HasPrefix(trimmed, []byte("{")) {
		return flowKeys(trimmed)
	}
	margin := firstMargin(data)
	var out []contract.Format
	for _, m := range yamlKey.FindAllSubmatch(data, -1) {
		if string(m[1]) == margin {
			out = add(out, string(m[2]))
		}
	}
	return out
}

// firstMargin is the indentation of the first line that is neither blank, nor a comment,
// nor a directive or marker.
func firstMargin(data []byte) string {
	for line := range bytes.Lines(data) {
		rest := bytes.TrimLeft(line, " \t")
		text := bytes.TrimSpace(rest)
		if len(text) == 0 || text[0] == '#' || text[0] == '%' || bytes.HasPrefix(text, []byte("---")) {
			continue
		}
		return string(line[:len(line)-len(rest)])
	}
	return ""
}

// flowKeys scans a JSON object, or a YAML flow mapping, which may be cut off or broken
// anywhere: it wants the keys of depth one, and no more.
func flowKeys(data []byte) []contract.Format {
	var out []contract.Format
	depth, isKey := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '{', '[':
			depth++
			isKey = c == '{' && depth == 1
		case '}', ']':
			depth--
		case ',':
			isKey = depth == 1
		case ' ', '\t', '\r', '\n':
		default:
			word, end := flowWord(data, i)
			if isKey && depth == 1 {
				out = add(out, word)
			}
			isKey = false
			i = end - 1
		}
	}
	return out
}

// flowWord reads the quoted or bare word at data[i], and where it ends.
func flowWord(data []byte, i int) (word string, end int) {
	if q := data[i]; q == '"' || q == '\'' {
		for j := i + 1; j < len(data); j++ {
			switch data[j] {
			case '\\':
				j++
			case q:
				return string(data[i+1 : j]), j + 1
			}
		}
		return "", len(data)
	}
	n := bytes.IndexAny(data[i:], " \t\r\n,:{}[]\"'")
	switch n {
	case -1:
		return string(data[i:]), len(data)
	case 0:
		return "", i + 1
	}
	return string(data[i : i+n]), i + n
}

func add(out []contract.Format, key string) []contract.Format {
	f := map[string]contract.Format{"openapi": contract.OpenAPI, "swagger": contract.OpenAPI, "asyncapi": contract.AsyncAPI}[key]
	if f == 0 || len(out) > 0 && out[len(out)-1] == f {
		return out
	}
	return append(out, f)
}

// protoStart is how a Protobuf file begins once comments are gone.
var protoStart = regexp.MustCompile(`^(?:(?:syntax|edition)\s*=\s*["']|package\s+[\w.]+\s*;|import\s+(?:(?:public|weak|option)\s+)?["']|` +
	`option\s+[(\w.]|(?:(?:export|local)\s+)?(?:message|enum|service)\s+\w+\s*\{|extend\s+[\w.]+\s*\{)`)

// isProto says whether the first statement of data is one of Protobuf.
func isProto(data []byte) bool {
	for {
		data = bytes.TrimLeft(data, " \t\r\n\f;")
		end := -1
		switch {
		case bytes.HasPrefix(data, []byte("//")):
			end = bytes.IndexByte(data, '\n')
		case bytes.HasPrefix(data, []byte("/*")):
			end = bytes.Index(data, []byte("*/")) + 1
		default:
			return protoStart.Match(data[:min(len(data), 4096)])
		}
		if end <= 0 {
			return false
		}
		data = data[end+1:]
	}
}
