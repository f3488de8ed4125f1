// Package config reads concordat.yaml: which contracts there are and where their Go
// goes. Unknown keys are errors that name the key which was probably meant.
//
// It imports contract, contract/diag, runtime (for what policies may say) and yaml.v3; it reads no file by itself.
package config

import (
	"fmt"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// FileName is what the file is called where no other name is given.
const FileName = "concordat.yaml"

// A Config is the content of one file. Paths are as written, relative to the file.
type Config struct {
	Contracts []Contract
	Remote    *Remote // nil: other hosts are not asked
}

// A Contract is one entry of contracts.
type Contract struct {
	Spec    []string // files that form one contract; more than one only for Protobuf
	Out     string   // directory of the generated package; "" for one named after the package
	Package string   // Go package name; "" for one made from the contract's name
	Imports []string // directories in which Protobuf imports are looked up

	Overlays []string // files with OpenAPI Overlays, in the order in which they are applied
	Split    string   // "packages" for a package for each tag of an OpenAPI document; "" for one

	// Formats and Types are Go types that stand for formats of JSON Schema and for named
	// schemas: "uuid" may be "github.com/google/uuid.UUID".
	Formats, Types map[string]string

	Policies Policies

	Span contract.Span // of Spec
}

// Parse reads src, which file names in diagnostics. The Config holds what could be
// understood.
func Parse(file string, src []byte) (*Config, diag.List) {
	r := &reader{file: file}
	c := &Config{}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		r.syntax(err)
		return c, r.diags
	}
	if len(doc.Content) == 0 {
		r.diags.Errorf("config-empty", contract.Span{File: file, Line: 1, Col: 1}, "the file is empty").
			Help = "begin with `version: v1` and a list of `contracts`"
		return c, r.diags
	}
	r.root(doc.Content[0], c)
	return c, r.diags
}

// PackageHelp says what IsPackageName wants.
const PackageHelp = "use lower-case letters and digits; no keyword of Go, and not main, which nobody can import"

// IsPackageName says whether Go code can be generated into a package of this name.
func IsPackageName(name string) bool {
	return token.IsIdentifier(name) && name != "main" && name != "_"
}

type reader struct {
	file  string
	diags diag.List
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

func (r *reader) syntax(err error) {
	span, text := contract.Span{File: r.file, Line: 1, Col: 1}, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		span.Line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	r.diags.Errorf("config-syntax", span, "not valid YAML: %s", text)
}

func (r *reader) root(n *yaml.Node, c *Config) {
	seen := r.mapping(n, "the file", map[string]func(*yaml.Node){
		"version": r.version,
		"remote":  func(v *yaml.Node) { c.Remote = r.remote(v) },
		"contracts": func(v *yaml.Node) {
			entries, ok := r.list(v, "contracts")
			if ok && len(entries) == 0 {
				r.diags.Errorf("config-empty", r.span(v), "no contract is listed").Help = "add `- spec: path/to/contract.yaml`"
			}
			for _, e := range entries {
				c.Contracts = append(c.Contracts, r.contract(e))
			}
		},
	})
	if seen == nil {
		return
	}
	if !seen["version"] {
		r.diags.Errorf("config-version", r.span(n), "version is missing").Help = "begin the file with `version: v1`"
	}
	if !seen["contracts"] {
		r.diags.Errorf("config-empty", r.span(n), "no contract is listed").Help = "add a list of `contracts`, each with its `spec`"
	}
}

func (r *reader) version(v *yaml.Node) {
	if v.Value != "v1" {
		r.diags.Errorf("config-version", r.span(v), "version %q is not known", v.Value).Help = "this concordat reads `version: v1`"
	}
}

func (r *reader) contract(n *yaml.Node) Contract {
	c := Contract{Span: r.span(n)}
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		r.diags.Errorf("config-type", r.span(n), "an entry of contracts must be a mapping, not a single value").Help = fmt.Sprintf("write `- spec: %s`", n.Value)
		return c
	}
	seen := r.mapping(n, "an entry of contracts", map[string]func(*yaml.Node){
		"spec":    func(v *yaml.Node) { c.Spec, c.Span = r.texts(v, "spec"), r.span(v) },
		"out":     func(v *yaml.Node) { c.Out = r.text(v, "out") },
		"package": func(v *yaml.Node) { c.Package = r.packageName(v) },
		"imports": func(v *yaml.Node) { c.Imports = r.texts(v, "imports") },
		"split":   func(v *yaml.Node) { c.Split = r.split(v) },
		"formats": func(v *yaml.Node) { c.Formats = r.goTypes(v, "formats") },
		"types":   func(v *yaml.Node) { c.Types = r.goTypes(v, "types") },

		"policies": func(v *yaml.Node) { c.Policies = r.policies(v) },

		"overlays": func(v *yaml.Node) { c.Overlays = r.texts(v, "overlays") },
	})
	if seen != nil && !seen["spec"] {
		r.diags.Errorf("config-spec", c.Span, "the entry names no spec").Help = "add `spec: path/to/contract.yaml`"
	}
	return c
}

// SplitHelp says what IsSplit wants.
const SplitHelp = "write `packages` for a package for each tag; leave it out for one package"

// IsSplit says whether generated code can be divided in this way.
func IsSplit(how string) bool { return how == "" || how == "packages" }

func (r *reader) split(n *yaml.Node) string {
	how := r.text(n, "split")
	if !IsSplit(how) {
		r.diags.Errorf("config-split", r.span(n), "nothing is split by %q", how).Help = SplitHelp
		return ""
	}
	return how
}

func (r *reader) packageName(n *yaml.Node) string {
	name := r.text(n, "package")
	if name != "" && !IsPackageName(name) {
		r.diags.Errorf("config-package", r.span(n), "%q is no name of a Go package", name).Help = PackageHelp
	}
	return name
}

// mapping hands each value of n to the reader of its key. It returns the keys that were
// there, or were meant to be; nil where n, which is called what, is no mapping.
func (r *reader) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node)) map[string]bool {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		r.wrong(n, what, "a mapping")
		return nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], resolve(n.Content[i+1])
		read, known := keys[k.Value]
		switch {
		case !known:
			seen[r.unknown(k, keys)] = true
		case seen[k.Value]:
			r.diags.Errorf("config-duplicate", r.span(k), "%s is given twice", k.Value)
		default:
			read(v)
		}
		seen[k.Value] = true
	}
	return seen
}

// unknown reports a key that nothing reads, and returns the one that was probably meant.
func (r *reader) unknown(k *yaml.Node, keys map[string]func(*yaml.Node)) string {
	names := slices.Sorted(maps.Keys(keys))
	near := diag.Nearest(k.Value, names)
	d := r.diags.Errorf("config-unknown-key", r.span(k), "unknown key %q", k.Value)
	if d.Help = "known keys are " + strings.Join(names, ", "); near != "" {
		d.Help = fmt.Sprintf("did you mean %q?", near)
	}
	return near
}

func (r *reader) list(n *yaml.Node, what string) ([]*yaml.Node, bool) {
	if n.Kind != yaml.SequenceNode {
		r.wrong(n, what, "a list")
		return nil, false
	}
	return n.Content, true
}

func (r *reader) text(n *yaml.Node, what string) string {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" {
		r.wrong(n, what, "text")
		return ""
	}
	return n.Value
}

// texts reads one text or a list of them, which is not empty.
func (r *reader) texts(n *yaml.Node, what string) []string {
	entries := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		entries = n.Content
	}
	if len(entries) == 0 {
		r.diags.Errorf("config-type", r.span(n), "%s is an empty list", what)
	}
	var out []string
	for _, e := range entries {
		if s := r.text(e, what); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (r *reader) wrong(n *yaml.Node, what, want string) {
	got := map[yaml.Kind]string{yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value"}[n.Kind]
	if n.Kind == yaml.ScalarNode && n.Value == "" {
		got = "empty"
	}
	r.diags.Errorf("config-type", r.span(n), "%s must be %s, not %s", what, want, got)
}

func (r *reader) span(n *yaml.Node) contract.Span {
	return contract.Span{File: r.file, Line: n.Line, Col: n.Column, EndLine: n.Line, EndCol: n.Column + max(1, len(n.Value))}
}

func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}
