package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concordat-dev/concordat/contract/diag"
)

// An exitError ends the run with a code. message is empty where everything has been said.
type exitError struct {
	code          int
	message, help string
}

func (e *exitError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.message
}

// said ends the run with a code when the reason has been reported.
func said(code int) error { return &exitError{code: code} }

// usage says that the command line is at fault; help is what to write instead.
func usage(message, help string) error { return &exitError{Usage, message, help} }

// end says why c failed, where that has not been said yet, and returns the exit code.
func (a *app) end(c *cobra.Command, err error) int {
	if err == nil {
		return OK
	}
	exit, ok := errors.AsType[*exitError](err)
	if !ok {
		exit = &exitError{code: Usage, message: err.Error()} // cobra's own complaints
	}
	if exit.message == "" {
		return exit.code
	}
	if exit.help == "" && exit.code == Usage {
		exit.help = fmt.Sprintf("run `%s --help` for what there is", c.CommandPath())
	}
	if a.errorFormat == "json" || a.errorFormat == "github" {
		a.report(diag.List{{Severity: diag.Error, Code: "usage", Message: exit.message, Help: exit.help}})
		return exit.code
	}
	fmt.Fprintf(a.env.Err, "concordat: %s\n", exit.message)
	if exit.help != "" {
		fmt.Fprintf(a.env.Err, "  help: %s\n", exit.help)
	}
	return exit.code
}

// knownCommand refuses what is no command, and says which one was probably meant.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("there is no command %q", args[0])
	if slices.Contains(contractEndings, strings.TrimPrefix(filepath.Ext(args[0]), ".")) {
		return usage(message, fmt.Sprintf("to generate Go from it, run `concordat generate %s`", args[0]))
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	if near := diag.Nearest(args[0], names); near != "" {
		return usage(message, fmt.Sprintf("did you mean `concordat %s`?", near))
	}
	return usage(message, "")
}

// unknownFlag says which flag was probably meant.
func unknownFlag(c *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usage(err.Error(), "")
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := diag.Nearest(unknown.GetSpecifiedName(), names); near != "" {
		return usage(err.Error(), fmt.Sprintf("did you mean --%s?", near))
	}
	return usage(err.Error(), "")
}

// someSpecs wants at least one SPEC.
func someSpecs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage("no SPEC was named", fmt.Sprintf("name a contract: `%s petstore.yaml`", c.CommandPath()))
	}
	return anySpecs(c, args)
}

// anySpecs refuses arguments that can be no file.
func anySpecs(_ *cobra.Command, args []string) error {
	for _, arg := range args {
		switch arg {
		case "":
			return usage("a SPEC is empty", "")
		case "-":
			return usage("contracts are not read from standard input", "name a file: references are relative to it, and Go is named after it")
		}
	}
	return nil
}

// nearby returns the file beside name that was probably meant, or "".
func (a *app) nearby(name string) string {
	entries, err := os.ReadDir(filepath.Dir(a.path(name)))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(contractEndings, strings.TrimPrefix(filepath.Ext(e.Name()), ".")) {
			names = append(names, e.Name())
		}
	}
	near := diag.Nearest(filepath.Base(name), names)
	if near == "" {
		return ""
	}
	return filepath.ToSlash(filepath.Join(filepath.Dir(name), near))
}
