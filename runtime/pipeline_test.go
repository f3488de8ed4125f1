package runtime

import (
	"context"
	"testing"
	"time"
)

var pipelineSpec = Spec{Name: "test.Things/Get", Route: "GET /things", Idempotent: true}

// pipeline is one call through everything but a wire.
func pipeline(tb testing.TB) func(ctx context.Context) {
	c, err := NewConn("static:a:1,b:1,c:1,d:1", WithPlaintext())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	attempt := func(context.Context, *Attempt) error { return nil }
	last := func(ctx context.Context, in any) (any, error) {
		return in, c.Try(ctx, &pipelineSpec, attempt)
	}
	call := &Call{Spec: &pipelineSpec}
	in := new(int)
	return func(ctx context.Context) {
		if _, err := c.Invoke(ctx, call, in, last); err != nil {
			tb.Fatal(err)
		}
	}
}

func TestPipelineAllocatesNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	call := pipeline(t)
	if n := testing.AllocsPerRun(1000, func() { call(ctx) }); n != 0 {
		t.Errorf("%v allocations per call with an inherited deadline and no retry", n)
	}
}

func BenchmarkPipeline(b *testing.B) {
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	call := pipeline(b)
	b.ReportAllocs()
	for b.Loop() {
		call(ctx)
	}
}
