//go:build race

package param

func init() { instrumented = true }
