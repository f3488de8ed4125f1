package stats

import (
	"strings"
	"sync"
	"testing"
	"time"
)

func TestBuckets(t *testing.T) {
	for b := range Buckets - 1 {
		if b > 0 && Bound(b) <= Bound(b-1) {
			t.Errorf("bound %d: %v after %v", b, Bound(b), Bound(b-1))
		}
		if got := bucket(Bound(b)); got != b {
			t.Errorf("%v belongs to %d, not %d", Bound(b), b, got)
		}
		if got := bucket(Bound(b) + 1); got != b+1 {
			t.Errorf("just above %v belongs to %d, not %d", Bound(b), b+1, got)
		}
	}
	if bucket(-1) != 0 || bucket(0) != 0 || bucket(1<<63-1) != Buckets-1 {
		t.Error("the ends")
	}
	if Bound(0) != 32768 || Bound(Buckets-2) < 50*time.Second {
		t.Errorf("from %v to %v", Bound(0), Bound(Buckets-2))
	}
}

func TestSnapshot(t *testing.T) {
	var table Table
	var a, b, b2 int
	first := table.Of(&a, "p.S/A")
	if again := table.Of(&a, "p.S/A"); again != first {
		t.Fatal("one key, two operations")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				op := table.Of(&b, "p.S/B")
				op.Begin()
				op.End(time.Duration(i+1)*time.Millisecond, uint8(i%2)*14)
			}
		})
	}
	wg.Wait()
	table.Of(&b2, "p.S/B").Begin()
	table.Of(&b2, "p.S/B").Retry()
	table.Of(&a, "p.S/A").Begin()
	all := table.Snapshot()
	if len(all) != 2 || all[0].Name != "p.S/A" || all[1].Name != "p.S/B" {
		t.Fatalf("%+v", all)
	}
	x := all[1]
	if x.Calls != 4000 || x.Failures[14] != 2000 || x.Failed() != 2000 || x.InFlight != 1 || x.Retries != 1 || x.Sum != 4*500500*time.Millisecond {
		t.Errorf("%+v", x)
	}
	for q, exact := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond} {
		if got := x.Quantile(q); got < exact || got > exact*3/2+time.Millisecond {
			t.Errorf("quantile %v: %v, exactly %v", q, got, exact)
		}
	}
	if all[0].Quantile(0.5) != 0 || x.Quantile(1) == 0 {
		t.Error("quantiles at the edges")
	}
}

func TestPrometheus(t *testing.T) {
	var table Table
	op := table.Of(new(int), `odd"name\`)
	op.Begin()
	op.End(40*time.Microsecond, 0)
	op.Begin()
	op.End(time.Second, 5)
	op.Begin()
	codes := make([]string, Codes)
	codes[0], codes[5] = "ok", "not_found"
	got := Prometheus([]Side{{Name: "client", Peer: "dns://h:1", Operations: table.Snapshot()}}, codes)
	const labels = `side="client",operation="odd\"name\\",target="dns://h:1"`
	for _, want := range []string{
		"# TYPE concordat_calls_in_flight gauge\nconcordat_calls_in_flight{" + labels + "} 1\n",
		"concordat_calls_total{" + labels + `,code="ok"} 1` + "\n",
		"concordat_calls_total{" + labels + `,code="not_found"} 1` + "\n",
		"concordat_call_duration_seconds_bucket{" + labels + `,le="3.2768e-05"} 0` + "\n",
		"concordat_call_duration_seconds_bucket{" + labels + `,le="6.5536e-05"} 1` + "\n",
		"concordat_call_duration_seconds_bucket{" + labels + `,le="1.073741824"} 2` + "\n",
		"concordat_call_duration_seconds_bucket{" + labels + `,le="+Inf"} 2` + "\n",
		"concordat_call_duration_seconds_sum{" + labels + "} 1.00004\n",
		"concordat_call_duration_seconds_count{" + labels + "} 2\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	var table Table
	key := new(int)
	b.ReportAllocs()
	for b.Loop() {
		op := table.Of(key, "p.S/A")
		op.Begin()
		op.End(time.Millisecond, 0)
	}
}
