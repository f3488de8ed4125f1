package generator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/templates/golang"
)

// Policies are what the user says of calls: JSON that the runtime reads, and checked.
type Policies struct {
	Text       string // "": nothing
	Operations map[string]contract.Span
}

// A policySet is the part of the JSON that names operations; the rest is carried as it is.
type policySet map[string]json.RawMessage

// govern gives packages the policies: each what it says of all operations and of its own.
// names are the scopes of the packages.
func govern(pkgs []*golang.Package, names []*scope, o Options, diags *diag.List) {
	if o.Policies.Text == "" {
		return
	}
	var all []string
	for _, p := range pkgs {
		all = append(all, operationNames(p)...)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Policies.Operations)) {
		if slices.Contains(all, name) {
			continue
		}
		d := diags.Errorf("config-policy", o.Policies.Operations[name], "the contract has no operation %q", name)
		if d.Help = "there are " + strings.Join(short(all), ", "); diag.Nearest(name, all) != "" {
			d.Help = "did you mean " + diag.Nearest(name, all) + "?"
		}
	}
	for i, p := range pkgs {
		own := operationNames(p)
		if len(own) == 0 {
			continue
		}
		text, err := restrict(json.RawMessage(o.Policies.Text), own)
		if err != nil {
			diags.Errorf("config-policy", contract.Span{}, "policies cannot be read: %v", err)
			return
		}
		name := names[i].name("Policies", "Of")
		p.Policies = &golang.Policies{Name: name, Text: string(text), Doc: []string{
			name + " is what concordat.yaml says of calls, for concordat.WithPolicies: on a server, and on a",
			"connection.",
		}}
	}
}

// operationNames are what an operation may be called by: with its service, and without.
func operationNames(p *golang.Package) (names []string) {
	for _, u := range p.Units {
		for _, s := range u.Services {
			for _, m := range s.Methods {
				names = append(names, m.Op.Name, m.Op.Name[strings.LastIndexByte(m.Op.Name, '/')+1:])
			}
		}
	}
	return names
}

// short are the names without their services.
func short(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.Contains(n, "/") })
}

// restrict leaves out operations that are not own, of another package.
func restrict(text json.RawMessage, own []string) (json.RawMessage, error) {
	var set policySet
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	if ops, ok := set["operations"]; ok {
		var by map[string]json.RawMessage
		if err := json.Unmarshal(ops, &by); err != nil {
			return nil, err
		}
		maps.DeleteFunc(by, func(name string, _ json.RawMessage) bool { return !slices.Contains(own, name) })
		set["operations"], _ = json.Marshal(by) // of what was JSON
	}
	if profiles, ok := set["profiles"]; ok {
		var by map[string]json.RawMessage
		if err := json.Unmarshal(profiles, &by); err != nil {
			return nil, err
		}
		for name, inner := range by {
			part, err := restrict(inner, own)
			if err != nil {
				return nil, err
			}
			by[name] = part
		}
		set["profiles"], _ = json.Marshal(by)
	}
	return json.Marshal(set)
}
