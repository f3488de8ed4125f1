#!/usr/bin/env bash
# Installs what the tests of this package need, in the versions that are written down here
# and beside, and runs them so that nothing is skipped.
set -euo pipefail
cd "$(dirname "$0")"
export CONCORDAT_INTEROP=1
PATH="$PATH:$(go env GOPATH)/bin"
export PATH

command -v grpcurl >/dev/null || go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
command -v grpc-health-probe >/dev/null || go install github.com/grpc-ecosystem/grpc-health-probe@v0.4.61
command -v buf >/dev/null || go install github.com/bufbuild/buf/cmd/buf@v1.75.0
(cd node && npm ci --no-audit --no-fund --silent)
python3 -m venv python/.venv
python/.venv/bin/pip install --quiet --disable-pip-version-check -r python/requirements.txt
go test -count=1 . "$@"
