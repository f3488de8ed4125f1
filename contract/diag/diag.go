// Package diag says what is wrong with a contract, where, and what to do about it. It
// knows neither files nor terminals: callers give it the source text and a writer.
//
// It imports contract and the standard library.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// Severity is how much a finding matters.
type Severity uint8

// The severities, worst first.
const (
	Error   Severity = iota + 1 // the contract is at fault: something of it cannot be served as written
	Warning                     // code can be written, but probably not the code that was meant
	Remark                      // shown on request
)

// String returns "error", "warning" or "remark".
func (s Severity) String() string { return [...]string{"", "error", "warning", "remark"}[s] }

// A Diagnostic is one finding. Message starts in lower case, has no final stop, and says
// what the contract does, not what the reader did.
type Diagnostic struct {
	Severity Severity
	Code     string // "duplicate-operation": stable, listed in Codes, greppable
	Message  string
	Span     contract.Span // the smallest text that shows the fault
	Related  []Related     // at most two
	Help     string        // what to write instead; "" where the message says it
}

// Related points at another place that takes part in a finding.
type Related struct {
	Span    contract.Span
	Message string
}

// A List collects findings in the order of their discovery.
type List []*Diagnostic

// Errorf adds an error. The result may be given Related and Help.
func (l *List) Errorf(code string, at contract.Span, format string, args ...any) *Diagnostic {
	return l.add(Error, code, at, format, args)
}

// Warnf adds a warning. The result may be given Related and Help.
func (l *List) Warnf(code string, at contract.Span, format string, args ...any) *Diagnostic {
	return l.add(Warning, code, at, format, args)
}

func (l *List) add(s Severity, code string, at contract.Span, format string, args []any) *Diagnostic {
	d := &Diagnostic{Severity: s, Code: code, Span: at, Message: fmt.Sprintf(format, args...)}
	*l = append(*l, d)
	return d
}

// HasErrors says whether l holds an Error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d *Diagnostic) bool { return d.Severity == Error })
}

// Count returns how many findings of l have severity s.
func (l List) Count(s Severity) int {
	n := 0
	for _, d := range l {
		if d.Severity == s {
			n++
		}
	}
	return n
}

// Sorted returns a copy of l in source order, without repetitions.
func (l List) Sorted() List {
	l = slices.Clone(l)
	slices.SortStableFunc(l, func(a, b *Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Span.File, b.Span.File),
			cmp.Compare(a.Span.Line, b.Span.Line),
			cmp.Compare(a.Span.Col, b.Span.Col),
			strings.Compare(a.Code, b.Code),
			strings.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(l, func(a, b *Diagnostic) bool {
		return a.Span == b.Span && a.Code == b.Code && a.Message == b.Message
	})
}
