package protobuf

import (
	"bytes"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// What the compiler, which recurses over its input, is asked to survive. A stack overflow
// cannot be recovered from, so these are checked first. Real files stay far below:
// protoc itself stops at 32 nested messages.
const (
	maxNesting   = 100  // brackets of any kind
	maxStatement = 2000 // words and signs, strings apart, without , ; : or a bracket
	maxMinus     = 8    // signs before a number
)

// refuse reports a file that would exhaust the compiler.
func refuse(l *diag.List, file string, data []byte) bool {
	g := guard{data: data}
	code, message := g.scan()
	if code == "" {
		return false
	}
	line := 1 + bytes.Count(data[:g.at], []byte("\n"))
	col := g.at - bytes.LastIndexByte(data[:g.at], '\n')
	l.Errorf(code, contract.Span{File: file, Line: line, Col: col, EndLine: line, EndCol: col + 1}, "%s", message)
	return true
}

// guard runs over a file once, knowing no more of the language than comments, strings,
// words and brackets.
type guard struct {
	data              []byte
	at                int
	depth, run, minus int
}

func (g *guard) scan() (code, message string) {
	for ; g.at < len(g.data); g.at++ {
		switch c := g.data[g.at]; {
		case c == '/':
			g.comment()
		case c == '"' || c == '\'':
			g.quoted(c)
		default:
			g.count(c)
		}
		switch {
		case g.depth > maxNesting:
			return "too-deep", "brackets are nested more than 100 deep"
		case g.run > maxStatement || g.minus > maxMinus:
			return "statement-too-long", "a statement does not come to an end"
		}
	}
	return "", ""
}

func (g *guard) count(c byte) {
	switch c {
	case '(', '[', '{', '<':
		g.depth++
		g.run = 0
	case ')', ']', '}', '>':
		g.depth = max(0, g.depth-1)
		g.run = 0
	case ';', ',', ':':
		g.run = 0
	case '-':
		g.minus++
		g.run++
		return
	case ' ', '\t', '\r', '\n':
		return
	default:
		g.word(c)
	}
	g.minus = 0
}

// word counts the word that starts here once, or a sign that belongs to none.
func (g *guard) word(c byte) {
	g.run++
	for letter(c) && g.at+1 < len(g.data) && letter(g.data[g.at+1]) {
		g.at++
	}
}

func letter(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// comment moves to the last byte of a comment. One that is not closed ends the file.
func (g *guard) comment() {
	rest := g.data[g.at:]
	end, tail := "", 0
	switch {
	case bytes.HasPrefix(rest, []byte("//")):
		end = "\n"
	case bytes.HasPrefix(rest, []byte("/*")):
		end, tail = "*/", 1
	default:
		g.run++
		return
	}
	if n := bytes.Index(rest[2:], []byte(end)); n >= 0 {
		g.at += 2 + n + tail
	} else {
		g.at = len(g.data) - 1
	}
}

// quoted moves to the closing quote. A string ends with its line at the latest.
func (g *guard) quoted(quote byte) {
	for g.at+1 < len(g.data) {
		g.at++
		switch c := g.data[g.at]; {
		case c == quote || c == '\n':
			return
		case c == '\\' && g.at+1 < len(g.data) && g.data[g.at+1] != '\n':
			g.at++
		}
	}
}
