package generator_test

import (
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/generator"
)

func scalar(k contract.ScalarKind) *contract.Scalar { return &contract.Scalar{Kind: k} }

func ref(t *contract.Type) *contract.Ref { return &contract.Ref{Type: t} }

func object(fields ...*contract.Field) *contract.Object { return &contract.Object{Fields: fields} }

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

func TestSimplest(t *testing.T) {
	pet := &contract.Type{Name: "Pet", Schema: object(required("id", scalar(contract.Integer)), optional("name", scalar(contract.String)))}
	c := &contract.Contract{Name: "pets", Format: contract.OpenAPI, Source: "pets.yaml", Types: []*contract.Type{pet},
		Services: []*contract.Service{{Name: "Pets", Operations: []*contract.Operation{
			get("getPet", "/pets/{petId}", ref(pet), &contract.Param{Field: *required("petId", scalar(contract.Integer)), In: "path"}),
		}}}}
	m := newModule(t)
	files, diags := generator.Generate(t.Context(), c, generator.Options{ImportPath: modulePath + "/pets"})
	for _, d := range diags {
		t.Error(d.Code, d.Message)
	}
	for _, f := range files {
		t.Log(f.Name, "\n", string(f.Content))
	}
	m.add(t, "pets", files)
	m.run(t, "vet", "./...")
}
