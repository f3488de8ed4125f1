package templates

import (
	"github.com/concordat-dev/concordat/templates/block"
	"github.com/concordat-dev/concordat/templates/golang"
)

// Policies prints what the user says of calls.
//
//	// Policies is what concordat.yaml says of calls.
//	func Policies() *concordat.Policies {
//		return concordat.MustPolicies(`{"operations":{"GetCustomer":{"timeout":"250ms"}}}`)
//	}
func Policies(p *golang.Policies) block.Code {
	sig := block.Sig{Results: []block.Code{block.Seq(block.Src("*"), concordat("Policies"))}}
	return block.Doc(p.Doc, block.Func("", p.Name, sig, block.Return(block.Call(concordat("MustPolicies"), block.String(p.Text)))))
}
