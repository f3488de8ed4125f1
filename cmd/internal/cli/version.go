package cli

import (
	"regexp"
	"runtime/debug"
)

// Version is the release of concordat that is running, or "devel" for one built from a
// working copy: the header of generated files must not change with every commit.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return devel
	}
	return version(info)
}

const devel = "devel"

// A working copy is stamped with a pseudo-version of its commit, and with +dirty.
var pseudo = regexp.MustCompile(`\d{14}-[0-9a-f]{12}|\+dirty|\(devel\)`)

// version finds concordat among the modules of a program: it is the main one, or what
// `go tool concordat` built as a dependency. What replaces a module has no version.
func version(info *debug.BuildInfo) string {
	for _, d := range info.Deps {
		if d.Path == module {
			if d.Replace != nil || d.Version == "" {
				return devel
			}
			return d.Version
		}
	}
	if v := info.Main.Version; v != "" && info.Main.Replace == nil && !pseudo.MatchString(v) {
		return v
	}
	return devel
}
