// Package cli is the command line: commands, flags, exit codes, and how results reach a
// terminal, a pipe or another program. A run is a function of its arguments and an Env,
// so that tests run it in process.
//
// It imports parser, generator, contract, cmd/internal/config, cmd/internal/output and
// cobra.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/concordat-dev/concordat/contract/diag"
)

// The exit codes, which scripts may rely on.
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
	Getenv   func(name string) string // NO_COLOR, TERM, CI
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
	err := root.ExecuteContext(ctx)
	if err == nil {
		return OK
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = fail(Usage, err) // cobra's own complaints
	}
	if exit.err != nil {
		fmt.Fprintf(env.Err, "concordat: %v\n", exit.err)
		if exit.code == Usage {
			fmt.Fprintln(env.Err, "Run `concordat --help` for what there is.")
		}
	}
	return exit.code
}

// An exitError ends the run with a code; err is nil where everything has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func fail(code int, err error) *exitError { return &exitError{code, err} }

type app struct {
	env         Env
	errorFormat string
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

In Go source:
  //go:generate go tool concordat generate petstore.yaml

Exit codes: 0 fine, 1 findings or drift, 2 usage, 3 configuration, 4 contract,
5 generation, 6 network or TLS.`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "concordat",
		Short:         "One compiler for all the contracts between services",
		Long:          about,
		Version:       a.env.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate("concordat {{.Version}}\n")
	root.PersistentFlags().StringVar(&a.errorFormat, "error-format", "text", "how findings are written: text, json or github")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.checkErrorFormat() }
	root.AddCommand(a.generate(), a.validate(), a.contract(), a.explain())
	return root
}

func (a *app) checkErrorFormat() error {
	switch a.errorFormat {
	case "text", "json", "github":
		return nil
	}
	return fail(Usage, fmt.Errorf("--error-format %q is not known; use text, json or github", a.errorFormat))
}

// report writes findings to Err in the form that was asked for.
func (a *app) report(l diag.List) {
	switch a.errorFormat {
	case "json":
		_ = diag.WriteJSON(a.env.Err, l) // nothing can be done where Err cannot be written
	case "github":
		diag.WriteGitHub(a.env.Err, l)
	default:
		(&diag.Printer{W: a.env.Err, Read: a.read, Color: a.color()}).Print(l)
	}
}

// color follows https://no-color.org and dumb terminals.
func (a *app) color() bool {
	return a.env.ErrTTY && a.env.Getenv("NO_COLOR") == "" && a.env.Getenv("TERM") != "dumb"
}

func (a *app) path(name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.env.Dir, name)
}

// largest is the size of the largest contract that is read. The largest public ones have
// about 10 MB.
const largest = 32 << 20

// read returns the content of a file of a contract, named as the user would name it.
func (a *app) read(name string) ([]byte, error) {
	f, err := os.Open(a.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}
	src, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err == nil && len(src) > largest {
		err = &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("is larger than %d MiB", largest>>20)}
	}
	return src, err
}
