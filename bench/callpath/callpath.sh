#!/bin/sh
# Runs all in turn, several times over, so that what the machine does besides falls on all
# alike, and writes the medians with their ratio to Concordat's into RESULTS.md.
set -e
cd "$(dirname "$0")"
go test -c -o "${TMPDIR:-/tmp}/callpath.test" .
out=$(for _ in $(seq "${ROUNDS:-7}"); do "${TMPDIR:-/tmp}/callpath.test" -test.bench . -test.benchtime "${BENCHTIME:-200ms}"; done)
rm -f "${TMPDIR:-/tmp}/callpath.test"
echo "$out" | go run ./table > RESULTS.md
cat RESULTS.md
