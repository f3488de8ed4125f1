package generator_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

// squeeze takes repeated blanks out of source, so that tests need not count columns.
func squeeze(src string) string { return regexp.MustCompile(`[ \t]+`).ReplaceAllString(src, " ") }

func wants(t *testing.T, src string, lines ...string) {
	t.Helper()
	src = squeeze(src)
	for _, l := range lines {
		if !strings.Contains(src, l) {
			t.Errorf("no %q", l)
		}
	}
}

func TestRecursion(t *testing.T) {
	src, _, diags := generate(t, recursive())
	wants(t, src,
		"Self *Self `json:\"self\"`", "Maybe *Self", "List []Self", "Map map[string]Self", "Back *Self",
		"B *B `json:\"b\"`", "A *A `json:\"a\"`",
		"type Lists []Lists", "type Maps map[string]Maps",
		"type Value interface{ isValue() }", "type ValueString string", "type ValueList []Value", "type ValueMap map[string]Value",
		"type Alias = Node", "Next *Alias", "AdditionalProperties map[string]Extra",
		"Lazy: (*Self)(nil)", "Lazy: (*Lists)(nil)", "Lazy: (*ValueList)(nil)",
		"type Loop = string", "type X = ")
	n := 0
	for _, d := range diags {
		if d.Code == "cyclic-reference" {
			n++
		}
	}
	if n == 0 {
		t.Error("no finding about types that are only references to themselves")
	}
}

func TestDiscriminator(t *testing.T) {
	cat := &contract.Type{Name: "Cat", Schema: object(required("kind", str()), optional("lives", scalar(contract.Int32)))}
	dog := &contract.Type{Name: "Dog", Schema: object(required("kind", enum(`"dog"`, `"wolf"`)))}
	bird := &contract.Type{Name: "Bird", Schema: object(optional("wings", scalar(contract.Int32)))}
	animal := &contract.Type{Name: "Animal", Schema: union("kind", variant(ref(cat), "cat"), variant(ref(dog), "dog", "wolf"), variant(ref(bird), "bird"))}
	src, _, _ := generate(t, document([]*contract.Type{cat, dog, bird, animal}, get("get", "/", ref(animal))))
	wants(t, src,
		`{Key: `+"`,\"kind\":`"+`, Kind: codec.Const, T: &codec.Type{Kind: codec.Const, Const: `+"`\"cat\"`"+`}, Flag: codec.Req}`,
		`{Key: `+"`,\"kind\":`"+`, Kind: codec.Const, T: &codec.Type{Kind: codec.Const, Const: `+"`\"bird\"`"+`}, Flag: codec.Req}`,
		"Kind DogKind `json:\"kind\"`", `Tags: []string{"dog", "wolf"}`)
	if strings.Contains(squeeze(src), "\n Kind string") {
		t.Error("Cat has a field for what its union says already")
	}
}

func TestOptionality(t *testing.T) {
	s := object(required("a", str()), optional("b", str()),
		&contract.Field{Name: "c", Schema: str(), Required: true, Nullable: true}, &contract.Field{Name: "d", Schema: str(), Nullable: true},
		optional("e", list(nullable(str()))), optional("f", nullable(str())), optional("g", list(str())))
	typ := &contract.Type{Name: "T", Schema: s}
	src, _, _ := generate(t, document([]*contract.Type{typ}, get("get", "/", ref(typ))))
	wants(t, src, "A string `json:\"a\"`", "B *string `json:\"b,omitzero\"`", "C *string `json:\"c\"`", "D concordat.Opt[string]",
		"E []*string", "F concordat.Opt[string]", "G []string `json:\"g,omitzero\"`",
		"Flag: codec.Req | codec.Null | codec.Ptr", "Flag: codec.Null | codec.Maybe", "ElemFlag: codec.Null | codec.Ptr")
}

func TestBounds(t *testing.T) {
	num := func(k contract.ScalarKind, r contract.Rules) *contract.Scalar {
		return &contract.Scalar{Kind: k, Rules: r}
	}
	typ := &contract.Type{Name: "T", Schema: object(
		required("a", num(contract.Integer, contract.Rules{Min: "0.5", Max: "10", ExclusiveMax: true})),
		required("b", num(contract.Int32, contract.Rules{Min: "-2147483648", Max: "1e3"})),
		required("c", num(contract.Integer, contract.Rules{Max: "99999999999999999999", Min: "-0.5", ExclusiveMin: true})),
		required("d", num(contract.Number, contract.Rules{Min: "0", ExclusiveMin: true, Max: "1e400"})),
		required("e", num(contract.Integer, contract.Rules{Min: "99999999999999999999", MultipleOf: "5"})))}
	src, _, diags := generate(t, document([]*contract.Type{typ}, get("get", "/", ref(typ))))
	wants(t, src, "Has: codec.Min | codec.Max, Min: 1, Max: 9", "Has: codec.Max, Max: 1000", "Has: codec.Min, Min: 0", "Multiple: 5")
	if n := len(diags); n != 2 {
		t.Errorf("%d findings about bounds that are not checked, want 2", n)
	}
}

func TestResults(t *testing.T) {
	pet := &contract.Type{Name: "Pet", Schema: object(required("id", str()))}
	op := func(name string, out ...*contract.Success) *contract.Operation {
		return &contract.Operation{Name: name, Kind: contract.Unary, Out: out, Wire: &contract.HTTP{Method: "GET", Path: "/" + name}}
	}
	src, _, _ := generate(t, document([]*contract.Type{pet},
		op("none", &contract.Success{Status: "204"}),
		op("direct", &contract.Success{Status: "200", Body: jsonBody(ref(pet))}, &contract.Success{Status: "304"}),
		op("list", &contract.Success{Status: "200", Body: jsonBody(list(ref(pet)))}),
		op("several", &contract.Success{Status: "200", Body: jsonBody(ref(pet))}, &contract.Success{Status: "202", Body: jsonBody(list(str()))}),
		op("fallback", &contract.Success{Status: "default", Body: jsonBody(ref(pet))}),
		op("file", &contract.Success{Status: "200", Body: &contract.Message{Bodies: []*contract.Body{{Media: "image/png"}}}}),
	))
	wants(t, src, "None(ctx context.Context, in *NoneRequest) error", "Direct(ctx context.Context, in *DirectRequest) (*Pet, error)",
		"List(ctx context.Context, in *ListRequest) (*ListResponse, error)", "type ListResponse struct {\n Body []Pet",
		"Status int // 200, 202", "OK *Pet", "Accepted []string", "HasStatus: true", "Fallback(ctx context.Context, in *FallbackRequest) (*Pet, error)", "Body io.ReadCloser", "{Status: 304, Failure: true}")
}

// Rules hold for lists inside of lists, too, whichever table the codec has for them.
func TestRulesOfElements(t *testing.T) {
	two := 2
	words := &contract.List{Elem: str(), Rules: contract.Rules{MinLen: &two}}
	texts := &contract.Map{Value: str(), Rules: contract.Rules{MaxLen: &two}}
	only := &contract.Enum{Values: []contract.EnumValue{{JSON: "true"}}}
	typ := &contract.Type{Name: "T", Schema: object(optional("words", list(words)), optional("texts", list(texts)), optional("only", only))}
	src, _, _ := generate(t, document([]*contract.Type{typ}, get("get", "/", ref(typ))))
	wants(t, src, "Rules: &codec.Rule{Has: codec.MinLen, MinLen: 2}, Elem: &codec.StringTable", "Rules: &codec.Rule{Has: codec.MaxLen, MaxLen: 2}, Elem: &codec.StringTable",
		"Kind: codec.Bool, R: &codec.Rule{Has: codec.ConstOf, Const: \"true\"}")
}

func TestCommentsOfBodies(t *testing.T) {
	op := get("post", "/", str())
	op.In = jsonBody(object(required("a", str())))
	src, _, _ := generate(t, document(nil, op))
	if strings.Contains(src, "// body") {
		t.Error("a field Body says so again")
	}
}

// A discriminator that contradicts its variants would let none of them be read.
func TestContradictedDiscriminator(t *testing.T) {
	a := &contract.Type{Name: "A", Schema: object(required("type", enum(`"x"`, `"y"`)), required("a", str()))}
	b := &contract.Type{Name: "B", Schema: object(required("type", enum(`"b"`)), required("b", str()))}
	u := &contract.Type{Name: "U", Schema: union("type", variant(ref(b), "b"), variant(ref(a), "a"))}
	src, _, diags := generate(t, document([]*contract.Type{a, b, u}, get("get", "/", ref(u))))
	if strings.Contains(src, "Tag:") {
		t.Error("the discriminator is used")
	}
	wants(t, src, "type B struct {", "Type BType")
	if !slices.ContainsFunc(diags, func(d *diag.Diagnostic) bool { return d.Code == "discriminator-contradicted" }) {
		t.Error("nobody says so")
	}
}
