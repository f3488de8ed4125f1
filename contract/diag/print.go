package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/concordat-dev/concordat/contract"
)

// Read returns the source text of a file that a span names.
type Read func(file string) ([]byte, error)

// A Printer writes findings for people: file:line:col, severity, message and code on the
// first line, where editors find them, and under it the source with the place marked.
type Printer struct {
	W     io.Writer
	Read  Read // nil: no code frames
	Color bool // ANSI colours

	lines map[string][][]byte
}

// Print writes l in source order.
func (p *Printer) Print(l List) {
	for _, d := range l.Sorted() {
		p.one(d)
	}
}

func (p *Printer) one(d *Diagnostic) {
	fmt.Fprintf(p.W, "%s%s %s %s\n", p.paint("1", where(d.Span)),
		p.paint(severityColor[d.Severity], d.Severity.String()+":"), p.paint("1", d.Message), p.paint("2", "["+d.Code+"]"))
	p.frame(d.Span, '^', severityColor[d.Severity])
	for _, r := range d.Related {
		fmt.Fprintf(p.W, "  %s%s\n", where(r.Span), r.Message)
		p.frame(r.Span, '-', "1;34")
	}
	if d.Help != "" {
		fmt.Fprintf(p.W, "  %s %s\n", p.paint("1;36", "help:"), d.Help)
	}
}

var severityColor = map[Severity]string{Error: "1;31", Warning: "1;33", Remark: "1;32"}

func (p *Printer) paint(color, s string) string {
	if !p.Color {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// where renders "file:line:col: ", leaving out what is not known.
func where(s contract.Span) string {
	switch {
	case s.File == "":
		return ""
	case s.Line == 0:
		return s.File + ": "
	}
	return fmt.Sprintf("%s:%d:%d: ", s.File, s.Line, s.Col)
}

// frame shows the line that s starts on and marks its text, where there is something that
// people can read.
func (p *Printer) frame(s contract.Span, mark byte, color string) {
	line, ok := p.line(s.File, s.Line)
	if !ok {
		return
	}
	text, from, to := window(line, s)
	if !readable(text) {
		return
	}
	marks := strings.Repeat(" ", from) + p.paint(color, strings.Repeat(string(mark), max(1, to-from)))
	fmt.Fprintf(p.W, "%5d | %s\n      | %s\n", s.Line, text, marks)
}

// readable says whether text is neither blank nor, for the most part, no text.
func readable(text string) bool {
	return strings.TrimSpace(text) != "" && 2*strings.Count(text, "\uFFFD") < utf8.RuneCountInString(text)
}

func (p *Printer) line(file string, n int) ([]byte, bool) {
	if p.Read == nil || file == "" || n < 1 {
		return nil, false
	}
	lines, ok := p.lines[file]
	if !ok {
		if src, err := p.Read(file); err == nil {
			lines = bytes.Split(src, []byte("\n"))
		}
		if p.lines == nil {
			p.lines = map[string][][]byte{}
		}
		p.lines[file] = lines
	}
	if n > len(lines) {
		return nil, false
	}
	return bytes.TrimSuffix(lines[n-1], []byte("\r")), true
}

// A line of minified JSON may be megabytes long: show what surrounds the place.
const (
	widest = 120
	before = 40
)

// window cuts the part of line that shows s, with tabs expanded and control characters
// made visible, and returns the columns to mark, counted from 0 in characters.
func window(line []byte, s contract.Span) (text string, from, to int) {
	start := clamp(s.Col-1, len(line))
	end := len(line)
	if s.EndLine == s.Line {
		end = clamp(s.EndCol-1, len(line))
	}
	lo, hi := 0, len(line)
	if hi > widest {
		lo = runeStart(line, max(0, start-before))
		hi = runeStart(line, min(len(line), lo+widest))
	}
	end = min(max(end, start), hi)
	head, body, tail := visible(line[lo:start]), visible(line[start:end]), visible(line[end:hi])
	if lo > 0 {
		head = "…" + head
	}
	if hi < len(line) {
		tail += "…"
	}
	from = utf8.RuneCountInString(head)
	return head + body + tail, from, from + utf8.RuneCountInString(body)
}

func clamp(n, most int) int { return max(0, min(n, most)) }

func runeStart(b []byte, i int) int {
	for i > 0 && i < len(b) && !utf8.RuneStart(b[i]) {
		i--
	}
	return i
}

func visible(b []byte) string {
	var sb strings.Builder
	for _, r := range string(b) {
		switch {
		case r == '\t':
			sb.WriteString("    ")
		case r < 0x20 || r == 0x7f || r == utf8.RuneError:
			sb.WriteRune('\uFFFD')
		default:
			sb.WriteRune(r)
		}
	}
	return sb.String()
}

// WriteJSON writes l in source order as one JSON document, {"diagnostics": [...]}, whose
// shape is part of the command line's promise.
func WriteJSON(w io.Writer, l List) error {
	out := struct {
		Diagnostics []jsonDiagnostic `json:"diagnostics"`
	}{[]jsonDiagnostic{}}
	for _, d := range l.Sorted() {
		j := jsonDiagnostic{Severity: d.Severity.String(), Code: d.Code, Message: d.Message, jsonSpan: toJSON(d.Span), Help: d.Help}
		for _, r := range d.Related {
			j.Related = append(j.Related, jsonRelated{toJSON(r.Span), r.Message})
		}
		out.Diagnostics = append(out.Diagnostics, j)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

type jsonDiagnostic struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	jsonSpan
	Help    string        `json:"help,omitempty"`
	Related []jsonRelated `json:"related,omitempty"`
}

type jsonRelated struct {
	jsonSpan
	Message string `json:"message"`
}

type jsonSpan struct {
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
	Path      string `json:"path,omitempty"`
}

func toJSON(s contract.Span) jsonSpan {
	return jsonSpan{s.File, s.Line, s.Col, s.EndLine, s.EndCol, s.Path}
}

// WriteGitHub writes l as workflow commands, which GitHub shows on the changed lines.
func WriteGitHub(w io.Writer, l List) {
	level := map[Severity]string{Error: "error", Warning: "warning", Remark: "notice"}
	for _, d := range l.Sorted() {
		text := d.Message
		if d.Help != "" {
			text += "\n" + d.Help
		}
		fmt.Fprintf(w, "::%s %stitle=%s::%s\n", level[d.Severity], properties(d.Span), property.Replace(d.Code), data.Replace(text))
	}
}

// properties says where s is, as far as that is known.
func properties(s contract.Span) string {
	switch {
	case s.File == "":
		return ""
	case s.Line == 0:
		return fmt.Sprintf("file=%s,", property.Replace(s.File))
	}
	return fmt.Sprintf("file=%s,line=%d,col=%d,endLine=%d,endColumn=%d,", property.Replace(s.File), s.Line, s.Col, s.EndLine, s.EndCol)
}

var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
