package openapi

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// What the second opinion may cost. kin-openapi needs a quarter of a CPU second for a
// megabyte, so that larger documents, which our own reading takes in a tenth of that, go
// without: a broken document must be refused within two seconds on a slow machine.
const (
	opinionBytes = 1 << 20
	opinionTime  = time.Second
)

// secondOpinion lets kin-openapi load and validate a document in which our own reading
// found no error. What it finds is a warning at the place that it names: it refuses
// documents that are in use everywhere, so that its word stops nobody. Examples,
// defaults, formats and patterns are not asked of it. It runs under recover and a
// deadline; when that passes there is no opinion.
func secondOpinion(ctx context.Context, root *node.Node, read func(string) ([]byte, error), diags *diag.List) {
	if root.FileSize() > opinionBytes {
		return
	}
	data := []byte(root.JSON()) // aliases and merge keys resolved, so that both read the same
	if ctx.Err() != nil || len(data) > opinionBytes {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, opinionTime)
	defer cancel()
	found := make(chan error, 1)
	go func() {
		defer func() {
			if recover() != nil {
				found <- nil // it could not cope; that says nothing about the document
			}
		}()
		found <- ask(ctx, root.File(), data, read)
	}()
	select {
	case err := <-found:
		if err != nil && ctx.Err() == nil {
			report(root, err, diags)
		}
	case <-ctx.Done():
	}
}

// ask loads and validates. Files are read as our own loader reads them; other hosts are
// out of reach.
func ask(ctx context.Context, file string, data []byte, read func(string) ([]byte, error)) error {
	loader := openapi3.NewLoader()
	loader.Context = ctx
	loader.IsExternalRefsAllowed = true
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, u *url.URL) ([]byte, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if u.Scheme != "" || u.Host != "" {
			return nil, fmt.Errorf("%s is on another host", u)
		}
		return read(u.Path)
	}
	doc, err := loader.LoadFromDataWithPath(data, &url.URL{Path: file})
	if err != nil {
		return err
	}
	return doc.Validate(ctx, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation(),
		openapi3.DisableSchemaFormatValidation(), openapi3.DisableSchemaPatternValidation())
}

// quibbles are findings that say nothing about what can be generated, or that our own
// reading has settled: kin-openapi knows no anchors, and wants what everybody leaves out.
var quibbles = regexp.MustCompile(`extra sibling fields|anchor|unsupported '?format|example|must be set to a non-empty|` +
	`value of (description|title|version)|description|operation(s)? .* and .* have the same|unresolved ref|bad data in "#|found unresolved|expected fragment prefix|` +
	`regular expression|cannot unmarshal (bool|number) into|operationId|conflicting paths|license|Info\.version|invalid info|invalid externalDocs`)

func report(root *node.Node, err error, diags *diag.List) {
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	if quibbles.MatchString(text) {
		return
	}
	at := placeNamed(root, text)
	if slices.ContainsFunc(*diags, func(d *diag.Diagnostic) bool {
		return d.Severity != diag.Remark && d.Span.File == at.File && strings.HasPrefix(d.Span.Path, at.Path)
	}) {
		return // our own reading has said something about the same thing, and where exactly
	}
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "..."
	}
	d := diags.Warnf("second-opinion", at, "kin-openapi does not accept the document: %s", text)
	d.Help = "code is generated all the same; other tools may refuse the document"
}

var named = []*regexp.Regexp{
	regexp.MustCompile(`invalid path (/\S*):`),
	regexp.MustCompile(`invalid operation ([A-Z]+):`),
}

var component = regexp.MustCompile(`(schema|parameter|response|header|request body|security scheme) "?([^":\s]+)"?:`)

// placeNamed finds what an error names: an operation, a component, or the document.
func placeNamed(root *node.Node, text string) contract.Span {
	if m := named[0].FindStringSubmatch(text); m != nil {
		item := root.Get("paths").Get(m[1])
		if op := named[1].FindStringSubmatch(text); op != nil && item.Has(strings.ToLower(op[1])) {
			item = item.Get(strings.ToLower(op[1]))
		}
		if item != nil {
			return item.KeySpan()
		}
	}
	kinds := map[string]string{"schema": "schemas", "parameter": "parameters", "response": "responses", "header": "headers",
		"request body": "requestBodies", "security scheme": "securitySchemes"}
	for _, m := range component.FindAllStringSubmatch(text, -1) {
		if n := root.Get("components").Get(kinds[m[1]]).Get(m[2]); n != nil {
			return n.KeySpan()
		}
	}
	for _, key := range [...]string{"components", "paths", "servers", "security", "tags", "info", "webhooks"} {
		if n := root.Get(key); n != nil && strings.Contains(text, "invalid "+key) {
			return n.KeySpan()
		}
	}
	return root.Get("openapi").KeySpan()
}
