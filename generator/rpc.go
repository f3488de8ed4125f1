package generator

import (
	"context"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

func protobuf(ctx context.Context, c *contract.Contract, o Options, diags *diag.List) []File {
	return nil
}
