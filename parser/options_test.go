package parser

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
)

// TestOptions holds that overlays and other hosts reach the document that they are for.
func TestOptions(t *testing.T) {
	files := map[string]string{
		"a.yaml": strings.Replace(sample[contract.OpenAPI], "'#/components/schemas/Pet'}}}}\ncomp", "'https://example.com/pet.yaml'}}}}\ncomp", 1),
		"o.yaml": "overlay: 1.0.0\ninfo: {title: O, version: '1'}\nactions: [{target: $.info, update: {title: Animals}}]\n",
	}
	asked := ""
	o := Options{
		Read:     func(name string) ([]byte, error) { return []byte(files[name]), nil },
		Overlays: []string{"o.yaml"},
		Remote: func(ctx context.Context, url string) ([]byte, error) {
			asked = url
			return []byte("{type: string, title: FarAway}"), ctx.Err()
		},
	}
	c, diags := Parse(t.Context(), []string{"a.yaml"}, o)
	if len(diags) > 0 || c.Title != "Animals" || asked != "https://example.com/pet.yaml" || c.Types[len(c.Types)-1].Name != "FarAway" {
		t.Errorf("%v %q %q", diags, c.Title, asked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, diags = Parse(ctx, []string{"a.yaml"}, o); len(diags) != 1 || diags[0].Code != "unreadable-file" {
		t.Errorf("%v", diags)
	}
	o.Remote = func(context.Context, string) ([]byte, error) { return nil, errors.New("it is night there") }
	if _, diags = Parse(t.Context(), []string{"a.yaml"}, o); len(diags) != 1 || !strings.Contains(diags[0].Message, "it is night there") {
		t.Errorf("%v", diags)
	}
	o.Remote = nil
	if _, diags = Parse(t.Context(), []string{"a.yaml"}, o); len(diags) != 1 || diags[0].Code != "remote-reference" {
		t.Errorf("%v", diags)
	}
}
