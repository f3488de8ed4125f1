// Command simulate runs the simulator's scenarios, prints a table, and ends with 1 where
// a promise is broken.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/concordat-dev/concordat/internal/sim"
)

func main() {
	seeds := flag.Int("seeds", 3, "how many seeds")
	only := flag.String("only", "", "the scenarios whose names begin so")
	few := flag.Int("clients", 0, "so many clients only; 0: 10 and 200")
	plots := flag.String("o", "", "folder for a plot of each scenario")
	p := sim.Default
	flag.BoolVar(&p.Hedge, "hedge", p.Hedge, "send a second request after the 95th percentile")
	flag.BoolVar(&p.Admission, "admission", p.Admission, "servers admit as much as they can do")
	flag.DurationVar(&p.Balance.SlowStart, "slow-start", p.Balance.SlowStart, "for endpoints that return")
	flag.DurationVar(&p.Balance.Eject.Base, "eject", p.Balance.Eject.Base, "for how long, the first time")
	flag.IntVar(&p.Balance.Eject.Consecutive, "consecutive", p.Balance.Eject.Consecutive, "failures that eject")
	flag.IntVar(&p.Balance.Eject.Absent, "absent", p.Balance.Eject.Absent, "failures that one refused connection counts for")
	flag.Parse()
	if err := simulate(p, *seeds, *few, *plots, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func simulate(p sim.Policies, seeds, clients int, plots, only string) error {
	numbers := []int{10, 200}
	if clients > 0 {
		numbers = []int{clients}
	}
	var dice []uint64
	for n := range seeds {
		dice = append(dice, uint64(n+1))
	}
	all := sim.RunAll(p, numbers, dice, only)
	if clients == 0 && !p.Hedge {
		p.Hedge = true
		all = append(all, sim.RunAll(p, numbers[1:], dice, only)...)
	}
	broken := sim.Table(os.Stdout, all)
	if plots != "" {
		if err := write(plots, all); err != nil {
			return err
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d promises are broken", broken)
	}
	return nil
}

// write plots the runs of the first seed.
func write(dir string, all []*sim.Result) error {
	for _, s := range sim.Scenarios {
		var of []*sim.Result
		for _, r := range all {
			if r.Scenario == s.Name && r.Seed == 1 && !r.Hedged {
				of = append(of, r)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, s.Name+".svg"), sim.Plot(s, of), 0o644); err != nil {
			return err
		}
	}
	return nil
}
