//go:build deps

// Package deps pins modules while the first packages are written.
package deps

import (
	_ "connectrpc.com/connect"
	_ "github.com/asyncapi/parser-go/pkg/parser"
	_ "github.com/asyncapi/spec-json-schemas/v6"
	_ "github.com/bufbuild/protocompile/experimental/incremental"
	_ "github.com/bufbuild/protocompile/experimental/incremental/queries"
	_ "github.com/bufbuild/protocompile/experimental/source"
	_ "github.com/bufbuild/protocompile/experimental/report"
	_ "github.com/bufbuild/protocompile/experimental/ir"
	_ "github.com/bufbuild/protocompile/experimental/fdp"
	_ "github.com/dave/jennifer/jen"
	_ "github.com/eclipse/paho.golang/autopaho"
	_ "github.com/eclipse/paho.golang/paho"
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/getkin/kin-openapi/openapi2conv"
	_ "github.com/mochi-mqtt/server/v2"
	_ "github.com/mochi-mqtt/server/v2/hooks/auth"
	_ "github.com/mochi-mqtt/server/v2/listeners"
	_ "github.com/nats-io/nats-server/v2/server"
	_ "github.com/nats-io/nats.go/jetstream"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/santhosh-tekuri/jsonschema/v6"
	_ "github.com/spf13/cobra"
	_ "golang.org/x/term"
	_ "google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	_ "google.golang.org/protobuf/compiler/protogen"
	_ "gopkg.in/yaml.v3"
)
