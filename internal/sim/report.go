package sim

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// What is promised: DESIGN and issue 6 name these numbers.
const (
	MostP99           = 1.1 // times the healthy one
	MostP999          = 1.5
	LeastOverload     = 0.8
	MostAmplification = 1.2
	LeastAfterBlip    = 0.99
)

// Judge says which promises r breaks; healthy is the run that it is compared with.
func Judge(s Scenario, r, healthy *Result) (broken []string) {
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if healthy != nil {
		if x := ratio(r.P99, healthy.P99); x > MostP99 {
			say("p99 is %.2f × healthy", x)
		}
		if x := ratio(r.P999, healthy.P999); x > MostP999 && r.knows() {
			say("p99.9 is %.2f × healthy", x)
		}
	}
	if s.Name == "overload" && r.Goodput < LeastOverload {
		say("goodput is %.1f %%", 100*r.Goodput)
	}
	if s.Name == "blip" && r.Goodput < LeastAfterBlip {
		say("goodput is %.2f %%", 100*r.Goodput)
	}
	if s.Name == "overload" && r.Amplification > MostAmplification {
		say("amplification is %.2f", r.Amplification)
	}
	return broken
}

// knows reports whether the 99.9th percentile can be promised. Each client finds out for
// itself what is slow, and without hedging the call by which it does is slow: where the
// clients are more than a thousandth of the calls, so is that percentile, whatever the
// policies are.
func (r *Result) knows() bool { return r.Hedged || 1000*r.Clients < r.Calls }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

// Healthy finds the result that s is compared with, or nil.
func Healthy(s Scenario, results []*Result, clients int, seed uint64, hedged bool) *Result {
	for _, r := range results {
		if r.Scenario == s.healthy && r.Clients == clients && r.Seed == seed && r.Hedged == hedged {
			return r
		}
	}
	return nil
}

// RunAll runs the scenarios, or those whose names begin with only and what they are
// compared with, with each number of clients and each seed.
func RunAll(p Policies, clients []int, seeds []uint64, only string) (all []*Result) {
	for _, n := range clients {
		for _, s := range Scenarios {
			if !strings.HasPrefix(s.Name, only) && !strings.HasPrefix(s.Name, "healthy") {
				continue
			}
			for _, seed := range seeds {
				all = append(all, Run(s, p, n, seed))
			}
		}
	}
	return all
}

// Table writes the results, and returns how many promises are broken.
func Table(out io.Writer, all []*Result) (broken int) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "scenario\tclients\thedging\tseed\tgoodput\tp50\tp99\tp99.9\tp99 ×\tp99.9 ×\tattempts\t  ")
	for _, r := range all {
		s := named(r.Scenario)
		h := Healthy(s, all, r.Clients, r.Seed, r.Hedged)
		b := Judge(s, r, h)
		broken += len(b)
		times, times9 := "", ""
		if h != nil {
			times, times9 = fmt.Sprintf("%.2f", ratio(r.P99, h.P99)), fmt.Sprintf("%.2f", ratio(r.P999, h.P999))
		}
		note := ""
		if h != nil && !r.knows() && ratio(r.P999, h.P999) > MostP999 {
			note = " (p99.9: one call of each client; hedging helps)"
		}
		for _, x := range b {
			note += " ! " + x
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%.2f %%\t%s\t%s\t%s\t%s\t%s\t%.3f\t %s\n", r.Scenario, r.Clients, yes(r.Hedged), r.Seed, 100*r.Goodput, ms(r.P50), ms(r.P99), ms(r.P999), times, times9, r.Amplification, note)
	}
	w.Flush()
	return broken
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

func named(name string) Scenario {
	for _, s := range Scenarios {
		if s.Name == name {
			return s
		}
	}
	return Scenario{}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
