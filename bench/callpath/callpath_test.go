package callpath

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/go-kratos/kratos/v2/registry"
	"github.com/go-kratos/kratos/v2/selector"
	"github.com/go-kratos/kratos/v2/selector/p2c"
	"github.com/sony/gobreaker"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/policy/breaker"
)

// run measures call, by one goroutine and by as many as there are processors.
func run(b *testing.B, call func(ctx context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			call(ctx)
		}
	})
	b.Run("together", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				call(ctx)
			}
		})
	})
}

var spec = concordat.Spec{Name: "bench.Things/Get", Route: "GET /things", Idempotent: true}

// conn is a call through everything but a wire: deadline, statistics, budget, pick,
// ejection, retry, and what options add.
func conn(b *testing.B, o ...concordat.ConnOption) func(context.Context) {
	c, err := concordat.NewConn("static:a:1,b:1,c:1,d:1", append(o, concordat.WithPlaintext())...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	attempt := func(context.Context, *concordat.Attempt) error { return nil }
	last := func(ctx context.Context, in any) (any, error) { return in, c.Try(ctx, &spec, attempt) }
	calls := sync.Pool{New: func() any { return &concordat.Call{Spec: &spec} }} // which the stub brings, not the pipeline
	return func(ctx context.Context) {
		call := calls.Get().(*concordat.Call)
		if _, err := c.Invoke(ctx, call, nil, last); err != nil {
			b.Fatal(err)
		}
		calls.Put(call)
	}
}

func BenchmarkConcordat(b *testing.B) { run(b, conn(b)) }

func BenchmarkConcordatWithAll(b *testing.B) {
	p := concordat.MustPolicies(`{"breaker":{},"max-in-flight":1000,"retries":2,"operations":{"Get":{"retries":1}}}`)
	run(b, conn(b, concordat.WithPolicies(p)))
}

func BenchmarkConcordatBreaker(b *testing.B) {
	var br breaker.Breaker
	begun := time.Now()
	run(b, func(context.Context) {
		if br.Allow(breaker.Default, time.Since(begun)) {
			br.Done(breaker.Default, time.Since(begun), true)
		}
	})
}

func BenchmarkGobreaker(b *testing.B) {
	cb := gobreaker.NewCircuitBreaker(gobreaker.Settings{Name: "bench"})
	run(b, func(context.Context) {
		if _, err := cb.Execute(func() (any, error) { return nil, nil }); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkFailsafe(b *testing.B) {
	policies := []failsafe.Policy[any]{
		retrypolicy.NewBuilder[any]().WithMaxRetries(2).Build(), circuitbreaker.NewWithDefaults[any](),
		bulkhead.New[any](1000), timeout.New[any](10 * time.Second),
	}
	x := failsafe.With(policies...)
	run(b, func(ctx context.Context) {
		if _, err := x.WithContext(ctx).Get(func() (any, error) { return nil, nil }); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkKratosP2C(b *testing.B) {
	s := p2c.New()
	var nodes []selector.Node
	for _, a := range []string{"a:1", "b:1", "c:1", "d:1"} {
		nodes = append(nodes, selector.NewNode("http", a, &registry.ServiceInstance{ID: a, Name: "bench"}))
	}
	s.Apply(nodes)
	run(b, func(ctx context.Context) {
		_, done, err := s.Select(ctx)
		if err != nil {
			b.Fatal(err)
		}
		done(ctx, selector.DoneInfo{})
	})
}
