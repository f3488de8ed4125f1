// Package cli is the command line: commands, flags, exit codes, and how results reach a
// terminal, a pipe or another program. A run is a function of its arguments and an Env,
// so that tests run it in process.
//
// It imports parser, generator, generator/openapidoc, contract, contract/diag, cmd/internal/config,
// cmd/internal/output, runtime/tlsconf/devca and cobra.
package cli

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/concordat-dev/concordat/contract/diag"
)

// The exit codes, which scripts may rely on. Where several apply, the highest wins.
const (
	OK         = 0
	Findings   = 1 // --check found drift
	Usage      = 2 // wrong flags or arguments
	Config     = 3 // concordat.yaml is at fault
	Contract   = 4 // a contract is at fault
	Generation = 5 // the Go could not be made or written
	Network    = 6 // network or TLS
)

// An Env is what a run sees of the world.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	Dir      string                   // where relative paths begin
	Getenv   func(name string) string // NO_COLOR, TERM
	ErrTTY   bool                     // Err is a terminal
	Version  string
}

// Run carries out args and returns the exit code.
func Run(ctx context.Context, args []string, env Env) int {
	a := &app{env: env}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	return a.end(root.ExecuteC())
}

type app struct {
	env         Env
	errorFormat string
	remarks     bool
	fetchers    []fetching
}

const about = `Concordat compiles the contracts between services. It reads OpenAPI, AsyncAPI and
Protobuf and writes typed Go clients, servers, publishers and subscribers that share
one runtime: TLS, discovery, load balancing, retry and monitoring built in.

Try it:
  concordat generate petstore.yaml           code into ./petstore
  concordat generate                         everything that concordat.yaml lists
  concordat generate --check                 is the generated code up to date? (for CI)
  concordat validate api/*.yaml              what is wrong with these contracts?
  concordat contract petstore.yaml           the contract as concordat understands it
  concordat explain broken-reference         what a finding means

In Go source:
  //go:generate go tool concordat generate petstore.yaml

Exit codes: 0 fine, 1 findings or drift, 2 usage, 3 configuration, 4 contract,
5 generation, 6 network or TLS. Where several apply, the highest wins.`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "concordat",
		Short:         "One compiler for all the contracts between services",
		Long:          about,
		Version:       a.env.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate("concordat {{.Version}}\n")
	root.SetFlagErrorFunc(unknownFlag)
	root.PersistentFlags().StringVar(&a.errorFormat, "error-format", "text", "write findings as `FORMAT`: text, json or github")
	complete(root, "error-format", "text", "json", "github")
	root.PersistentFlags().BoolVar(&a.remarks, "remarks", false, "show remarks, too: what works, but might surprise")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.checkErrorFormat() }
	root.AddCommand(a.generate(), a.validate(), a.contract(), a.openapi(), a.explain(), a.certs(), a.version())
	return root
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of concordat",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.env.Out, "concordat %s\n", a.env.Version)
			return err
		},
	}
}

func (a *app) checkErrorFormat() error {
	switch a.errorFormat {
	case "text", "json", "github":
		return nil
	}
	return usage(fmt.Sprintf("--error-format %q is not known", a.errorFormat), "use text, json or github")
}

// report writes findings to Err in the form that was asked for. Remarks are for those who
// ask, and for programs.
func (a *app) report(l diag.List) {
	if a.errorFormat == "json" {
		_ = diag.WriteJSON(a.env.Err, l) // nothing can be done where Err cannot be written
		return
	}
	shown, remarks := l, 0
	if !a.remarks {
		shown = slices.DeleteFunc(l.Sorted(), func(d *diag.Diagnostic) bool { return d.Severity == diag.Remark })
		remarks = l.Sorted().Count(diag.Remark)
	}
	if a.errorFormat == "github" {
		diag.WriteGitHub(a.env.Err, shown)
		return
	}
	(&diag.Printer{W: a.env.Err, Read: a.read, Color: a.color()}).Print(shown)
	if remarks > 0 {
		fmt.Fprintf(a.env.Err, "concordat: %s not shown; --remarks shows them\n", count(remarks, "remark"))
	}
}

// color follows https://no-color.org and dumb terminals.
func (a *app) color() bool { return a.fancy() && a.env.Getenv("NO_COLOR") == "" }

// fancy says whether Err understands control sequences.
func (a *app) fancy() bool { return a.env.ErrTTY && a.env.Getenv("TERM") != "dumb" }

// complete lets shells offer values of a flag.
func complete(c *cobra.Command, flag string, values ...string) {
	// The error says that there is no such flag: there is.
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// completeSpecs lets shells offer files that may be contracts.
func completeSpecs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return contractEndings, cobra.ShellCompDirectiveFilterFileExt
}

var contractEndings = []string{"yaml", "yml", "json", "proto"}
