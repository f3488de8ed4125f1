package config

import (
	"encoding/json"
	"maps"

	"gopkg.in/yaml.v3"

	"github.com/concordat-dev/concordat/contract"
	concordat "github.com/concordat-dev/concordat/runtime"
)

// Policies are what a file says of the calls of a contract: the JSON that the runtime
// reads. Text is "" where it says nothing.
type Policies struct {
	Text       string
	Span       contract.Span
	Operations map[string]contract.Span // those named, profiles included
}

// policies reads them, and lets the runtime check the values.
func (r *reader) policies(n *yaml.Node) Policies {
	p := Policies{Span: r.span(n), Operations: map[string]contract.Span{}}
	before := len(r.diags)
	value := r.policySet(n, "policies", &p, true)
	if value == nil || len(r.diags) > before {
		return p
	}
	text, err := json.Marshal(value)
	if err != nil {
		r.diags.Errorf("config-policy", p.Span, "policies cannot be read: %v", err)
		return p
	}
	if _, err := concordat.ParsePolicies(text); err != nil {
		r.diags.Errorf("config-policy", p.Span, "%s", concordat.ErrorOf(err).Message).Help = "durations are texts such as 250ms and 1.5s; see the schema of " + FileName
		return p
	}
	p.Text = string(text)
	return p
}

// policySet reads policies, or those of a profile.
func (r *reader) policySet(n *yaml.Node, what string, p *Policies, whole bool) map[string]any {
	out := map[string]any{}
	keys := r.policyKeys(out)
	each := func(key string, read func(name string, v *yaml.Node) any) func(*yaml.Node) {
		return func(v *yaml.Node) { out[key] = r.named(v, what+"."+key, read) }
	}
	keys["operations"] = each("operations", func(name string, v *yaml.Node) any {
		p.Operations[name] = r.span(v)
		one := map[string]any{}
		r.mapping(v, "operations."+name, r.policyKeys(one))
		return one
	})
	if whole {
		keys["profiles"] = each("profiles", func(name string, v *yaml.Node) any { return r.policySet(v, "profiles."+name, p, false) })
	}
	if r.mapping(n, what, keys) == nil {
		return nil
	}
	return out
}

// policyKeys read what holds for one operation, or all, into out.
func (r *reader) policyKeys(out map[string]any) map[string]func(*yaml.Node) {
	keys := map[string]func(*yaml.Node){}
	for _, key := range []string{"timeout", "retries", "max-in-flight", "priority"} {
		keys[key] = func(v *yaml.Node) { r.scalar(out, key, v) }
	}
	for key, members := range map[string][]string{
		"hedging": {"off", "quantile", "least"},
		"breaker": {"off", "rate", "samples", "window", "open", "trials"},
		"rate":    {"per-second", "burst"},
	} {
		keys[key] = func(v *yaml.Node) {
			inner, known := map[string]any{}, map[string]func(*yaml.Node){}
			for _, m := range members {
				known[m] = func(v *yaml.Node) { r.scalar(inner, m, v) }
			}
			r.mapping(v, key, known)
			out[key] = inner
		}
	}
	return maps.Clone(keys)
}

func (r *reader) scalar(out map[string]any, key string, v *yaml.Node) {
	var value any
	if v.Kind != yaml.ScalarNode || v.Decode(&value) != nil || value == nil {
		r.wrong(v, key, "a single value")
		return
	}
	out[key] = value
}

// named reads a mapping of names to what read makes of their values.
func (r *reader) named(n *yaml.Node, what string, read func(name string, v *yaml.Node) any) map[string]any {
	out := map[string]any{}
	if n.Kind != yaml.MappingNode {
		r.wrong(n, what, "a mapping")
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		out[n.Content[i].Value] = read(n.Content[i].Value, resolve(n.Content[i+1]))
	}
	return out
}
