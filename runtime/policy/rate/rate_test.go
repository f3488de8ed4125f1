package rate

import (
	"testing"
	"time"
)

func TestRateAndBurst(t *testing.T) {
	c := Config{PerSecond: 100, Burst: 5}
	var l Limiter
	passed := 0
	for range 20 {
		if _, ok := l.Take(c, 0); ok {
			passed++
		}
	}
	if passed != 5 {
		t.Errorf("a burst of %d", passed)
	}
	if after, ok := l.Take(c, 0); ok || after != 10*time.Millisecond {
		t.Errorf("the next comes after %v", after)
	}
	passed = 0
	for now := time.Duration(0); now < 10*time.Second; now += time.Millisecond {
		if _, ok := l.Take(c, now); ok {
			passed++
		}
	}
	if passed < 998 || passed > 1000 {
		t.Errorf("%d in ten seconds at 100 per second", passed)
	}
	passed = 0
	for range 20 {
		if _, ok := l.Take(c, time.Hour); ok {
			passed++
		}
	}
	if passed != 5 {
		t.Errorf("a pause of an hour saves %d", passed)
	}
}

func TestBurstUnsaid(t *testing.T) {
	for rate, want := range map[float64]int{0.5: 1, 10: 1, 1000: 100} {
		var l Limiter
		passed := 0
		for range 1000 {
			if _, ok := l.Take(Config{PerSecond: rate}, 0); ok {
				passed++
			}
		}
		if passed != want {
			t.Errorf("%v per second: a burst of %d, want %d", rate, passed, want)
		}
	}
}
