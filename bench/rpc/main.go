// Command rpc measures Concordat's gRPC beside grpc-go's and connect-go's: processor time
// of both processes, allocations and latency. README.md says how to read what it prints.
// It is driver, server and client in one; the driver starts itself as the others.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"time"
)

type options struct {
	rounds int
	share  time.Duration // of each measurement, roughly
	out    string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	role := flag.String("role", "", "server or client; the driver says so")
	side := flag.String("side", "", "whose code that is to run")
	secure := flag.Bool("tls", false, "over TLS")
	addr := flag.String("addr", "", "of the server")
	flag.IntVar(&o.rounds, "rounds", 5, "how often everything is measured; the median counts")
	flag.DurationVar(&o.share, "time", time.Second, "time of each measurement, roughly")
	profile := flag.String("cpuprofile", "", "of a server or client, to this file")
	flag.StringVar(&o.out, "o", "", "also write the table to this file")
	flag.Parse()
	if *profile != "" {
		defer profiled(*profile + "." + *role)()
	}
	var err error
	switch *role {
	case "server":
		err = serveRole(*side, *secure)
	case "client":
		err = clientRole(*side, *addr, *secure)
	default:
		err = drive(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiled notes where processor time goes until the function that it returns is called.
func profiled(file string) (stop func()) {
	f, err := os.Create(file)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return func() {}
	}
	return func() { pprof.StopCPUProfile(); f.Close() }
}
