package plugin_test

import (
	"runtime/debug"
	"testing"

	"github.com/concordat-dev/concordat/cmd/internal/plugin"
)

func TestVersion(t *testing.T) {
	const module = "example.com/concordat"
	main := func(v string) *debug.BuildInfo { return &debug.BuildInfo{Main: debug.Module{Path: module, Version: v}} }
	tool := func(d debug.Module) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: "example.com/shop", Version: "v9.0.0"}, Deps: []*debug.Module{{Path: "example.com/x", Version: "v8.0.0"}, &d}}
	}
	for name, tc := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"no stamp":     {nil, "devel"},
		"installed":    {main("v1.2.3"), "v1.2.3"},
		"go build":     {main("(devel)"), "devel"},
		"unstamped":    {main(""), "devel"},
		"working copy": {main("v0.0.0-20261123010203-0123456789ab"), "devel"},
		"changed":      {main("v1.2.3+dirty"), "devel"},
		"go tool":      {tool(debug.Module{Path: module, Version: "v0.3.1"}), "v0.3.1"},
		"replaced":     {tool(debug.Module{Path: module, Version: "v0.3.1", Replace: &debug.Module{Path: "../concordat"}}), "devel"},
	} {
		if got := plugin.Version(tc.info, module); got != tc.want {
			t.Errorf("%s: %s, not %s", name, got, tc.want)
		}
	}
}
