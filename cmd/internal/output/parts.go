package output

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A contract that is split into packages marks what belongs to one tag: its files are
// generated from "api.yaml#tag". That tells them from what another run put below the same
// directory.

// contractOf is a source without the mark of a part.
func contractOf(source string) string {
	name, _, _ := strings.Cut(source, "#")
	return name
}

// staleParts finds the files of parts of the same contracts that are not meant to be there
// any more, in the directories below dir and the fakes below those.
func staleParts(dir string, mine, meant map[string]bool, searched []string) ([]Change, error) {
	var out []Change
	known := map[string]bool{".": true}
	for _, s := range searched {
		known[s] = true
	}
	contracts := map[string]bool{}
	for source := range mine {
		contracts[contractOf(source)] = true
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				return nil
			}
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		switch {
		case e.IsDir() && (strings.Count(name, "/") > 1 || name != "." && strings.HasPrefix(e.Name(), ".")):
			return fs.SkipDir
		case e.Type().IsRegular() && ours(name) && !meant[name] && !known[filepath.ToSlash(filepath.Dir(name))] && part(path, contracts):
			out = append(out, Change{name, Removed})
		}
		return nil
	})
	return out, err
}

// part says whether a file was generated as a part of one of contracts.
func part(path string, contracts map[string]bool) bool {
	src, err := os.ReadFile(path)
	if err != nil || !generated(src) {
		return false
	}
	from := source(src)
	return strings.Contains(from, "#") && contracts[contractOf(from)]
}
