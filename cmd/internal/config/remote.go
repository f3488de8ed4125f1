package config

import (
	"strconv"
	"time"

	"gopkg.in/yaml.v3"
)

// A Remote says which documents on other hosts contracts may refer to. Zero values stand
// for the defaults of package parser/remote.
type Remote struct {
	Hosts    []string // that may be asked; "*" is every public one
	Offline  bool     // only the cache is asked
	Cache    string   // directory; "" for one among the user's caches
	MaxBytes int64    // of one document
	Timeout  time.Duration
	MaxAge   time.Duration // how long the cache is used without asking again
}

func (r *reader) remote(n *yaml.Node) *Remote {
	c := &Remote{}
	seen := r.mapping(n, "remote", map[string]func(*yaml.Node){
		"hosts":     func(v *yaml.Node) { c.Hosts = r.texts(v, "hosts") },
		"offline":   func(v *yaml.Node) { c.Offline = r.flag(v, "offline") },
		"cache":     func(v *yaml.Node) { c.Cache = r.text(v, "cache") },
		"max-bytes": func(v *yaml.Node) { c.MaxBytes = r.positive(v, "max-bytes") },
		"timeout":   func(v *yaml.Node) { c.Timeout = r.duration(v, "timeout") },
		"max-age":   func(v *yaml.Node) { c.MaxAge = r.duration(v, "max-age") },
	})
	if seen != nil && !seen["hosts"] && !c.Offline {
		r.diags.Errorf("config-type", r.span(n), "remote names no hosts").Help = "add `hosts: [example.com]`, or `hosts: \"*\"` for every public one"
	}
	return c
}

func (r *reader) flag(n *yaml.Node, what string) bool {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
		r.wrong(n, what, "true or false")
	}
	return n.Value == "true"
}

func (r *reader) positive(n *yaml.Node, what string) int64 {
	v, err := strconv.ParseInt(resolve(n).Value, 10, 64)
	if err != nil || v <= 0 {
		r.wrong(n, what, "a number above 0")
		return 0
	}
	return v
}

func (r *reader) duration(n *yaml.Node, what string) time.Duration {
	d, err := time.ParseDuration(resolve(n).Value)
	if err != nil || d <= 0 {
		r.wrong(n, what, "a duration such as 10s or 24h")
		return 0
	}
	return d
}
