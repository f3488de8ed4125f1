//go:build unix

// Command callfaults stops, kills and overloads real processes and prints what became of
// the calls: how many were lost, how many attempts each took, and after how long the
// fault was no longer felt. It ends with 1 where a promise is broken.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"
)

// backendVariable makes the program be a backend.
const backendVariable = "CONCORDAT_FAULTS_BACKEND"

func main() {
	if os.Getenv(backendVariable) != "" {
		backend()
		return
	}
	length := flag.Duration("length", 12*time.Second, "how long calls are made after the fault; a stopped process goes on after two thirds of it")
	flag.Parse()
	broken, err := table(os.Stdout, *length)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if broken > 0 {
		fmt.Fprintf(os.Stderr, "%d promises are broken\n", broken)
		os.Exit(1)
	}
}

// table runs all faults and writes what came of them.
func table(out io.Writer, length time.Duration) (broken int, err error) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "fault\tcalls\tlost\tanswered\tattempts per call\tslowest\tlast felt after\t  ")
	for _, f := range faults {
		r, err := run(f, length)
		if err != nil {
			return broken, fmt.Errorf("%s: %w", f.name, err)
		}
		note := ""
		if why := r.broken(f); why != "" {
			broken++
			note = "! " + why
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%.1f %%\t%.4f\t%s\t%s\t %s\n", f.name, r.calls, r.lost, 100*r.answered(), r.attempts, r.slowest.Round(time.Millisecond), r.felt.Round(time.Millisecond), note)
	}
	return broken, w.Flush()
}
