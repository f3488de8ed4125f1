package cli

import (
	"github.com/spf13/cobra"

	"github.com/concordat-dev/concordat/generator/openapidoc"
)

func (a *app) openapi() *cobra.Command {
	var from sources
	c := &cobra.Command{
		Use:   "openapi SPEC ...",
		Short: "Print an OpenAPI document of a Protobuf contract's REST routes",
		Long: `Prints, as YAML, the OpenAPI document of the routes that methods have by option
google.api.http: what a server that is generated from the contract answers beside gRPC.
The document is 3.1, or 3.2 where there are streams. What it cannot say is a warning.`,
		Example:           "  concordat openapi library.proto > library.openapi.yaml",
		Args:              someSpecs,
		ValidArgsFunction: completeSpecs,
		RunE: func(c *cobra.Command, specs []string) error {
			jobs, err := from.jobs(specs)
			if err != nil {
				return err
			}
			if len(jobs) > 1 {
				return usage("these are several contracts", "name one document, or .proto files that belong together")
			}
			con, diags := a.parse(c.Context(), jobs[0])
			if con == nil || diags.HasErrors() {
				a.report(diags)
				return said(Contract)
			}
			doc, more := openapidoc.Emit(con)
			diags = append(diags, more...)
			a.report(diags)
			if diags.HasErrors() {
				return said(Contract)
			}
			_, err = a.env.Out.Write(doc)
			return err
		},
	}
	from.flags(c)
	return c
}
