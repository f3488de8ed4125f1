package plugin

import (
	"regexp"
	"runtime/debug"
)

// pseudo fits what stamps a working copy rather than a release.
var pseudo = regexp.MustCompile(`\d{14}-[0-9a-f]{12}|\+dirty|\(devel\)`)

// Version is the release of the plugin for the header of generated files, as the concordat
// command writes it: "devel" when built from a working copy, so that the header does not
// change with every commit. module is the path of this module, which is a dependency
// where `go tool` built the plugin.
func Version(info *debug.BuildInfo, module string) string {
	if info == nil {
		return "devel"
	}
	v := info.Main.Version
	for _, d := range info.Deps {
		if d.Path == module {
			if v = d.Version; d.Replace != nil {
				v = ""
			}
		}
	}
	if v == "" || pseudo.MatchString(v) {
		return "devel"
	}
	return v
}
