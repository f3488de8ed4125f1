package codec

import (
	"strconv"
	"strings"
)

// Code names a kind of fault. Its text is stable: programs compare it.
type Code string

// The faults. The first group means that the text could not be understood; reading
// stops there. The second group is what contracts forbid; all are collected.
const (
	CodeSyntax    Code = "syntax"    // not JSON (RFC 8259), or not the form that a parameter's style has
	CodeUTF8      Code = "utf8"      // not UTF-8, or a lone surrogate
	CodeType      Code = "type"      // another type than the contract's; also text that is no date, UUID, ...
	CodeDepth     Code = "depth"     // nested too deep
	CodeLimit     Code = "limit"     // too costly to tell which variant of a union is meant
	CodeDuplicate Code = "duplicate" // a property twice

	CodeRequired  Code = "required"
	CodeUnknown   Code = "unknown" // a property of a closed object
	CodeEnum      Code = "enum"
	CodeConst     Code = "const"
	CodeMinLength Code = "min_length"
	CodeMaxLength Code = "max_length"
	CodeMinItems  Code = "min_items"
	CodeMaxItems  Code = "max_items"
	CodeMinimum   Code = "minimum"
	CodeMaximum   Code = "maximum"
	CodeMultiple  Code = "multiple_of"
	CodePattern   Code = "pattern"
	CodeFormat    Code = "format"
	CodeUnique    Code = "unique"
	CodeUnion     Code = "union" // no variant fits
	CodeNot       Code = "not"   // what the contract rules out
	CodeRange     Code = "range" // a number that the Go type or JSON cannot hold
)

// A Violation says what is wrong at one place. It never holds the value, which may be
// secret.
type Violation struct {
	Pointer string `json:"pointer"` // RFC 6901; for parameters "/query/limit", by place and name
	Code    Code   `json:"code"`
	Message string `json:"message"`          // "must be at least 3 characters long"
	Offset  int    `json:"offset,omitempty"` // in bytes; 0 for parameters
}

// MaxViolations is how many violations an Error collects before reading stops.
const MaxViolations = 32

// An Error is why a value was refused: its one malformed place, or all violations.
type Error struct {
	Violations []Violation
	Malformed  bool // the text could not be understood: syntax, type, depth, duplicates
}

// Error names the first violations.
func (e *Error) Error() string {
	var sb strings.Builder
	for i, v := range e.Violations {
		if i == 3 {
			sb.WriteString("; and " + strconv.Itoa(len(e.Violations)-i) + " more")
			break
		}
		if i > 0 {
			sb.WriteString("; ")
		}
		if v.Pointer != "" {
			sb.WriteString(v.Pointer + ": ")
		}
		sb.WriteString(v.Message)
	}
	return sb.String()
}

// Add appends v, unless MaxViolations are there already.
func (e *Error) Add(v Violation) {
	if len(e.Violations) < MaxViolations {
		e.Violations = append(e.Violations, v)
	}
}

// Err returns e, or nil where nothing is wrong.
func (e *Error) Err() error {
	if e == nil || len(e.Violations) == 0 {
		return nil
	}
	return e
}
