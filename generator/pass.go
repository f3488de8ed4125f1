package generator

import (
	"context"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/generator/messages"
	"github.com/concordat-dev/concordat/templates/golang"
)

// A pass is the state that the passes over one contract share.
type pass struct {
	ctx   context.Context
	c     *contract.Contract
	o     Options
	diags *diag.List

	out   *golang.Package
	names *scope // of the package
	at    contract.Span

	types     map[*contract.Type]*held
	inline    map[contract.Schema]*held
	flat      map[*contract.Union]*flat
	tags      map[*contract.Object]map[string]*tagging
	forms     map[*contract.Object]bool // multipart bodies
	requests  map[contract.Schema]bool  // what bodies of requests that are no patches hold
	events    map[*contract.Object]bool // whole server-sent events
	elsewhere map[string]bool           // servers of single operations that were told of

	protos   *messages.Plan // of payloads described by Protobuf; nil for none
	xml      *xmlNodes      // nil without bodies in XML
	declare  *declarer
	messages map[carriedKey]*carried

	decls []*placed
	group int // that declarations belong to: what is being walked
	edges []edge
	enums []*enumDecl
}

// A placed is a declaration, its table and its place in the order of the output.
type placed struct {
	group int
	decl  golang.Decl
	table *golang.Table // nil for none
}

func newPass(ctx context.Context, c *contract.Contract, o Options, out *golang.Package, diags *diag.List) *pass {
	return &pass{
		ctx: ctx, c: c, o: o, diags: diags, out: out, names: packageScope(), at: c.Span,
		types:     make(map[*contract.Type]*held),
		inline:    make(map[contract.Schema]*held),
		flat:      make(map[*contract.Union]*flat),
		tags:      make(map[*contract.Object]map[string]*tagging),
		forms:     make(map[*contract.Object]bool),
		events:    make(map[*contract.Object]bool),
		elsewhere: make(map[string]bool),
		messages:  make(map[carriedKey]*carried),
	}
}

// place puts a declaration into the output.
func (p *pass) place(d golang.Decl, t *golang.Table) {
	p.decls = append(p.decls, &placed{p.group, d, t})
}

func (p *pass) warn(code string, at contract.Span, format string, args ...any) *diag.Diagnostic {
	return p.diags.Warnf(code, at, format, args...)
}

// remark adds a finding that is shown on request.
func (p *pass) remark(code string, at contract.Span, format string, args ...any) *diag.Diagnostic {
	d := p.diags.Warnf(code, at, format, args...)
	d.Severity = diag.Remark
	return d
}

// within runs f while diagnostics point at span, unless that is nowhere.
func (p *pass) within(span contract.Span, f func()) {
	old := p.at
	if span.Line > 0 || span.Path != "" {
		p.at = span
	}
	f()
	p.at = old
}
