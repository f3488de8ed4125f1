package stub

import (
	"slices"
	"strings"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// A Variable is a part of a server's URL.
type Variable struct {
	Name, Value string // Value "": the default
	Default     string
	Enum        []string // what Value may be; empty: anything that keeps its place in the URL
}

// ServerURL fills the variables of a server's URL (OpenAPI 3.1, 4.8.5).
func ServerURL(template string, vars ...Variable) (string, error) {
	for _, v := range vars {
		value := v.Value
		if value == "" {
			value = v.Default
		}
		switch {
		case len(v.Enum) > 0 && !slices.Contains(v.Enum, value):
			return "", concordat.Errorf(concordat.InvalidArgument, "the server's %s is %q; it may be %s", v.Name, clip(value), strings.Join(v.Enum, ", "))
		case len(v.Enum) == 0 && strings.ContainsAny(value, "?#@\\ \t\r\n") || value == "" && v.Default == "" && len(v.Enum) == 0:
			return "", concordat.Errorf(concordat.InvalidArgument, "the server's %s cannot be %q", v.Name, clip(value))
		}
		template = strings.ReplaceAll(template, "{"+v.Name+"}", value)
	}
	return template, nil
}
