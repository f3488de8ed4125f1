package protobuf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/experimental/report"
	psource "github.com/bufbuild/protocompile/experimental/source"
	"github.com/bufbuild/protocompile/experimental/source/length"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// maxFindings is how many findings of a report are kept: rubbish has one per byte.
const maxFindings = 1000

// translate makes diagnostics of the compiler's report. What has no place is put to file.
// Warnings in files that are only imported are for those who own them.
func translate(rep *report.Report, o *opener, file string) (l diag.List) {
	all := rep.Diagnostics
	if len(all) > maxFindings {
		// The worst first, so that no error is lost to warnings.
		all = slices.Clone(all)
		slices.SortStableFunc(all, func(a, b report.Diagnostic) int { return cmp.Compare(a.Level(), b.Level()) })
		all = all[:maxFindings]
	}
	kept := &report.Report{Diagnostics: all}
	snippets := annotations(kept, o)
	for i := range all {
		add(&l, &all[i], snippets[i], o)
	}
	if n := len(rep.Diagnostics) - len(all); n > 0 {
		l.Errorf("too-many-findings", contract.Span{File: l[0].Span.File}, "%s more left out", plural(n, "finding"))
	}
	l = slices.DeleteFunc(l, func(d *diag.Diagnostic) bool {
		return d.Severity > diag.Error && d.Span.File != "" && !o.s.asked(d.Span.File)
	})
	return settled(l, file)
}

func add(l *diag.List, d *report.Diagnostic, notes []annotation, o *opener) {
	message := d.Message()
	out := &diag.Diagnostic{
		Severity: severity(d.Level()), Code: codeOf(d.Tag(), message),
		Message: message, Span: spanOf(d.Primary(), ""), Help: sentence(d.Help()),
	}
	if d.Level() == report.ICE {
		crashed(l, d.File(), message+": "+strings.Join(d.Notes(), "; "))
		return
	}
	if out.Span.File == "" { // the whole file, or a sequel of another fault
		out.Span = contract.Span{File: d.File(), Line: 1, Col: 1, EndLine: 1, EndCol: 1}
	}
	explain(out, d, notes)
	if out.Code == "missing-file" {
		missing(out, d.Primary(), o.s.roots)
	}
	*l = append(*l, out)
}

// explain adds what the compiler says beside the message: other places, what to write
// instead, and notes.
func explain(out *diag.Diagnostic, d *report.Diagnostic, notes []annotation) {
	for i, n := range notes {
		switch {
		case len(n.edits) > 0:
			out.Help = cmp.Or(out.Help, n.suggestion())
		case i == 0:
			// The primary place: what is said of it adds nothing to most messages.
		case n.message != "" && len(out.Related) < 2 && !builtin(n.at.Path()):
			out.Related = append(out.Related, diag.Related{Span: spanOf(n.at, ""), Message: n.message})
		}
	}
	out.Help = cmp.Or(out.Help, sentence(d.Notes()))
}

// sentence joins help texts, which may repeat each other and be broken into lines.
func sentence(texts []string) string {
	var out []string
	for _, text := range texts {
		if text = strings.Join(strings.Fields(text), " "); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return strings.Join(out, "; ")
}

// builtin says whether nobody can open the file at p: it is part of the compiler.
func builtin(p string) bool { return strings.HasPrefix(p, "<built-in>/") }

// settled drops what only follows from other findings: errors without any place, warnings
// of unused imports, for an error may be the reason that nothing uses them, of a missing
// package where it is only in the wrong place, and what the rules of proto2 say about a
// file whose syntax is none.
func settled(l diag.List, file string) diag.List {
	placed := slices.ContainsFunc(l, func(d *diag.Diagnostic) bool { return d.Severity == diag.Error && d.Span.File != "" })
	misplaced, unknown := filesWith(l, "misplaced-statement"), filesWith(l, "unknown-edition")
	l = slices.DeleteFunc(l, func(d *diag.Diagnostic) bool {
		return placed && (d.Span.File == "" || d.Code == "unused-import") ||
			d.Code == "missing-package" && misplaced[d.Span.File] ||
			d.Message == "unexpected type name" && unknown[d.Span.File]
	})
	for _, d := range l {
		d.Span.File = cmp.Or(d.Span.File, file)
	}
	return l.Sorted()
}

// filesWith returns the files that have a finding of code.
func filesWith(l diag.List, code string) map[string]bool {
	files := map[string]bool{}
	for _, d := range l {
		if d.Code == code {
			files[d.Span.File] = true
		}
	}
	return files
}

// missing says of an import what was looked for and where.
func missing(d *diag.Diagnostic, at psource.Span, roots []string) {
	text := at.Text()
	if i := strings.IndexAny(text, `"'`); i >= 0 {
		j := strings.LastIndexAny(text, `"'`)
		d.Span = spanOf(at.Range(i, j+1), "")
		d.Message = fmt.Sprintf("imported file %s does not exist", text[i:j+1])
	}
	d.Help = fmt.Sprintf("looked in %s; give the folder that holds it as an import path", strings.Join(roots, ", "))
}

func severity(l report.Level) diag.Severity {
	switch l {
	case report.ICE, report.Error:
		return diag.Error
	case report.Warning:
		return diag.Warning
	}
	return diag.Remark
}

// spanOf converts a span, columns in bytes.
func spanOf(s psource.Span, path string) contract.Span {
	if s.IsZero() {
		return contract.Span{Path: path}
	}
	n := len(s.File.Text()) // a span may lie just behind the end of a file
	from, to := s.Location(min(s.Start, n), length.Bytes), s.Location(min(s.End, n), length.Bytes)
	return contract.Span{File: s.Path(), Line: from.Line, Col: from.Column, EndLine: to.Line, EndCol: to.Column, Path: path}
}

// An annotation is a place that takes part in a finding.
type annotation struct {
	at      psource.Span
	message string
	edits   []edit
}

// An edit replaces a part of an annotation's text.
type edit struct {
	from, to int
	text     string
}

// suggestion says what the annotated text should become.
func (a *annotation) suggestion() string {
	text := a.at.Text()
	slices.SortStableFunc(a.edits, func(x, y edit) int { return cmp.Compare(y.from, x.from) })
	for _, e := range a.edits {
		if e.from > e.to || e.to > len(text) {
			return a.message
		}
		text = text[:e.from] + e.text + text[e.to:]
	}
	text = strings.TrimSpace(text)
	if text == "" || len(text) > 100 || strings.Contains(a.message, "`"+text+"`") {
		return a.message
	}
	return strings.TrimPrefix(a.message+": write `"+text+"`", ": ")
}

// annotations reads the places of every finding. The compiler keeps them private but
// serializes them, as buf.compiler.v1alpha1.Report, whose Go type is private, too; hence
// the field numbers below.
func annotations(rep *report.Report, o *opener) [][]annotation {
	raw, err := proto.Marshal(rep.ToProto())
	if err != nil {
		return make([][]annotation, len(rep.Diagnostics))
	}
	byPath := map[string]*psource.File{}
	for _, f := range o.files {
		byPath[f.Path()] = f
	}
	var files []*psource.File
	var found [][]annotation
	each(raw, func(n protowire.Number, _ uint64, b []byte) {
		switch n {
		case 1: // Report.files
			files = append(files, byPath[pathOf(b)])
		case 2: // Report.diagnostics
			found = append(found, nil)
			each(b, func(n protowire.Number, _ uint64, b []byte) {
				if n == 4 { // Diagnostic.annotations
					found[len(found)-1] = append(found[len(found)-1], annotationOf(b, files))
				}
			})
		}
	})
	return found
}

func pathOf(raw []byte) (p string) {
	each(raw, func(n protowire.Number, _ uint64, b []byte) {
		if n == 1 { // File.path
			p = string(b)
		}
	})
	return p
}

func annotationOf(raw []byte, files []*psource.File) (a annotation) {
	var file, from, to uint64
	each(raw, func(n protowire.Number, v uint64, b []byte) {
		switch n {
		case 1:
			a.message = string(b)
		case 3:
			file = v
		case 4:
			from = v
		case 5:
			to = v
		case 6:
			a.edits = append(a.edits, editOf(b))
		}
	})
	if file < uint64(len(files)) && files[file] != nil {
		a.at = files[file].Span(int(from), int(to))
	} else {
		a.edits, a.message = nil, ""
	}
	return a
}

func editOf(raw []byte) (e edit) {
	each(raw, func(n protowire.Number, v uint64, b []byte) {
		switch n {
		case 1:
			e.from = int(v)
		case 2:
			e.to = int(v)
		case 3:
			e.text = string(b)
		}
	})
	return e
}

// each calls f with every field of a message: v of a varint, b of a length-prefixed one.
func each(raw []byte, f func(n protowire.Number, v uint64, b []byte)) {
	for len(raw) > 0 {
		num, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return
		}
		raw = raw[n:]
		var v uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(raw)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(raw)
		default:
			n = protowire.ConsumeFieldValue(num, kind, raw)
		}
		if n < 0 {
			return
		}
		raw = raw[n:]
		f(num, v, b)
	}
}
