package stub_test

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/stub"
)

func TestCheckAccepts(t *testing.T) {
	for _, err := range []error{stub.Check(&listPets), stub.Check(&getPet), stub.Check(&createPet), stub.Check(&upsertPet),
		stub.Check(&deletePet), stub.Check(&echo), stub.Check(&note)} {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(op *stub.Op[UpsertPetRequest, UpsertPetResponse])
		want  string
	}{
		"parameter":   {func(op *stub.Op[UpsertPetRequest, UpsertPetResponse]) { op.Params[0].Kind = codec.Bool }, "wants bool"},
		"body offset": {func(op *stub.Op[UpsertPetRequest, UpsertPetResponse]) { op.Bodies[0].Off = 3 }, "body application/json"},
		"body flag":   {func(op *stub.Op[UpsertPetRequest, UpsertPetResponse]) { op.Bodies[0].Flag = 0 }, "flag Ptr is missing"},
		"reply type":  {func(op *stub.Op[UpsertPetRequest, UpsertPetResponse]) { op.Replies[1].T = &problemTable }, "reply 201"},
		"status":      {func(op *stub.Op[UpsertPetRequest, UpsertPetResponse]) { op.StatusOff += 8 }, "where the status should"},
		"route":       {func(op *stub.Op[UpsertPetRequest, UpsertPetResponse]) { op.Route = "pets" }, "not like GET /path"},
		"failure": {func(op *stub.Op[UpsertPetRequest, UpsertPetResponse]) {
			op.Replies[2] = stub.Reply{Status: 404, Failure: true, Media: "application/json", Kind: codec.Object, T: &codec.Type{Kind: codec.Object}}
		}, "allocate"},
		"reply headers": {func(op *stub.Op[UpsertPetRequest, UpsertPetResponse]) {
			op.Replies[0].Headers = []stub.Param{{Name: "X", In: stub.Header, Kind: codec.Int64, Off: 99}}
		}, "offset 99"},
	} {
		op := stub.Op[UpsertPetRequest, UpsertPetResponse]{Spec: upsertPet.Spec, HasStatus: true, StatusOff: upsertPet.StatusOff,
			Params: append([]stub.Param(nil), upsertPet.Params...), Bodies: append([]stub.Body(nil), upsertPet.Bodies...), Replies: append([]stub.Reply(nil), upsertPet.Replies...)}
		c.spoil(&op)
		if err := stub.Check(&op); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
