// Command table makes medians of rounds of benchmarks, and sets each beside Concordat's.
package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
)

var line = regexp.MustCompile(`^Benchmark(\w+)/(\w+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op(?:\s+\d+ B/op\s+(\d+) allocs/op)?`)

const head = `# What a call costs before it reaches a wire

Made by ` + "`make bench-callpath`" + `: medians of interleaved rounds, nanoseconds per call. "Alone" is one goroutine, "together" eight per
processor on one connection or policy. Concordat's pipeline is deadline, statistics, retry budget, pick of four endpoints (P2C, peak EWMA), ejection and
retry; "with all" adds policies with a breaker and a bulkhead. The others do only what their row says.

Not measured: the pickers of grpc-go (round robin, weighted) are internal to it and run only behind a ClientConn; the
pickers in the manner of httplb could not be had here.

| | alone | × Concordat | together | × Concordat | allocations |
|---|---:|---:|---:|---:|---:|
`

var names = []struct{ bench, what string }{
	{"Concordat", "Concordat, the pipeline"}, {"ConcordatWithAll", "Concordat, with all"}, {"ConcordatBreaker", "Concordat, the breaker alone"},
	{"Gobreaker", "gobreaker v1.0.0: a breaker"}, {"KratosP2C", "Kratos v2.8.3: P2C pick"}, {"Failsafe", "failsafe-go v0.9.8: retry, breaker, bulkhead, timeout"},
}

func main() {
	took, allocs := map[string][]float64{}, map[string]string{}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		m := line.FindStringSubmatch(in.Text())
		if m == nil {
			continue
		}
		ns, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			continue
		}
		took[m[1]+"/"+m[2]] = append(took[m[1]+"/"+m[2]], ns)
		allocs[m[1]] = cmp.Or(m[4], allocs[m[1]])
	}
	fmt.Print(head)
	for _, n := range names {
		alone, together := median(took[n.bench+"/alone"]), median(took[n.bench+"/together"])
		fmt.Printf("| %s | %.0f | %.2f | %.0f | %.2f | %s |\n", n.what, alone, alone/median(took["Concordat/alone"]), together, together/median(took["Concordat/together"]), allocs[n.bench])
	}
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}
