// Command openapi measures Concordat beside ogen and oapi-codegen on the same documents:
// what generating and building costs, and what the generated code costs at run time.
// README.md says how to read what it prints. It imports the standard library only; the
// generators are programs that it runs, and what they generate stays in gen, uncommitted.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

// own is the contract that the benchmarks of package run serve.
const own = "orders.yaml"

type options struct {
	corpus    string
	rounds    int    // of generating and of run-time benchmarks
	builds    int    // rounds of building
	benchtime string // of each benchmark in each round
	runtime   bool   // only what happens at run time
	out       string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, parse()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse() options {
	o := options{corpus: os.Getenv("CONCORDAT_CORPUS")}
	if o.corpus == "" {
		o.corpus = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of generating and of run-time benchmarks")
	flag.IntVar(&o.builds, "builds", 3, "rounds of building; ogen's github.json takes minutes in each")
	flag.StringVar(&o.benchtime, "benchtime", "200ms", "time of each benchmark in each round")
	flag.BoolVar(&o.runtime, "runtime", false, "only what generated code does at run time")
	flag.StringVar(&o.out, "o", "", "also write the tables to this file")
	flag.Parse()
	return o
}

// run takes the measurements in order and prints each table as soon as it is known.
func run(ctx context.Context, o options) error {
	tools, err := buildTools(ctx)
	if err != nil {
		return err
	}
	var r report
	documents := documents(o)
	for _, d := range documents {
		progress("generate %s", d.name)
		r.generated = append(r.generated, generate(ctx, tools, d, o.rounds))
	}
	if !o.runtime {
		for _, d := range documents {
			progress("build %s", d.name)
			r.built = append(r.built, build(ctx, tools, d, o.builds))
		}
	}
	progress("run")
	if r.benchmarks, err = benchmarks(ctx, o); err != nil {
		return err
	}
	text := r.markdown(o)
	fmt.Print(text)
	if o.out == "" {
		return ctx.Err()
	}
	return os.WriteFile(o.out, []byte(text), 0o644)
}

// A document is one contract to generate from.
type document struct {
	name, path string
	lines      int
}

// documents are those of the corpus that are there, and our own.
func documents(o options) []document {
	paths := []string{own}
	if !o.runtime {
		for _, name := range []string{"petstore.yaml", "museum.yaml", "telegram.json", "github.json"} {
			paths = append(paths, filepath.Join(o.corpus, "openapi", name))
		}
	}
	var all []document
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			progress("skipped: %v; CONCORDAT_CORPUS names the folder that holds the corpus", err)
			continue
		}
		all = append(all, document{name: filepath.Base(p), path: p, lines: countLines(data)})
	}
	return all
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
