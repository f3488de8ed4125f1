#!/usr/bin/env bash
# Judges our client and our server by the Connect project's conformance runner, and prints
# how many cases there were. Arguments go to the runner, such as --conf wide.yaml. The
# runner's contract comes with its module; our generator makes Go of it first.
set -euo pipefail
cd "$(dirname "$0")"
version=v1.0.7
module=connectrpc.com/conformance
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT

GOBIN=$bin go install "$module/cmd/connectconformance@$version"
protos=$(go mod download -json "$module@$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')/proto
of=$protos/connectrpc/conformance/v1
(cd ../.. && go build -o "$bin/concordat" ./cmd/concordat)
"$bin/concordat" generate --out gen --import "$protos" \
	"$of/service.proto" "$of/config.proto" "$of/client_compat.proto" "$of/server_compat.proto"
export GOFLAGS="${GOFLAGS:-} -mod=mod" # go.mod and go.sum follow what the runtime needs
go vet ./...
go build -o "$bin/" ./server ./client

failed=0
for mode in server client; do
	echo "== our $mode"
	"$bin/connectconformance" --mode "$mode" "$@" -- "$bin/$mode" || failed=1
done
exit $failed
