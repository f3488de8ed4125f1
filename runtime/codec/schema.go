package codec

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// A Schema is what a contract says of a value that no table can say: not, if and then,
// dependencies, contains, names of properties, values of several types. Text is JSON
// Schema 2020-12 that refers to nothing but its own $defs. It is read when first needed;
// where it cannot be read it forbids nothing, and Check reports it.
type Schema struct {
	Text string

	once sync.Once
	root *schema
	err  error
}

// An Assertion is checked of the JSON text of a value, after the value was read. It is an
// interface so that programs whose contracts need none link none.
type Assertion interface {
	// Assert calls report with everything that is wrong with text, which is valid JSON,
	// until it returns false. The pointer is relative to text.
	Assert(text string, report func(pointer string, c Code, message string) bool)
	// Err says why the assertion can check nothing; nil where it can.
	Err() error
}

// Assert implements Assertion.
func (s *Schema) Assert(text string, report func(pointer string, c Code, message string) bool) {
	s.once.Do(s.read)
	if s.err != nil {
		return
	}
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return
	}
	a := asserter{root: s.root, work: 1<<14 + 64*len(text), report: report}
	a.holds(s.root, v, nil)
	if a.work < 0 && !a.stopped {
		report("", CodeLimit, "is too costly to check")
	}
}

// Err implements Assertion.
func (s *Schema) Err() error {
	s.once.Do(s.read)
	return s.err
}

func (s *Schema) read() {
	s.root = new(schema)
	if s.err = json.Unmarshal([]byte(s.Text), s.root); s.err == nil {
		s.err = s.root.finish(s.root)
	}
}

// A schema is one JSON Schema, ready to be asked.
type schema struct {
	never bool // the schema false

	Ref   string             `json:"$ref"`
	Defs  map[string]*schema `json:"$defs"`
	Type  words              `json:"type"`
	Enum  []json.RawMessage  `json:"enum"`
	Const json.RawMessage    `json:"const"`

	Minimum          json.Number `json:"minimum"`
	Maximum          json.Number `json:"maximum"`
	ExclusiveMinimum json.Number `json:"exclusiveMinimum"`
	ExclusiveMaximum json.Number `json:"exclusiveMaximum"`
	MultipleOf       json.Number `json:"multipleOf"`

	MinLength *int   `json:"minLength"`
	MaxLength *int   `json:"maxLength"`
	Pattern   string `json:"pattern"`

	PrefixItems      []*schema `json:"prefixItems"`
	Items            *schema   `json:"items"`
	Contains         *schema   `json:"contains"`
	MinContains      *int      `json:"minContains"`
	MaxContains      *int      `json:"maxContains"`
	MinItems         *int      `json:"minItems"`
	MaxItems         *int      `json:"maxItems"`
	UniqueItems      bool      `json:"uniqueItems"`
	UnevaluatedItems *schema   `json:"unevaluatedItems"`

	Properties            map[string]*schema  `json:"properties"`
	PatternProperties     map[string]*schema  `json:"patternProperties"`
	AdditionalProperties  *schema             `json:"additionalProperties"`
	PropertyNames         *schema             `json:"propertyNames"`
	Required              []string            `json:"required"`
	MinProperties         *int                `json:"minProperties"`
	MaxProperties         *int                `json:"maxProperties"`
	DependentRequired     map[string][]string `json:"dependentRequired"`
	DependentSchemas      map[string]*schema  `json:"dependentSchemas"`
	UnevaluatedProperties *schema             `json:"unevaluatedProperties"`

	AllOf []*schema `json:"allOf"`
	AnyOf []*schema `json:"anyOf"`
	OneOf []*schema `json:"oneOf"`
	Not   *schema   `json:"not"`
	If    *schema   `json:"if"`
	Then  *schema   `json:"then"`
	Else  *schema   `json:"else"`

	target   *schema // of Ref
	pattern  *regexp.Regexp
	patterns []patterned
	values   []string // Enum, canonical
	constant string   // Const, canonical
	limits   []numberLimit
}

type patterned struct {
	re *regexp.Regexp
	of *schema
}

// A numberLimit is one bound of numbers; ok says whether the order of a number and the
// bound is allowed.
type numberLimit struct {
	bound *big.Rat
	ok    func(order int) bool
	code  Code
	say   string
}

// words is one word or a list of them.
type words []string

// UnmarshalJSON reads "string" and ["string", "null"].
func (w *words) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		*w = words{""}
		return json.Unmarshal(b, &(*w)[0])
	}
	return json.Unmarshal(b, (*[]string)(w))
}

// UnmarshalJSON reads an object, true or false.
func (s *schema) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true":
		return nil
	case "false":
		s.never = true
		return nil
	}
	type plain schema
	return json.Unmarshal(b, (*plain)(s))
}

// finish prepares s and all schemas inside it.
func (s *schema) finish(root *schema) (err error) {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		s.target = root.Defs[name]
	}
	if s.Pattern != "" {
		if s.pattern, err = regexp.Compile(s.Pattern); err != nil {
			return err
		}
	}
	for text, of := range s.PatternProperties {
		re, err := regexp.Compile(text)
		if err != nil {
			return err
		}
		s.patterns = append(s.patterns, patterned{re, of})
	}
	for _, v := range s.Enum {
		s.values = append(s.values, valueText(v))
	}
	if s.Const != nil {
		s.constant = valueText(s.Const)
	}
	s.limit(s.Minimum, "at least ", CodeMinimum, func(o int) bool { return o >= 0 })
	s.limit(s.Maximum, "at most ", CodeMaximum, func(o int) bool { return o <= 0 })
	s.limit(s.ExclusiveMinimum, "greater than ", CodeMinimum, func(o int) bool { return o > 0 })
	s.limit(s.ExclusiveMaximum, "less than ", CodeMaximum, func(o int) bool { return o < 0 })
	for _, inner := range s.inner() {
		if err := inner.finish(root); err != nil {
			return err
		}
	}
	return nil
}

func (s *schema) limit(n json.Number, say string, c Code, ok func(order int) bool) {
	if bound := rational(n); bound != nil {
		s.limits = append(s.limits, numberLimit{bound, ok, c, "must be " + say + n.String()})
	}
}

// inner returns the schemas that s holds.
func (s *schema) inner() (all []*schema) {
	for _, list := range [][]*schema{s.PrefixItems, s.AllOf, s.AnyOf, s.OneOf,
		{s.Items, s.Contains, s.UnevaluatedItems, s.AdditionalProperties, s.PropertyNames, s.UnevaluatedProperties, s.Not, s.If, s.Then, s.Else}} {
		for _, one := range list {
			if one != nil {
				all = append(all, one)
			}
		}
	}
	for _, m := range []map[string]*schema{s.Defs, s.Properties, s.PatternProperties, s.DependentSchemas} {
		for _, one := range m {
			all = append(all, one)
		}
	}
	return all
}

// rational is the exact value of a number; nil where there is none, or where it would
// need more memory than its text deserves.
func rational(n json.Number) *big.Rat {
	s := n.String()
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > 400 || e < -400 {
			return nil
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || len(s) > 1000 {
		return nil
	}
	return r
}

// valueText is the one text that stands for all texts of the same value.
func valueText(b json.RawMessage) string {
	var v any
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return string(b)
	}
	return string(appendCanonical(nil, v))
}
