package block

import "strings"

// paragraph is lines as comments, one each, without blank ones at either end.
func paragraph(lines []string) []string {
	text := strings.Trim(strings.ReplaceAll(strings.Join(lines, "\n"), "\r", ""), "\n")
	if strings.TrimSpace(text) == "" {
		return nil
	}
	out := strings.Split(text, "\n")
	for i, l := range out {
		out[i] = slashes(l)
	}
	return out
}

// slashes is one line of text as a comment. Descriptions are other people's text: what
// the compiler would refuse or take for a directive is defused, and so are the characters
// that make an editor show code in another order than it is compiled.
func slashes(text string) string {
	text = strings.TrimRight(strings.Map(printable, text), " \t")
	switch trimmed := strings.TrimSpace(text); {
	case text == "":
		return "//"
	case strings.HasPrefix(trimmed, "+build"):
		return "// \\" + trimmed
	case strings.HasPrefix(text, "\t"):
		return "//" + text
	}
	return "// " + text
}

func printable(r rune) rune {
	switch {
	case r == '\t':
		return r
	case r < ' ', r == 0x7f, r == 0xfeff, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return -1
	}
	return r // U+FFFD for what is not UTF-8
}
