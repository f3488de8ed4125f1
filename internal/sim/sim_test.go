package sim

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// What DESIGN promises holds for ten clients; three seeds and 200 clients where there is
// time for that.
func TestPromises(t *testing.T) {
	clients, seeds := []int{10}, []uint64{1}
	if !testing.Short() {
		clients, seeds = []int{10, 200}, []uint64{1, 2, 3}
	}
	var table strings.Builder
	if n := Table(&table, RunAll(Default, clients, seeds, "")); n > 0 {
		t.Errorf("%d promises are broken:\n%s", n, table.String())
	}
}

// Hedging brings the tail of many clients within what is promised.
func TestPromisesWithHedging(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	p := Default
	p.Hedge = true
	var table strings.Builder
	if n := Table(&table, RunAll(p, []int{200}, []uint64{1}, "")); n > 0 {
		t.Errorf("%d promises are broken:\n%s", n, table.String())
	}
}

// Each policy is there for a reason: without it a promise breaks.
func TestWhatEachPolicyIsFor(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name, c := range map[string]struct {
		scenario string
		change   func(*Policies)
	}{
		"admission": {"overload", func(p *Policies) { p.Admission = false }},
		"retries":   {"fast-fail", func(p *Policies) { p.Retry.Max = 0 }},
		"ejection": {"hang", func(p *Policies) {
			p.Balance.Eject.Consecutive, p.Balance.Eject.Samples, p.Balance.Way = 1e6, 1e6, 2
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := Default
			c.change(&p)
			s := named(c.scenario)
			r, healthy := Run(s, p, 10, 1), Run(named("healthy"), p, 10, 1)
			if len(Judge(s, r, healthy)) == 0 && r.Goodput > 0.9999 {
				t.Errorf("%s without %s: %+v", c.scenario, name, *r)
			}
		})
	}
}

func TestASeedDeterminesARun(t *testing.T) {
	s := named("rolling")
	a, b, c := Run(s, Default, 10, 7), Run(s, Default, 10, 7), Run(s, Default, 10, 8)
	if !slices.Equal(a.Seconds, b.Seconds) {
		t.Error("the same seed gives another run")
	}
	if slices.Equal(a.Seconds, c.Seconds) {
		t.Error("another seed gives the same run")
	}
}

func TestEventsComeInOrder(t *testing.T) {
	w := &world{}
	var got []int
	for i, d := range []time.Duration{5, 3, 3, 9, 1, 5, -1} {
		w.after(d, func() { got = append(got, i) })
	}
	w.run(8)
	if !slices.Equal(got, []int{6, 4, 1, 2, 0, 5}) || w.now != 5 {
		t.Errorf("order %v, now %v", got, w.now)
	}
}

func TestPlotIsXML(t *testing.T) {
	r := &Result{Clients: 10, Seconds: []Second{{1, 1, 1, time.Millisecond}, {5, 4, 6, time.Second}}}
	d := xml.NewDecoder(bytes.NewReader(Plot(Scenario{Name: "a<b", About: "x & y"}, []*Result{r, r})))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
