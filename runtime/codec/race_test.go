//go:build race

package codec_test

func init() { instrumented = true }
