package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

func (a *app) validate() *cobra.Command {
	var from sources
	var asJSON bool
	c := &cobra.Command{
		Use:   "validate SPEC ...",
		Short: "Say what is wrong with contracts",
		Long: `Reads contracts and says what is wrong with them, each finding with its place in the
source. Exits with 4 if one of them has an error; warnings alone exit with 0.`,
		Example:           "  concordat validate api/*.yaml proto/*.proto",
		Args:              someSpecs,
		ValidArgsFunction: completeSpecs,
		RunE: func(c *cobra.Command, specs []string) error {
			var all diag.List
			var read []*contract.Contract
			jobs, err := from.jobs(specs)
			if err != nil {
				return err
			}
			for _, j := range jobs {
				con, diags := a.parse(c.Context(), j)
				all = append(all, diags...)
				if con != nil {
					read = append(read, con)
				}
			}
			return a.validated(all, read, asJSON)
		},
	}
	from.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print findings as JSON on standard output")
	return c
}

func (a *app) validated(all diag.List, read []*contract.Contract, asJSON bool) error {
	if asJSON {
		if err := diag.WriteJSON(a.env.Out, all); err != nil {
			return &exitError{code: Contract, message: err.Error()}
		}
	} else {
		a.report(all)
		for _, c := range read {
			fmt.Fprintf(a.env.Out, "%s: %v, %s, %s\n", c.Source, c.Format, count(operations(c), "operation"), count(len(c.Types), "type"))
		}
		if e, w := all.Count(diag.Error), all.Count(diag.Warning); e+w > 0 {
			fmt.Fprintf(a.env.Out, "%s, %s\n", count(e, "error"), count(w, "warning"))
		}
	}
	if all.HasErrors() {
		return said(Contract)
	}
	return nil
}

func (a *app) contract() *cobra.Command {
	var from sources
	var asJSON bool
	c := &cobra.Command{
		Use:               "contract SPEC ...",
		Short:             "Show a contract as concordat understands it",
		Long:              "Prints the contract model that generation and review work from, whatever the format of its source.",
		Example:           "  concordat contract petstore.yaml",
		Args:              someSpecs,
		ValidArgsFunction: completeSpecs,
		RunE: func(c *cobra.Command, specs []string) error {
			var all diag.List
			jobs, err := from.jobs(specs)
			if err != nil {
				return err
			}
			for _, j := range jobs {
				con, diags := a.parse(c.Context(), j)
				all = append(all, diags...)
				if con == nil {
					continue
				}
				dump := contract.Dump
				if asJSON {
					dump = contract.DumpJSON
				}
				if err := dump(a.env.Out, con); err != nil {
					return &exitError{code: Generation, message: err.Error()}
				}
			}
			if a.report(all); all.HasErrors() {
				return said(Contract)
			}
			return nil
		},
	}
	from.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print the model as JSON, one document for each contract")
	return c
}

func (a *app) explain() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:               "explain [CODE]",
		Short:             "Explain a finding's code, or list them all",
		Example:           "  concordat explain remote-reference",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(sortedKeys(diag.Codes), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.codes(asJSON)
			}
			return a.code(args[0], asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func (a *app) code(code string, asJSON bool) error {
	text, ok := diag.Codes[code]
	switch {
	case !ok:
		help := "run `concordat explain` for all of them"
		if near := diag.Nearest(code, sortedKeys(diag.Codes)); near != "" {
			help = fmt.Sprintf("did you mean %s?", near)
		}
		return usage(fmt.Sprintf("there is no code %q", code), help)
	case asJSON:
		return json.NewEncoder(a.env.Out).Encode(map[string]string{"code": code, "text": text})
	}
	fmt.Fprintf(a.env.Out, "%s\n\n%s\n", code, text)
	return nil
}

func (a *app) codes(asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(a.env.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(diag.Codes)
	}
	width := 0
	for code := range diag.Codes {
		width = max(width, len(code))
	}
	for _, code := range sortedKeys(diag.Codes) {
		fmt.Fprintf(a.env.Out, "%-*s  %s\n", width, code, diag.Codes[code])
	}
	return nil
}
