// Package run holds the benchmarks of what generated code does at run time: one contract,
// ../orders.yaml, through Concordat, ogen and oapi-codegen. It has tests only, which need
// the code that `make bench-openapi` generates; it imports that code and the runtimes
// behind it.
package run
