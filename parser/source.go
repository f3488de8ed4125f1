package parser

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/concordat-dev/concordat/contract"
)

// A source reads files within bounds. It holds the files that were asked for, so that
// recognising a format does not read them twice.
type source struct {
	read func(string) ([]byte, error)
	max  int64
	held map[string][]byte
}

// A TooLargeError is the error of a file beyond a limit. Options.Read may return one
// instead of the content.
type TooLargeError struct{ Bytes, Max int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("it has %s, more than the %s that are read", size(e.Bytes), size(e.Max))
}

// entry reads a file that the user named, and holds it for its parser.
func (s *source) entry(name string) ([]byte, error) {
	data, err := s.readFile(name)
	if err == nil {
		s.held[name] = data
	}
	return data, err
}

// readFile is what the parsers are given to read with.
func (s *source) readFile(name string) ([]byte, error) {
	if data, ok := s.held[name]; ok {
		return data, nil
	}
	data, err := s.read(name)
	if err != nil {
		return nil, err
	}
	if n := int64(len(data)); n > s.max {
		return nil, &TooLargeError{n, s.max}
	}
	return data, nil
}

// binary finds the first byte that no text has: a control character, or what is not UTF-8.
func binary(data []byte) (at int, found bool) {
	for i := 0; i < len(data); {
		c := data[i]
		if c < utf8.RuneSelf {
			if c == 0x7f || c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' {
				return i, true
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i, true
		}
		i += n
	}
	return 0, false
}

// place turns an offset into a position.
func place(name string, data []byte, at int) contract.Span {
	line := 1 + bytes.Count(data[:at], []byte("\n"))
	col := at - bytes.LastIndexByte(data[:at], '\n')
	return contract.Span{File: name, Line: line, Col: col, EndLine: line, EndCol: col + 1}
}
