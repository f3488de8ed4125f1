package messages

import (
	"fmt"
	"path"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Below makes a plan for files that puts their Go into packages below the import path home,
// one for each package of Protobuf, whatever go_package says: "acme.users.v1" goes to
// home/usersv1pb, and files without a package to home/HOMEpb. Output is named below home.
func Below(descriptors []byte, files []string, home string) (*Plan, error) {
	var set descriptorpb.FileDescriptorSet
	if err := (proto.UnmarshalOptions{Resolver: goOptions{}}).Unmarshal(descriptors, &set); err != nil {
		return nil, brief(fmt.Errorf("descriptors: %w", err))
	}
	opts := Options{GoPackagePrefix: home, Module: home, Mapping: map[string]string{}}
	names := map[string]string{} // by package of Protobuf
	taken := map[string]bool{}
	asked := map[string]bool{}
	for _, f := range files {
		asked[f] = true
	}
	for _, f := range set.File {
		if !asked[f.GetName()] {
			continue
		}
		name := names[f.GetPackage()]
		if name == "" {
			name = below(f.GetPackage(), path.Base(home))
			for taken[name] {
				name += "x"
			}
			names[f.GetPackage()], taken[name] = name, true
		}
		opts.Mapping[f.GetName()] = path.Join(home, name) + ";" + name
	}
	return New(descriptors, files, opts)
}

// below names the Go package of a package of Protobuf.
func below(pkg, home string) string {
	parts := strings.Split(pkg, ".")
	name := parts[len(parts)-1]
	if len(parts) > 1 && version(name) {
		name = parts[len(parts)-2] + name
	}
	if name == "" {
		name = home
	}
	return strings.ToLower(strings.ReplaceAll(name, "_", "")) + "pb"
}
