package generator_test

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/generator"
)

func scalar(k contract.ScalarKind) *contract.Scalar { return &contract.Scalar{Kind: k} }

func str() *contract.Scalar { return scalar(contract.String) }

func ref(t *contract.Type) *contract.Ref { return &contract.Ref{Type: t} }

func list(s contract.Schema) *contract.List { return &contract.List{Elem: s} }

func dict(s contract.Schema) *contract.Map { return &contract.Map{Value: s} }

func object(fields ...*contract.Field) *contract.Object { return &contract.Object{Fields: fields} }

func union(tag string, variants ...*contract.Variant) *contract.Union {
	return &contract.Union{Tag: tag, Variants: variants}
}

func variant(s contract.Schema, tags ...string) *contract.Variant {
	return &contract.Variant{Schema: s, Tags: tags}
}

func enum(values ...string) *contract.Enum {
	e := &contract.Enum{}
	for _, v := range values {
		e.Values = append(e.Values, contract.EnumValue{JSON: v})
	}
	return e
}

func nullable(s contract.Schema) *contract.Union {
	return union("", variant(s), variant(scalar(contract.Null)))
}

func required(name string, s contract.Schema) *contract.Field {
	return &contract.Field{Name: name, Schema: s, Required: true}
}

func optional(name string, s contract.Schema) *contract.Field {
	return &contract.Field{Name: name, Schema: s}
}

func jsonBody(s contract.Schema) *contract.Message {
	return &contract.Message{Bodies: []*contract.Body{{Media: "application/json", Schema: s, Required: true}}}
}

func get(name, path string, out contract.Schema, params ...*contract.Param) *contract.Operation {
	return &contract.Operation{Name: name, Kind: contract.Unary, Idempotent: true,
		Out:  []*contract.Success{{Status: "200", Body: jsonBody(out)}},
		Wire: &contract.HTTP{Method: "GET", Path: path, Params: params}}
}

func document(types []*contract.Type, ops ...*contract.Operation) *contract.Contract {
	return &contract.Contract{Name: "shapes", Format: contract.OpenAPI, Source: "shapes.yaml", Types: types,
		Services: []*contract.Service{{Name: "Shapes", Operations: ops}}}
}

// generate returns the Go of a contract, all files joined, and the findings.
func generate(t *testing.T, c *contract.Contract) (string, []generator.File, diag.List) {
	t.Helper()
	files, diags := generator.Generate(t.Context(), c, generator.Options{ImportPath: modulePath + "/" + c.Name})
	if diags.HasErrors() {
		t.Fatal(diags[0].Message)
	}
	var b strings.Builder
	for _, f := range files {
		b.Write(f.Content)
	}
	return b.String(), files, diags
}

// all is a field of every way in which a schema can be held.
func all(name string, s contract.Schema) []*contract.Field {
	return []*contract.Field{
		required(name, s), optional(name+"Optional", s),
		{Name: name + "Null", Schema: s, Required: true, Nullable: true},
		{Name: name + "OptionalNull", Schema: s, Nullable: true},
		required(name+"List", list(s)), optional(name+"Lists", list(list(s))), optional(name+"Map", dict(s)),
		optional(name+"Nulls", list(nullable(s))), optional(name+"NullMap", dict(nullable(s))),
		optional(name+"NullUnion", nullable(s)), required(name+"MapOfLists", dict(list(s))),
	}
}

// shapes is a contract with schemas of every shape, nested in every way.
func shapes() *contract.Contract {
	var types []*contract.Type
	add := func(name string, s contract.Schema) *contract.Type {
		t := &contract.Type{Name: name, Schema: s}
		types = append(types, t)
		return t
	}
	var fields []*contract.Field
	for k := contract.String; k <= contract.Null; k++ {
		fields = append(fields, all(k.String(), scalar(k))...)
	}
	add("Scalars", object(fields...))
	pet := add("Pet", object(required("id", scalar(contract.Integer)), optional("name", str())))
	cat := add("Cat", object(required("kind", str()), optional("lives", scalar(contract.Int32))))
	dog := add("Dog", object(required("kind", enum(`"dog"`, `"wolf"`))))
	bird := add("Bird", object(optional("wings", scalar(contract.Int32))))
	tagged := add("Tagged", union("kind", variant(ref(cat), "cat"), variant(ref(dog), "dog", "wolf"), variant(ref(bird), "bird")))
	loose := add("Loose", union("", variant(ref(cat)), variant(str()), variant(list(str())), variant(dict(scalar(contract.Number))),
		variant(scalar(contract.DateTime)), variant(&contract.Any{}), variant(object(required("x", scalar(contract.Bool)))), variant(ref(pet)), variant(ref(pet))))
	nested := add("Nested", union("", variant(ref(tagged)), variant(ref(loose)), variant(scalar(contract.Integer))))
	one := add("One", union("", variant(ref(pet))))
	words := add("Words", enum(`"a"`, `"A"`, `"+1"`, `"-1"`, `""`, `"1"`, `"a b"`, `"a-b"`, `"*"`, `"Ä"`, `"\"q\""`, `"日本"`))
	numbers := add("Numbers", enum("1", "2", "-1"))
	mixed := add("Mixed", enum("1", `"a"`, "true"))
	floats := add("Floats", enum("1", "2.5"))
	bools := add("Bools", enum("true", "null"))
	tags := add("Tags", list(str()))
	email := add("Email", &contract.Scalar{Kind: contract.String, Format: "email", Rules: contract.Rules{MaxLen: new(254), Pattern: "^(?=x)"}})
	anything := add("Anything", &contract.Any{})
	inline := object(required("deep", object(optional("deeper", list(object(optional("deepest", enum(`"x"`))))))))
	fields = nil
	for i, s := range []contract.Schema{ref(pet), ref(tagged), ref(loose), ref(nested), ref(one), ref(words), ref(numbers), ref(mixed), ref(floats),
		ref(bools), ref(tags), ref(email), ref(anything), inline, enum(`"in"`, `"line"`), enum("3"), union("", variant(str()), variant(list(ref(nested)))),
		&contract.List{Prefix: []contract.Schema{str(), scalar(contract.Bool)}}, &contract.List{Prefix: []contract.Schema{scalar(contract.Number), scalar(contract.Number)}},
		&contract.Object{Extra: ref(nested)}, &contract.Object{Closed: true}, &contract.Object{}, &contract.Scalar{Kind: contract.String, Const: new(`"c"`)},
		&contract.Object{Fields: []*contract.Field{optional("a", str())}, Extra: list(ref(pet))},
		&contract.Object{Pattern: []*contract.Pattern{{Regexp: "^x", Schema: str()}, {Regexp: "^y", Schema: ref(pet)}}},
	} {
		fields = append(fields, all("f"+string(rune('a'+i)), s)...)
	}
	everything := add("Everything", object(fields...))
	return document(types, get("everything", "/everything", ref(everything)), get("nested", "/nested", ref(nested)), get("listed", "/listed", list(ref(loose))))
}

// recursive is a contract with types that hold themselves in every way.
func recursive() *contract.Contract {
	var types []*contract.Type
	add := func(name string) *contract.Type {
		t := &contract.Type{Name: name}
		types = append(types, t)
		return t
	}
	self := add("Self")
	self.Schema = object(required("self", ref(self)), optional("maybe", ref(self)), required("list", list(ref(self))), required("map", dict(ref(self))),
		&contract.Field{Name: "null", Schema: ref(self), Nullable: true}, required("inline", object(required("back", ref(self)))))
	a, b := add("A"), add("B")
	a.Schema, b.Schema = object(required("b", ref(b))), object(required("a", ref(a)))
	lists := add("Lists")
	lists.Schema = list(ref(lists))
	maps := add("Maps")
	maps.Schema = dict(ref(maps))
	value := add("Value")
	value.Schema = union("", variant(str()), variant(scalar(contract.Null)), variant(list(ref(value))), variant(dict(ref(value))))
	expr := add("Expr")
	and, not := add("And"), add("Not")
	expr.Schema = union("op", variant(ref(and), "and"), variant(ref(not), "not"))
	and.Schema = object(required("op", str()), required("all", list(ref(expr))))
	not.Schema = object(required("op", str()), required("one", ref(expr)))
	x, y := add("X"), add("Y")
	x.Schema, y.Schema = ref(y), ref(x)
	loop := add("Loop")
	loop.Schema = union("", variant(ref(loop)), variant(str()))
	only := add("Only")
	only.Schema = union("", variant(ref(only)))
	alias := add("Alias")
	node := add("Node")
	alias.Schema, node.Schema = ref(node), object(optional("next", ref(alias)), required("other", ref(alias)))
	extra := add("Extra")
	extra.Schema = &contract.Object{Fields: []*contract.Field{optional("a", str())}, Extra: ref(extra)}
	return document(types, get("value", "/value", ref(value)), get("x", "/x", ref(x)))
}

// names is a contract full of names that are hard to write in Go.
func names() *contract.Contract {
	hard := []string{"Client", "NewClient", "Register", "client", "string", "type", "error", "concordat", "codec", "context", "Pet", "pet", "PET", "pet_", "1st", "", "+1", "-1",
		"日本", "Ünïcode", "a/b", "a.b.c", "GetPetRequest", "GetPetResponse", "ConcordatTable", "MarshalJSON", strings.Repeat("very long ", 40), "Shapes", "petTable", "init", "any", "nil"}
	var types []*contract.Type
	for _, h := range hard {
		var fields []*contract.Field
		for _, f := range hard {
			fields = append(fields, optional(f, str()))
		}
		types = append(types, &contract.Type{Name: h, Schema: object(fields...)})
	}
	var ops []*contract.Operation
	for i, h := range append(hard, "getPet", "get_pet", "GET-PET") {
		path := "/p" + strings.Repeat("/x", i) + "/{id}"
		q := []*contract.Param{{Field: *required("id", str()), In: "path"}, {Field: *optional("id", str()), In: "query"}, {Field: *optional("ID", str()), In: "header"},
			{Field: *optional("body", enum(`"x"`)), In: "query", Style: "deepObject"}, {Field: *optional("lost", str()), In: "path"}}
		op := get(h, path, ref(types[i%len(types)]), q...)
		op.In = jsonBody(object(required("type", enum(`"`+h+`"`))))
		op.In.Bodies = append(op.In.Bodies, &contract.Body{Media: "application/x-www-form-urlencoded", Schema: object(required("a", str()))}, &contract.Body{Media: "text/plain", Schema: str()},
			&contract.Body{Media: "application/xml", Schema: str()}, &contract.Body{Media: "image/png"},
			&contract.Body{Media: "multipart/form-data", Schema: object(required("file", scalar(contract.Binary)), optional("more", list(scalar(contract.Binary))))})
		op.Out = append(op.Out, &contract.Success{Status: "201", Body: jsonBody(list(str()))}, &contract.Success{Status: "204"}, &contract.Success{Status: "304"})
		op.Out[0].Body.Headers = []*contract.Field{optional("X-Rate", scalar(contract.Int32)), required("Status", str()), optional("Body", list(str()))}
		op.Failures = []*contract.Failure{{Status: "404", Body: jsonBody(str())}, {Status: "4XX", Body: jsonBody(list(ref(types[0])))}, {Status: "5XX", Body: jsonBody(object(optional("m", str())))},
			{Status: "default", Body: jsonBody(&contract.Any{})}, {Status: "410", Body: jsonBody(dict(enum(`"gone"`)))}, {Status: "bogus"}, {Status: "409", Body: jsonBody(scalar(contract.DateTime))}}
		ops = append(ops, op)
	}
	return document(types, ops...)
}

// TestCompiles generates contracts of every shape and lets Go judge them: the compiler,
// vet, and the test that holds tables against types.
func TestCompiles(t *testing.T) {
	m := newModule(t)
	for name, c := range map[string]*contract.Contract{"shapes": shapes(), "recursive": recursive(), "names": names()} {
		c.Name = name
		_, files, _ := generate(t, c)
		m.add(t, name, files)
	}
	m.run(t, "vet", "./...")
	m.run(t, "test", "./...")
}

// TestDeterminism generates twice and compares bytes.
func TestDeterminism(t *testing.T) {
	for name, make := range map[string]func() *contract.Contract{"shapes": shapes, "recursive": recursive, "names": names} {
		first, _, _ := generate(t, make())
		for range 3 {
			if second, _, _ := generate(t, make()); second != first {
				t.Errorf("%s: two runs differ", name)
			}
		}
	}
}
