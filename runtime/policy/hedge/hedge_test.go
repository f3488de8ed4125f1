package hedge

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestDelayFindsTheQuantile(t *testing.T) {
	for _, q := range []float64{0.9, 0.95, 0.99} {
		c, r := Config{Quantile: q}, rand.New(rand.NewPCG(1, 2))
		var d Delay
		if _, ok := d.After(c); ok {
			t.Fatal("known before the first sample")
		}
		draw := func() time.Duration { return time.Duration(math.Exp(r.NormFloat64()/2) * float64(10*time.Millisecond)) }
		for range 20_000 {
			d.Observe(c, draw())
		}
		later, n := 0, 20_000
		for range n {
			x := draw()
			after, _ := d.After(c)
			if x > after {
				later++
			}
			d.Observe(c, x)
		}
		if share := float64(later) / float64(n); math.Abs(share-(1-q)) > 0.3*(1-q) {
			t.Errorf("quantile %v: %.4f take longer", q, share)
		}
	}
}

func TestDelayFollows(t *testing.T) {
	var d Delay
	for range 1000 {
		d.Observe(Default, 10*time.Millisecond)
	}
	for range 200 {
		d.Observe(Default, 100*time.Millisecond)
	}
	if after, _ := d.After(Default); after < 90*time.Millisecond || after > 110*time.Millisecond {
		t.Errorf("%v", after)
	}
	for range 5000 {
		d.Observe(Default, time.Microsecond)
	}
	if after, _ := d.After(Default); after != Default.Least {
		t.Errorf("%v is less than the least", after)
	}
}
