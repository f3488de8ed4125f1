//go:build race

package stub_test

func init() { instrumented = true }
