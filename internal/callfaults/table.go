//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A plan says which faults are run, and how.
type plan struct {
	length      time.Duration
	only        string
	quick, soft bool
}

// errAbsent says that a fault needs something that this machine has not.
var errAbsent = errors.New("not run")

const line = "%-34s %-7s %6v %5v %8v %9v %8v %8v  %v\n"

// table runs the faults and writes what came of each, as soon as it is known.
func (p plan) table(out io.Writer) (broken int, err error) {
	fmt.Fprintf(out, line, "fault", "over", "calls", "lost", "answered", "attempts", "slowest", "felt for", "verdict")
	for _, f := range faults() {
		if !strings.Contains(f.name, p.only) {
			continue
		}
		for _, over := range f.wires(p.quick) {
			r, err := p.run(f, over)
			switch {
			case errors.Is(err, errAbsent):
				fmt.Fprintf(out, line, f.name, over, "", "", "", "", "", "", err)
				continue
			case err != nil:
				return broken, fmt.Errorf("%s over %s: %w", f.name, over, err)
			}
			verdict := "kept"
			if why := r.broken(f.of(over), p.soft); why != "" {
				broken++
				verdict = "BROKEN: " + why
			}
			if r.note != "" {
				verdict += "; " + r.note
			}
			fmt.Fprintf(out, line, f.name, over, r.calls, r.lost, fmt.Sprintf("%.1f %%", 100*r.answered()), fmt.Sprintf("%.4f", r.attempts),
				r.slowest.Round(time.Millisecond), r.felt.Round(time.Millisecond), verdict)
		}
	}
	return broken, nil
}

// A promise is what must hold while a fault lasts.
type promise struct {
	answered float64       // least share of the calls
	attempts float64       // most per call
	back     time.Duration // how long it may be felt; 0: as long as it takes
	streams  float64       // answered, of streams, which are not repeated once they have begun; 0: as others
	failing  bool          // all calls fail
	cause    string        // what the errors must say
}

// of is what is promised over a wire.
func (p promise) of(over wire) promise {
	if over == stream && p.streams > 0 {
		p.answered, p.back = p.streams, 0
	}
	return p
}

// A result is what became of the calls after the fault.
type result struct {
	calls, lost int
	first       error // of the lost
	attempts    float64
	slowest     time.Duration
	felt        time.Duration // until the last call that was lost, or whose first attempt took its whole share
	outcomes    []outcome
	note        string
	wrong       error // what else does not hold
}

// An outcome is what became of one call.
type outcome struct {
	at, took time.Duration
	ok       bool
}

// p99 is how long 99 of 100 calls took at most.
func (r *result) p99() time.Duration {
	var all []time.Duration
	for _, o := range r.outcomes {
		all = append(all, o.took)
	}
	slices.Sort(all)
	return all[len(all)*99/100]
}

// answered is the share of the calls that were.
func (r *result) answered() float64 { return 1 - float64(r.lost)/float64(max(1, r.calls)) }

// lag is how long it may take until a fault has happened.
const lag = 300 * time.Millisecond

// late reports whether a call was answered that began after so long.
func (r *result) late(after time.Duration) bool {
	return slices.ContainsFunc(r.outcomes, func(o outcome) bool { return o.ok && o.at > after })
}

// broken says which part of a promise is, or "". soft leaves out what a busy machine can
// break by itself.
func (r *result) broken(p promise, soft bool) string {
	switch {
	case r.wrong != nil:
		return r.wrong.Error()
	case r.calls == 0:
		return "no call was made"
	case p.failing && r.late(lag):
		return "a call was answered that could not be"
	case p.failing && !strings.Contains(r.first.Error(), p.cause):
		return fmt.Sprintf("the error does not say %q: %v", p.cause, r.first)
	case !p.failing && r.answered() < p.answered && !(soft && r.answered() > p.answered-0.02):
		return fmt.Sprintf("%d lost, the first: %v", r.lost, r.first)
	case r.attempts > p.attempts && !(soft && r.attempts <= 1.2):
		return fmt.Sprintf("more than %.2f attempts per call", p.attempts)
	case !soft && p.back > 0 && r.felt > p.back:
		return fmt.Sprintf("felt for more than %v", p.back)
	}
	return ""
}
