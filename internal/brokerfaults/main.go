//go:build unix

// Command brokerfaults breaks brokers under load and prints what became of the messages:
// how many were confirmed, and of those how many were lost, came twice, or out of order. It
// ends with 1 where a promise is broken.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

func main() {
	serveKafka()
	n := flag.Int("n", 100_000, "how many messages each fault is tried on")
	only := flag.String("broker", "", "only those whose name begins so")
	one := flag.String("fault", "", "only those whose name begins so")
	flag.Parse()
	broken, err := table(os.Stdout, *n, *only, *one)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if broken > 0 {
		fmt.Fprintf(os.Stderr, "%d promises are broken\n", broken)
		os.Exit(1)
	}
}

// table runs all faults on all brokers that are installed and writes what came of them.
func table(out io.Writer, n int, only, one string) (broken int, err error) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "broker\tfault\tsent\tconfirmed\treceived\tdead letters\tlost\tduplicated\tout of order\tseconds\t  ")
	for _, p := range peers {
		if !strings.HasPrefix(p.name, only) {
			continue
		}
		more, err := p.row(w, n, one)
		if broken += more; err != nil {
			return broken, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return broken, w.Flush()
}

// row runs all faults on one broker.
func (p *peer) row(w io.Writer, n int, one string) (broken int, err error) {
	dir, err := os.MkdirTemp("", "concordat-faults-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	server, err := p.start(dir)
	if errors.Is(err, errMissing) {
		fmt.Fprintf(w, "%s\tnot installed\t\t\t\t\t\t\t\t\t \n", p.name)
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer server.Close()
	for _, f := range faults {
		if !strings.HasPrefix(f.name, one) {
			continue
		}
		if f.needs != nil && !f.needs(p) {
			fmt.Fprintf(w, "%s\t%s\t\t\t\t\t\t\t\t\t not tried: %s\n", p.name, f.name, p.mortal)
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", p.name, f.name)
		r, err := run(p, server, f, n)
		if err != nil {
			return broken, fmt.Errorf("%s: %w", f.name, err)
		}
		note := ""
		if why := r.broken(p); why != "" {
			broken++
			note = "! " + why
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t %s\n", p.name, f.name, r.sent, r.confirmed, r.received, r.dead, r.lost, r.twice, r.disorder, r.took.Seconds(), note)
	}
	return broken, nil
}
