package jsonschema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// An assertion writes schemas as JSON Schema 2020-12 that needs no document around it:
// references go to $defs, older spellings become today's, and what validates nothing is
// left out.
type assertion struct {
	*Reader
	names map[*node.Node]string // of $defs
	queue []*node.Node          // those, in order
	size  int

	broken bool // something in it cannot be checked: without it, the rest means something else
}

// keywordForm is what a keyword's value must be, and how it is written.
type keywordForm uint8

const (
	aSchema keywordForm = iota + 1
	aSchemaList
	aSchemaMap
	aPatternMap
	aNumber
	aCount
	aNameList
	aNamesMap
	aTypeName
	aValue
	aValueList
	aFlag
	aPattern
)

var keywordForms = map[string]keywordForm{
	"not": aSchema, "if": aSchema, "then": aSchema, "else": aSchema, "contains": aSchema, "propertyNames": aSchema,
	"additionalProperties": aSchema, "unevaluatedProperties": aSchema, "unevaluatedItems": aSchema,
	"allOf": aSchemaList, "anyOf": aSchemaList, "oneOf": aSchemaList, "prefixItems": aSchemaList,
	"properties": aSchemaMap, "dependentSchemas": aSchemaMap, "patternProperties": aPatternMap,
	"minimum": aNumber, "maximum": aNumber, "multipleOf": aNumber,
	"minLength": aCount, "maxLength": aCount, "minItems": aCount, "maxItems": aCount, "minContains": aCount, "maxContains": aCount,
	"minProperties": aCount, "maxProperties": aCount,
	"required": aNameList, "dependentRequired": aNamesMap, "type": aTypeName,
	"const": aValue, "enum": aValueList, "uniqueItems": aFlag, "pattern": aPattern,
}

// schema writes n, and null beside it where OpenAPI 3.0 says so.
func (w *assertion) schema(n *node.Node) string {
	if value, ok := n.Bool(); ok {
		return strconv.FormatBool(value)
	}
	if n.Kind() != node.Map || w.size > maxAssertion {
		return "{}"
	}
	if _, ref := n.Ref(); ref != nil && w.dialect != Draft2020 {
		return w.object(n, func(string) bool { return false })
	}
	text := w.object(n, func(string) bool { return true })
	w.size += len(text)
	if n.Get("nullable").True() || n.Get("x-nullable").True() {
		return `{"anyOf":[` + text + `,{"type":"null"}]}`
	}
	return text
}

// object writes the keywords of n that want names, and its reference.
func (w *assertion) object(n *node.Node, want func(key string) bool) string {
	var parts []string
	put := func(key, text string) {
		if text != "" {
			parts = append(parts, node.Quote(key)+":"+text)
		}
	}
	whole := want("$ref")
	if _, ref := n.Ref(); ref != nil && (whole || !want("not")) {
		put("$ref", w.reference(n))
	}
	for key, kid := range n.Entries() {
		switch {
		case !want(key):
		case key == "items" || key == "additionalItems":
			w.items(n, key, kid, put)
		case key == "exclusiveMinimum" || key == "exclusiveMaximum":
			w.exclusive(n, key, kid, put)
		case key == "minimum" && n.Get("exclusiveMinimum").True(), key == "maximum" && n.Get("exclusiveMaximum").True():
		case key == "dependencies":
			w.dependencies(kid, put)
		default:
			text := w.keyword(keywordForms[key], kid)
			w.broken = w.broken || text == "" && judged(key, kid)
			put(key, text)
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (w *assertion) reference(n *node.Node) string {
	target := w.loader.Target(n)
	if target == nil {
		w.broken = true
		return ""
	}
	name, known := w.names[target]
	if !known {
		name = strconv.Itoa(len(w.queue))
		w.names[target] = name
		w.queue = append(w.queue, target)
	}
	return `"#/$defs/` + name + `"`
}

// items writes draft 7's items and additionalItems as prefixItems and items.
func (w *assertion) items(n *node.Node, key string, kid *node.Node, put func(key, text string)) {
	switch old := n.Get("items").Kind() == node.List; {
	case key == "items" && old:
		put("prefixItems", w.keyword(aSchemaList, kid))
	case key == "items" || old:
		put("items", w.keyword(aSchema, kid))
	}
}

func (w *assertion) exclusive(n *node.Node, key string, kid *node.Node, put func(key, text string)) {
	inclusive := n.Get(map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}[key])
	if flag, ok := kid.Bool(); ok {
		if !flag {
			return
		}
		kid = inclusive
	}
	put(key, w.keyword(aNumber, kid))
}

// dependencies writes what draft 7 says in one keyword and 2020-12 in two.
func (w *assertion) dependencies(n *node.Node, put func(key, text string)) {
	var names, schemas []string
	for name, kid := range n.Entries() {
		if kid.Kind() == node.List {
			names = append(names, node.Quote(name)+":"+w.keyword(aNameList, kid))
		} else {
			schemas = append(schemas, node.Quote(name)+":"+w.schema(kid))
		}
	}
	if len(names) > 0 {
		put("dependentRequired", "{"+strings.Join(names, ",")+"}")
	}
	if len(schemas) > 0 {
		put("dependentSchemas", "{"+strings.Join(schemas, ",")+"}")
	}
}

// keyword writes a keyword's value; "" for one that is not as it should be, or that
// validates nothing.
func (w *assertion) keyword(form keywordForm, n *node.Node) string {
	switch form {
	case aSchema:
		if n.Kind() == node.Map || n.Kind() == node.Bool {
			return w.schema(n)
		}
	case aSchemaList:
		return w.list(n, w.schema)
	case aSchemaMap:
		return w.mapping(n, func(name string) string { return name }, w.schema)
	case aPatternMap:
		return w.mapping(n, func(name string) string { return w.matching(name, n) }, w.schema)
	case aNumber:
		if _, ok := parseDecimal(n.Text()); ok && n.Kind() == node.Number {
			return n.JSON()
		}
	case aCount:
		if x, ok := w.size0(n); ok {
			return strconv.Itoa(x)
		}
	case aNameList:
		return w.list(n, nameText)
	case aNamesMap:
		return w.mapping(n, func(name string) string { return name }, func(n *node.Node) string { return w.list(n, nameText) })
	case aTypeName:
		return w.types(n)
	case aValue:
		return n.JSON()
	case aValueList:
		return w.list(n, (*node.Node).JSON)
	case aFlag:
		if n.True() {
			return "true"
		}
	case aPattern:
		if re := w.matching(n.Text(), n); re != "" {
			return node.Quote(re)
		}
	}
	return ""
}

// judged says whether a keyword that could not be written would have ruled something out.
func judged(key string, n *node.Node) bool {
	switch keywordForms[key] {
	case 0, aFlag, aTypeName:
		return false
	}
	return n.Len() > 0 || n.Kind() != node.List && n.Kind() != node.Map
}

func nameText(n *node.Node) string { return node.Quote(n.Text()) }

func (w *assertion) list(n *node.Node, write func(*node.Node) string) string {
	if n.Kind() != node.List || n.Len() == 0 {
		return ""
	}
	var out []string
	for item := range n.Items() {
		out = append(out, write(item))
	}
	return "[" + strings.Join(out, ",") + "]"
}

func (w *assertion) mapping(n *node.Node, key func(string) string, write func(*node.Node) string) string {
	var out []string
	for name, kid := range n.Entries() {
		text, as := write(kid), key(name)
		if text == "" || as == "" && name != "" {
			w.broken = true
			continue
		}
		out = append(out, node.Quote(as)+":"+text)
	}
	if len(out) == 0 {
		return ""
	}
	return "{" + strings.Join(out, ",") + "}"
}

// matching is a regular expression as RE2 has it; "" after a warning where it has none.
func (w *assertion) matching(text string, n *node.Node) string {
	re, _ := w.pattern(text, n.Span())
	return re
}

func (w *assertion) types(n *node.Node) string {
	if n.Kind() == node.List {
		return w.list(n, nameText)
	}
	if name := n.Text(); name != "file" && slices.Contains(typeNames, name) {
		return node.Quote(name)
	}
	return ""
}

// size0 reads a count without complaining: whoever reads the schema for its type does.
func (w *assertion) size0(n *node.Node) (int, bool) {
	x, ok := parseDecimal(n.Text())
	if !ok || n.Kind() != node.Number || !x.IsInt() || x.Sign() < 0 || !x.Num().IsInt64() || x.Num().Int64() > 1<<31-1 {
		return 0, false
	}
	return int(x.Num().Int64()), true
}
