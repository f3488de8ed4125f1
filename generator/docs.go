package generator

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/concordat-dev/concordat/contract"
)

// width is how long the text of a comment's line may become.
const width = 88

// typeDoc is the comment of a type or constant.
func typeDoc(name string, d contract.Doc) []string {
	return comment(d, func(s string) string { return named(name, s, false) })
}

// fieldDoc is the comment above a field.
func fieldDoc(d contract.Doc) []string {
	return comment(d, func(s string) string { return s })
}

// methodDoc is the comment of a method: its prose, then block, lines that are shown as
// they are.
func methodDoc(name string, d contract.Doc, fallback string, block []string) []string {
	if d.Summary == "" && d.Detail == "" {
		d.Summary = fallback
	}
	dep := d.Deprecated
	d.Deprecated = ""
	out := comment(d, func(s string) string { return named(name, s, true) })
	if len(block) > 0 && len(out) > 0 {
		out = append(out, "")
	}
	for _, b := range block {
		out = append(out, "\t"+oneLine(b))
	}
	return deprecated(out, dep)
}

// comment is the summary as begin words it, the detail, and the deprecation.
func comment(d contract.Doc, begin func(string) string) []string {
	summary, detail := strings.TrimSpace(d.Summary), strings.TrimSpace(d.Detail)
	if summary == "" {
		summary, detail = firstParagraph(detail)
	}
	if strings.HasPrefix(detail, summary) && summary != "" {
		detail = strings.TrimLeft(detail[len(summary):], " .\n\r\t")
	}
	var out []string
	if summary != "" {
		out = paragraphs(begin(sentence(summary)))
	}
	if detail != "" {
		out = append(append(out, ""), paragraphs(detail)...)
	}
	return deprecated(out, d.Deprecated)
}

func deprecated(out []string, reason string) []string {
	if reason == "" {
		return out
	}
	if reason == "deprecated" {
		reason = "the contract marks it so."
	}
	if len(out) > 0 {
		out = append(out, "")
	}
	return append(out, wrap("Deprecated: "+oneLine(reason), "")...)
}

func firstParagraph(text string) (first, rest string) {
	first, rest, _ = strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
	return strings.TrimSpace(first), strings.TrimSpace(rest)
}

// sentence ends text with a stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if r, _ := utf8.DecodeLastRuneInString(text); unicode.IsLetter(r) || unicode.IsDigit(r) || r == ')' || r == '`' {
		return text + "."
	}
	return text
}

// named words a summary so that it starts with the name that it documents, as Go's
// documentation does: "Returns a pet." of GetPet gives "GetPet returns a pet.".
func named(name, text string, method bool) string {
	first, rest := text, ""
	if i := strings.IndexFunc(text, unicode.IsSpace); i > 0 {
		first, rest = text[:i], strings.TrimSpace(text[i:])
	}
	lower := strings.ToLower(first)
	if first == name {
		return text
	}
	if isMarkup(text) {
		return name + ":\n\n" + text
	}
	switch {
	case method && verbs[lower] && rest != "":
		return name + " " + third(lower) + " " + rest
	case method && strings.HasSuffix(lower, "s") && verbs[infinitive(lower)]:
		return name + " " + lower + " " + rest
	case !method && (lower == "a" || lower == "an" || lower == "the"):
		return name + " is " + lower + " " + rest
	}
	return name + ": " + text
}

func isMarkup(text string) bool { return strings.ContainsAny(text[:1], "#|>-*+`<") }

// third is the third person of a verb: get gives gets, fetch fetches, try tries.
func third(v string) string {
	switch {
	case strings.HasSuffix(v, "y") && len(v) > 1 && !strings.ContainsAny(v[len(v)-2:len(v)-1], "aeiou"):
		return v[:len(v)-1] + "ies"
	case strings.HasSuffix(v, "ch"), strings.HasSuffix(v, "sh"), strings.HasSuffix(v, "ss"), strings.HasSuffix(v, "x"):
		return v + "es"
	}
	return v + "s"
}

func infinitive(v string) string {
	for _, cut := range [...][2]string{{"ies", "y"}, {"ches", "ch"}, {"shes", "sh"}, {"sses", "ss"}, {"xes", "x"}, {"s", ""}} {
		if stem, ok := strings.CutSuffix(v, cut[0]); ok {
			return stem + cut[1]
		}
	}
	return v
}

// verbs begin the summaries of operations.
var verbs = set("accept activate add approve archive assign attach authenticate authorize block book build buy calculate call cancel " +
	"change check clear close complete compute confirm convert copy count create deactivate decline delete deliver describe detach " +
	"disable dismiss download edit enable execute export fetch fill filter find finish follow forget forward generate get give grant " +
	"handle import inform initiate insert invite join leave list load lock log look make mark merge modify move notify open patch " +
	"pause pay perform pin place play post prepare process provide publish pull push put query re-run read receive record refresh " +
	"register reject release remove rename reopen replace report request require reserve reset resolve restore resume retrieve return " +
	"review revoke rotate run save schedule search select send serve set share show sign sort start stop store stream submit subscribe " +
	"suspend switch sync take test toggle transfer trigger turn unblock unfollow uninstall unlock unpin unstar unsubscribe update upgrade " +
	"upload use validate verify view wait watch write")

// paragraphs wraps text, and keeps the lines of lists, tables and code apart.
func paragraphs(text string) []string {
	text = markup.Replace(text)
	var out, para []string
	flush := func() {
		if len(para) > 0 {
			out = append(out, wrap(strings.Join(para, " "), "")...)
			para = nil
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "":
			flush()
			if len(out) > 0 && out[len(out)-1] != "" {
				out = append(out, "")
			}
		case isItem(trimmed):
			flush()
			out = append(out, wrap(trimmed, "  ")...)
		default:
			para = append(para, trimmed)
		}
	}
	flush()
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

var markup = strings.NewReplacer("\r\n", "\n", "\r", "\n", "<br>", "\n", "<br/>", "\n", "<br />", "\n", "<p>", "\n\n", "</p>", "\n\n",
	"\u2028", "\n", "\u2029", "\n", "\x00", "", "\ufeff", "")

func isItem(line string) bool {
	for _, mark := range [...]string{"- ", "* ", "+ ", "|", "#", "```", ">"} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	digits := strings.TrimLeft(line, "0123456789")
	return len(digits) < len(line) && strings.HasPrefix(digits, ". ")
}

// wrap breaks text into lines of at most width, where it can; all but the first begin
// with indent.
func wrap(text, indent string) []string {
	var out []string
	line := ""
	for w := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = w
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > width:
			out = append(out, line)
			line = indent + w
		default:
			line += " " + w
		}
	}
	return append(out, line)
}

// oneLine is text without line breaks and repeated spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
