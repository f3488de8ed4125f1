package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/concordat-dev/concordat/cmd/internal/config"
	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func (a *app) validate() *cobra.Command {
	var imports []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "validate SPEC ...",
		Short: "Say what is wrong with contracts",
		Long: `Reads contracts and says what is wrong with them, each finding with its place in the
source. Exits with 4 if one of them has an error; warnings alone exit with 0.`,
		Example: "  concordat validate api/*.yaml proto/*.proto",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, specs []string) error {
			var all diag.List
			var read []*contract.Contract
			for _, j := range group(specs) {
				con, diags := parser.Parse(c.Context(), j.specs, parser.Options{Read: a.read, ImportPaths: imports})
				all = append(all, diags...)
				if con != nil {
					read = append(read, con)
				}
			}
			return a.validated(all, read, asJSON)
		},
	}
	c.Flags().StringSliceVarP(&imports, "import", "I", nil, "directory in which Protobuf imports are looked up; may be repeated")
	c.Flags().BoolVar(&asJSON, "json", false, "print findings as JSON on standard output")
	return c
}

func (a *app) validated(all diag.List, read []*contract.Contract, asJSON bool) error {
	if asJSON {
		if err := diag.WriteJSON(a.env.Out, all); err != nil {
			return fail(Contract, err)
		}
	} else {
		a.report(all)
		for _, c := range read {
			ops := 0
			for _, s := range c.Services {
				ops += len(s.Operations)
			}
			fmt.Fprintf(a.env.Out, "%s: %v, %d operations, %d types\n", c.Source, c.Format, ops, len(c.Types))
		}
		if e, w := all.Count(diag.Error), all.Count(diag.Warning); e+w > 0 {
			fmt.Fprintf(a.env.Out, "%d errors, %d warnings\n", e, w)
		}
	}
	if all.HasErrors() {
		return fail(Contract, nil)
	}
	return nil
}

func (a *app) contract() *cobra.Command {
	var imports []string
	c := &cobra.Command{
		Use:     "contract SPEC ...",
		Short:   "Show a contract as concordat understands it",
		Long:    "Prints the contract model that generation and review work from, whatever the format of its source.",
		Example: "  concordat contract petstore.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, specs []string) error {
			for i := range specs {
				specs[i] = filepath.ToSlash(specs[i])
			}
			con, diags := parser.Parse(c.Context(), specs, parser.Options{Read: a.read, ImportPaths: imports})
			a.report(diags)
			if con != nil {
				if err := contract.Dump(a.env.Out, con); err != nil {
					return fail(Generation, err)
				}
			}
			if diags.HasErrors() {
				return fail(Contract, nil)
			}
			return nil
		},
	}
	c.Flags().StringSliceVarP(&imports, "import", "I", nil, "directory in which Protobuf imports are looked up; may be repeated")
	return c
}

func (a *app) explain() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "explain [CODE]",
		Short:   "Explain a finding's code, or list them all",
		Example: "  concordat explain remote-reference",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.codes(asJSON)
			}
			text, ok := diag.Codes[args[0]]
			if !ok {
				err := fmt.Sprintf("there is no code %q", args[0])
				if near := config.Nearest(args[0], sortedKeys(diag.Codes)); near != "" {
					err += fmt.Sprintf("; did you mean %q?", near)
				}
				return fail(Usage, errors.New(err))
			}
			if asJSON {
				return json.NewEncoder(a.env.Out).Encode(map[string]string{"code": args[0], "text": text})
			}
			fmt.Fprintf(a.env.Out, "%s\n\n%s\n", args[0], text)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func (a *app) codes(asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(a.env.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(diag.Codes)
	}
	for _, code := range sortedKeys(diag.Codes) {
		fmt.Fprintln(a.env.Out, code)
	}
	return nil
}
