package runtime

import (
	"context"
	"strings"
	"testing"
)

const aTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestValidTrace(t *testing.T) {
	for header, want := range map[string]bool{
		aTrace: true,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00":      true,
		"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09-more": true,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more": false,
		"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more": false,
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":      false,
		"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01":      false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01":      false,
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01":      false,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0":       false,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g":      false,
		"00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01":      false,
		"": false,
	} {
		if validTrace(header) != want {
			t.Errorf("%q: want %v", header, want)
		}
		if _, err := WithTraceParent(t.Context(), header); (err == nil) != want {
			t.Errorf("%q: got %v", header, err)
		}
	}
}

func FuzzTrace(f *testing.F) {
	f.Add(aTrace)
	f.Add("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-x")
	f.Fuzz(func(t *testing.T, h string) {
		if !validTrace(h) {
			return
		}
		next := nextSpan(h)
		if !validTrace(next) || next[:3] != "00-" || next[3:36] != h[3:36] || next == h {
			t.Errorf("%q became %q", h, next)
		}
	})
}

// Each hop has a span of its own; explicit beats incoming; what is invalid is not passed
// on, nor is its state.
func TestTraceOfCalls(t *testing.T) {
	in := &Call{Spec: &Spec{}, Meta: Meta{traceParent: {aTrace}, traceState: {"a=1", "b=2"}}}
	ctx := in.within(t.Context())
	var spans []string
	for range 2 {
		out := &Call{Spec: &Spec{}}
		out.follow(context.WithoutCancel(ctx))
		got := out.Meta.Get("traceparent")
		if !validTrace(got) || !strings.HasPrefix(got, aTrace[:36]) || !strings.HasSuffix(got, "-01") || out.Meta.Get("tracestate") != "a=1,b=2" {
			t.Errorf("passed on %v", out.Meta)
		}
		spans = append(spans, got)
	}
	if spans[0] == spans[1] || spans[0] == aTrace || TraceParent(ctx) != aTrace {
		t.Errorf("spans %v of %s", spans, TraceParent(ctx))
	}
	other := strings.Replace(aTrace, "0af7", "1bf7", 1)
	explicit, err := WithTraceParent(ctx, other)
	if err != nil || TraceParent(explicit) != other {
		t.Errorf("got %s, %v", TraceParent(explicit), err)
	}
	for _, bad := range [][]string{{"nonsense"}, {aTrace, aTrace}, nil} {
		in.Meta[traceParent] = bad
		out := &Call{Spec: &Spec{}}
		if out.follow(ctx); out.Meta != nil || TraceParent(ctx) != "" {
			t.Errorf("%v was passed on as %v", bad, out.Meta)
		}
	}
}

// Without a trace, looking for one costs no allocation.
func TestNoTraceCostsNothing(t *testing.T) {
	in := &Call{Spec: &Spec{}, Meta: Meta{"Accept": {"x"}}}
	ctx := in.within(t.Context())
	out := &Call{Spec: &Spec{}}
	if n := testing.AllocsPerRun(100, func() { out.follow(ctx); in.within(t.Context()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNoTrace(b *testing.B) {
	ctx, cancel := context.WithCancel((&Call{Spec: &Spec{}, Meta: Meta{"Accept": {"x"}}}).within(b.Context()))
	defer cancel()
	out := &Call{Spec: &Spec{}}
	b.ReportAllocs()
	for b.Loop() {
		out.follow(ctx)
	}
}
