//go:build unix

// Command callfaults stops, kills, cuts off and overloads real processes under load, and
// prints what became of the calls: how many were lost, how many attempts each took, and
// after how long the fault was no longer felt. It ends with 1 where a promise is broken.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"time"
)

// backendVariable makes the program be a backend.
const backendVariable = "CONCORDAT_FAULTS_BACKEND"

func main() {
	if os.Getenv(backendVariable) != "" {
		backend()
		return
	}
	length := flag.Duration("length", 0, "how long calls are made after the fault: 12s, unless said; a stopped process goes on after two thirds of it")
	only := flag.String("only", "", "run the faults whose names contain this")
	quick := flag.Bool("quick", false, "3s for each fault, and fewer protocols")
	soft := flag.Bool("soft", false, "on a busy machine: hold nothing against the clock, print it only")
	flag.Parse()
	p := plan{length: 12 * time.Second, only: *only, quick: *quick, soft: *soft}
	if *quick {
		p.length = 3 * time.Second
	}
	p.length = cmp.Or(*length, p.length)
	broken, err := p.table(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if broken > 0 {
		fmt.Fprintf(os.Stderr, "%d promises are broken\n", broken)
		os.Exit(1)
	}
}
