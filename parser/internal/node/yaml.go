package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract/diag"
)

// A yamlReader turns yaml.v3's nodes into ours: aliases become copies, merge keys become
// entries, and every node gets a place in bytes with an end.
type yamlReader struct {
	src    []byte
	lines  []int // offsets of the lines
	doc    *document
	diags  *diag.List
	copied int // nodes that stand for aliases
	open   []*yaml.Node
	cursor cursor
	placed map[*yaml.Node]extent // of what aliases stand for
}

// A cursor is a place in a line, in both ways to count.
type cursor struct{ line, chars, bytes int }

func readYAML(doc *document, src []byte, diags *diag.List) (root *Node, err *syntaxError) {
	defer func() {
		if p := recover(); p != nil { // yaml.v3 has panicked on rubbish before
			root, err = nil, &syntaxError{code: "syntax", at: extent{1, 1, 1, 1}, msg: "this cannot be read as YAML"}
		}
	}()
	src = anyVersion(src)
	r := &yamlReader{src: src, doc: doc, diags: diags, lines: lineStarts(src), placed: map[*yaml.Node]extent{}}
	var y yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(src))
	if e := d.Decode(&y); errors.Is(e, io.EOF) {
		return nil, nil
	} else if e != nil {
		return nil, r.explain(e)
	}
	if root, err = r.node(&y, 0, false); err != nil {
		return nil, err
	}
	var more yaml.Node
	if e := d.Decode(&more); e == nil {
		at := extent{int32(max(more.Line, 1)), 1, int32(max(more.Line, 1)), 4}
		s := root.span(at)
		s.Path = ""
		diags.Warnf("several-documents", s, "the file holds more than one YAML document; only the first is read").
			Help = "put every contract into a file of its own"
	} else if !errors.Is(e, io.EOF) {
		return nil, r.explain(e)
	}
	return root, nil
}

// anyVersion says YAML 1.1 where a document says 1.2 of itself, at the same length: yaml.v3
// refuses the word, but reads what it stands for.
func anyVersion(src []byte) []byte {
	if bytes.HasPrefix(src, []byte("%YAML 1.2")) {
		src = bytes.Clone(src)
		src[8] = '1'
	}
	return src
}

func lineStarts(src []byte) []int {
	lines := []int{0}
	for i, c := range src {
		if c == '\n' {
			lines = append(lines, i+1)
		}
	}
	return lines
}

// line returns the text of a line, counting from 1.
func (r *yamlReader) line(n int) []byte {
	if n < 1 || n > len(r.lines) {
		return nil
	}
	rest := r.src[r.lines[n-1]:]
	if n < len(r.lines) {
		rest = r.src[r.lines[n-1] : r.lines[n]-1]
	}
	return bytes.TrimRight(rest, "\r")
}

func (r *yamlReader) node(y *yaml.Node, depth int, copying bool) (*Node, *syntaxError) {
	if depth > maxDepth {
		return nil, &syntaxError{"too-deep", r.extent(y), fmt.Sprintf("values are nested more than %d deep", maxDepth)}
	}
	if copying {
		if r.copied++; r.copied > maxCopied {
			return nil, &syntaxError{"alias-bomb", r.extent(y), fmt.Sprintf("aliases stand for more than %d values", maxCopied)}
		}
	}
	n := &Node{doc: r.doc, pos: r.extent(y)}
	switch y.Kind {
	case yaml.DocumentNode:
		return r.node(y.Content[0], depth, copying)
	case yaml.AliasNode:
		return r.alias(y, depth)
	case yaml.SequenceNode:
		n.kind = List
		return n, r.items(n, y, depth, copying)
	case yaml.MappingNode:
		n.kind = Map
		return n, r.entries(n, y, depth, copying)
	}
	if n.kind, n.text = scalar(y); n.text != y.Value {
		n.more = &more{raw: y.Value}
	}
	return n, nil
}

func (r *yamlReader) alias(y *yaml.Node, depth int) (*Node, *syntaxError) {
	if slices.Contains(r.open, y.Alias) {
		return nil, &syntaxError{"alias-loop", r.extent(y), "the alias *" + y.Value + " stands inside what it stands for"}
	}
	r.open = append(r.open, y.Alias)
	n, err := r.node(y.Alias, depth+1, true)
	r.open = r.open[:len(r.open)-1]
	return n, err
}

func (r *yamlReader) items(n *Node, y *yaml.Node, depth int, copying bool) *syntaxError {
	kids := make([]*Node, 0, len(y.Content))
	for _, c := range y.Content {
		kid, err := r.node(c, depth+1, copying)
		if err != nil {
			return err
		}
		kids = append(kids, kid)
	}
	n.hold(kids)
	return nil
}

func (r *yamlReader) entries(n *Node, y *yaml.Node, depth int, copying bool) *syntaxError {
	kids := make([]*Node, 0, len(y.Content)/2)
	var merged []*Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		at := r.extent(key)
		kid, err := r.node(y.Content[i+1], depth+1, copying)
		if err != nil {
			return err
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, mergeable(kid)...)
			continue
		}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return &syntaxError{"syntax", r.extent(key), "a key is a list or a map; only text can be a key"}
		}
		kid.key, kid.at = key.Value, at
		kids = append(kids, kid)
	}
	kids = unique(kids, r.diags)
	if len(merged) == 0 {
		n.hold(kids)
		return nil
	}
	have := map[string]bool{}
	for _, kid := range kids {
		have[kid.key] = true
	}
	for _, kid := range merged {
		if !have[kid.key] {
			have[kid.key] = true
			kids = append(kids, kid)
		}
	}
	n.hold(kids)
	return nil
}

// mergeable returns the entries that a merge key adds: those of a map, or of all maps of
// a list (https://yaml.org/type/merge.html).
func mergeable(n *Node) []*Node {
	var kids []*Node
	if n.kind == Map {
		kids = n.kids
	}
	for item := range n.Items() {
		if item.kind == Map {
			kids = append(kids, item.kids...)
		}
	}
	return kids
}

// scalar returns kind and text of a scalar by YAML's core schema. Dates stay text.
func scalar(y *yaml.Node) (Kind, string) {
	switch y.ShortTag() {
	case "!!null":
		return Null, "null"
	case "!!bool":
		return Bool, strings.ToLower(y.Value)
	case "!!int", "!!float":
		if text, ok := number(y.Value); ok {
			return Number, text
		}
	}
	return String, y.Value
}

// number spells one of YAML's numbers as JSON does, without losing a digit. Infinity and
// NaN have no such spelling.
func number(s string) (string, bool) {
	if isNumber(s) {
		return s, true
	}
	plain := strings.ReplaceAll(strings.TrimPrefix(s, "+"), "_", "")
	if strings.HasPrefix(plain, ".") {
		plain = "0" + plain
	}
	if isNumber(plain) {
		return plain, true
	}
	if len(s) > 100 {
		return "", false
	}
	if v, ok := new(big.Int).SetString(plain, 0); ok { // 0x1F, 0o17, 0b11
		return v.String(), true
	}
	if plain = strings.TrimSuffix(plain, "."); isNumber(plain) { // "1."
		return plain, true
	}
	return "", false
}

// extent returns where y was written. yaml.v3 counts columns in characters and knows no
// ends; what runs over several lines ends, for us, with its first.
func (r *yamlReader) extent(y *yaml.Node) extent {
	if len(r.open) == 0 {
		return r.measure(y)
	}
	e, known := r.placed[y] // inside an alias, hence perhaps for the thousandth time
	if !known {
		e = r.measure(y)
		r.placed[y] = e
	}
	return e
}

func (r *yamlReader) measure(y *yaml.Node) extent {
	text := r.line(y.Line)
	col := r.column(y.Line, text, y.Column-1)
	rest := text[col:]
	size := 1
	switch {
	case y.Kind == yaml.AliasNode:
		size = len(y.Value) + 1
	case y.Kind != yaml.ScalarNode:
	case y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		size = quotedSize(rest)
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && bytes.HasPrefix(rest, []byte(y.Value)):
		size = len(y.Value)
	default:
		size = len(rest)
	}
	line, start := int32(max(y.Line, 1)), int32(col)+1
	return extent{line, start, line, start + int32(min(size, max(len(rest), 1)))}
}

// column returns the offset in bytes of a character in a line. Nodes come in the order of
// the text, so that it goes on from where it was last: lines may be as long as documents.
func (r *yamlReader) column(line int, text []byte, chars int) int {
	c := &r.cursor
	if c.line != line || c.chars > chars {
		*c = cursor{line: line}
	}
	for c.chars < chars && c.bytes < len(text) {
		_, size := utf8.DecodeRune(text[c.bytes:])
		c.bytes += size
		c.chars++
	}
	return c.bytes
}

// quotedSize returns the length of the quoted text that s begins with.
func quotedSize(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] == '"':
			i++
		case s[i] == s[0] && i+1 < len(s) && s[i+1] == s[0] && s[0] == '\'':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}

// explain turns an error of yaml.v3 into one with a place.
func (r *yamlReader) explain(err error) *syntaxError {
	msg, line := splitYAMLError(err.Error())
	if strings.HasPrefix(msg, "did not find expected") {
		line = r.failingLine(msg, line+1) // the reported line is where the enclosing block begins
	}
	if strings.HasPrefix(msg, "found a tab") {
		line = r.tabbedLine(line) // the reported line is where what was being read begins
	}
	line = min(max(line, 1), len(r.lines))
	for line > 1 && len(bytes.TrimSpace(r.line(line))) == 0 {
		line--
	}
	text := r.line(line)
	col := len(text) - len(bytes.TrimLeft(text, " \t"))
	at := extent{int32(line), int32(col) + 1, int32(line), int32(max(len(text), col+1)) + 1}
	if strings.HasPrefix(msg, "exceeded max depth") {
		return &syntaxError{"too-deep", at, "values are nested too deep"}
	}
	return &syntaxError{"syntax", at, "not valid YAML: " + msg}
}

// tabbedLine returns the first line at or after from that is indented by a tab, or from.
func (r *yamlReader) tabbedLine(from int) int {
	for n := max(from, 1); n <= len(r.lines); n++ {
		text := r.line(n)
		if bytes.IndexByte(text[:len(text)-len(bytes.TrimLeft(text, " \t"))], '\t') >= 0 {
			return n
		}
	}
	return from
}

func splitYAMLError(s string) (msg string, line int) {
	s = strings.TrimPrefix(s, "yaml: ")
	if rest, ok := strings.CutPrefix(s, "line "); ok {
		if number, tail, ok := strings.Cut(rest, ": "); ok {
			line, _ = strconv.Atoi(number)
			return tail, line
		}
	}
	return s, 0
}

// failingLine finds the first line with which the text fails in this way, by parsing
// beginnings of it. Large texts keep the line that was reported.
func (r *yamlReader) failingLine(msg string, from int) int {
	if len(r.src) > 1<<17 {
		return from
	}
	low, high := min(from, len(r.lines)), len(r.lines)
	for low < high {
		mid := (low + high) / 2
		end := len(r.src)
		if mid < len(r.lines) {
			end = r.lines[mid]
		}
		var y yaml.Node
		err := yaml.Unmarshal(r.src[:end], &y)
		if err != nil && strings.HasSuffix(err.Error(), msg) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}
