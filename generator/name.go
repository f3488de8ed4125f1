package generator

import (
	"regexp"
	"strings"

	"github.com/concordat-dev/concordat/contract"
)

// PackageName is the name of the Go package that c gives where Options.Package names
// none, and of the folder that it goes to.
func PackageName(c *contract.Contract) string {
	if c.Format != contract.Protobuf {
		return packageName(c.Name)
	}
	parts := strings.Split(c.Name, ".")
	last := parts[len(parts)-1]
	if len(parts) > 1 && protoVersion.MatchString(last) {
		last = parts[len(parts)-2] + last
	}
	return packageName(last)
}

// protoVersion is the usual last component of a Protobuf package.
var protoVersion = regexp.MustCompile(`^v\d+((alpha|beta)\d*)?$`)
