package cli

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	dep := func(d debug.Module) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: "example.com/shop", Version: "v9.0.0"}, Deps: []*debug.Module{&d}}
	}
	main := func(v string) *debug.BuildInfo { return &debug.BuildInfo{Main: debug.Module{Path: module, Version: v}} }
	for _, c := range []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"go install", main("v0.3.1"), "v0.3.1"},
		{"go run in the working copy", main("(devel)"), devel},
		{"stamped build", main("v0.3.2-0.20261123000936-0123456789ab+dirty"), devel},
		{"no version", main(""), devel},
		{"go run, replaced", &debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.0.0", Replace: &debug.Module{Path: "../concordat"}}}, devel},
		{"go tool", dep(debug.Module{Path: module, Version: "v0.3.1"}), "v0.3.1"},
		{"go tool, replaced", dep(debug.Module{Path: module, Version: "v0.3.1", Replace: &debug.Module{Path: "../concordat"}}), devel},
		{"go tool, of a commit", dep(debug.Module{Path: module, Version: "v0.3.2-0.20261123000936-0123456789ab"}), "v0.3.2-0.20261123000936-0123456789ab"},
	} {
		if got := version(c.info); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
