package stub_test

import (
	"context"
	"io"
	"time"
	"unsafe"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// What follows is what the generator would emit for a small document.

type Pet struct {
	ID   int64
	Name string
	Tag  *string
	Born *time.Time
}

type Problem struct {
	Title  string
	Detail *string
}

type Pets []Pet

type ListPetsRequest struct {
	Limit  *int64
	Tags   []string
	Trace  *string
	Cookie *string
}

type ListPetsResponse struct {
	Body Pets
	Next *string
}

type GetPetRequest struct{ Name string }

type CreatePetRequest struct{ Body Pet }

type UpsertPetRequest struct {
	ID   int64
	Body *Pet
}

type UpsertPetResponse struct {
	Status  int
	OK      *Pet
	Created *Pet
}

type RenameRequest struct {
	ID   int64
	Form Rename
}

type Rename struct {
	Name   string
	Labels []string
	Photo  io.Reader
	Extras []io.Reader
	Pet    *Pet
}

type EchoRequest struct{ Body io.Reader }

type EchoResponse struct{ Body io.ReadCloser }

type NoteRequest struct{ Body string }

type NoteResponse struct{ Body string }

var petTable = codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(Pet{}), Go: (*Pet)(nil), Required: 2, Fields: []codec.Field{
	{Key: `,"id":`, Kind: codec.Int64, Off: unsafe.Offsetof(Pet{}.ID), Flag: codec.Req},
	{Key: `,"name":`, Kind: codec.String, Off: unsafe.Offsetof(Pet{}.Name), Flag: codec.Req, R: &codec.Rule{Has: codec.MinLen | codec.MaxLen, MinLen: 1, MaxLen: 20}},
	{Key: `,"tag":`, Kind: codec.String, Off: unsafe.Offsetof(Pet{}.Tag), Flag: codec.Ptr},
	{Key: `,"born":`, Kind: codec.Time, Off: unsafe.Offsetof(Pet{}.Born), Flag: codec.Ptr},
}}

var petsTable = codec.Type{Kind: codec.Slice, Size: unsafe.Sizeof(Pets{}), Go: (*Pets)(nil), Elem: &petTable}

var problemTable = codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(Problem{}), Go: (*Problem)(nil), Required: 1, Fields: []codec.Field{
	{Key: `,"title":`, Kind: codec.String, Off: unsafe.Offsetof(Problem{}.Title), Flag: codec.Req},
	{Key: `,"detail":`, Kind: codec.String, Off: unsafe.Offsetof(Problem{}.Detail), Flag: codec.Ptr},
}}

var readersTable = codec.Type{Kind: codec.Slice, Size: unsafe.Sizeof([]io.Reader{}), Go: (*[]io.Reader)(nil),
	Elem: &codec.Type{Kind: codec.Reader, Size: unsafe.Sizeof((*io.Reader)(nil)) * 2, Go: (*io.Reader)(nil)}}

var renameTable = codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(Rename{}), Go: (*Rename)(nil), Required: 1, Fields: []codec.Field{
	{Key: `,"name":`, Kind: codec.String, Off: unsafe.Offsetof(Rename{}.Name), Flag: codec.Req, R: &codec.Rule{Has: codec.MaxLen, MaxLen: 10}},
	{Key: `,"labels":`, T: &codec.StringsTable, Kind: codec.Slice, Off: unsafe.Offsetof(Rename{}.Labels)},
	{Key: `,"photo":`, Kind: codec.Reader, Off: unsafe.Offsetof(Rename{}.Photo)},
	{Key: `,"extras":`, T: &readersTable, Kind: codec.Slice, Off: unsafe.Offsetof(Rename{}.Extras)},
	{Key: `,"pet":`, T: &petTable, Kind: codec.Object, Off: unsafe.Offsetof(Rename{}.Pet), Flag: codec.Ptr},
}}

var problemReply = stub.Reply{Status: 404, Failure: true, Media: "application/problem+json", T: &problemTable, Kind: codec.Object}

var listPets = stub.Op[ListPetsRequest, ListPetsResponse]{
	Spec: concordat.Spec{Name: "pets.Pets/ListPets", Route: "GET /pets", Idempotent: true},
	Params: []stub.Param{
		{Name: "limit", In: stub.Query, Explode: true, Kind: codec.Int64, Off: unsafe.Offsetof(ListPetsRequest{}.Limit), Flag: codec.Ptr, R: &codec.Rule{Has: codec.Min | codec.Max, Min: 1, Max: 100}},
		{Name: "tags", In: stub.Query, Explode: true, T: &codec.StringsTable, Kind: codec.Slice, Off: unsafe.Offsetof(ListPetsRequest{}.Tags)},
		{Name: "X-Trace", In: stub.Header, Kind: codec.String, Off: unsafe.Offsetof(ListPetsRequest{}.Trace), Flag: codec.Ptr},
		{Name: "session", In: stub.Cookie, Explode: true, Kind: codec.String, Off: unsafe.Offsetof(ListPetsRequest{}.Cookie), Flag: codec.Ptr},
	},
	Replies: []stub.Reply{{Status: 200, Media: "application/json", T: &petsTable, Kind: codec.Slice, Off: unsafe.Offsetof(ListPetsResponse{}.Body), Headers: []stub.Param{
		{Name: "X-Next", In: stub.Header, Kind: codec.String, Off: unsafe.Offsetof(ListPetsResponse{}.Next), Flag: codec.Ptr},
	}}},
}

var getPet = stub.Op[GetPetRequest, Pet]{
	Spec:    concordat.Spec{Name: "pets.Pets/GetPet", Route: "GET /pets/{name}", Idempotent: true},
	Params:  []stub.Param{{Name: "name", In: stub.Path, Kind: codec.String, Off: unsafe.Offsetof(GetPetRequest{}.Name), Flag: codec.Req}},
	Replies: []stub.Reply{{Status: 200, Media: "application/json", T: &petTable, Kind: codec.Object}, problemReply},
}

var createPet = stub.Op[CreatePetRequest, Pet]{
	Spec:    concordat.Spec{Name: "pets.Pets/CreatePet", Route: "POST /pets"},
	Bodies:  []stub.Body{{Media: "application/json", T: &petTable, Kind: codec.Object, Flag: codec.Req}},
	Replies: []stub.Reply{{Status: 201, Media: "application/json", T: &petTable, Kind: codec.Object}, {Status: 4, Failure: true, Media: "application/json", T: &problemTable, Kind: codec.Object}},
}

var upsertPet = stub.Op[UpsertPetRequest, UpsertPetResponse]{
	Spec:   concordat.Spec{Name: "pets.Pets/UpsertPet", Route: "PUT /pets/{id}", Idempotent: true},
	Params: []stub.Param{{Name: "id", In: stub.Path, Kind: codec.Int64, Off: unsafe.Offsetof(UpsertPetRequest{}.ID), Flag: codec.Req}},
	Bodies: []stub.Body{{Media: "application/json", T: &petTable, Kind: codec.Object, Off: unsafe.Offsetof(UpsertPetRequest{}.Body), Flag: codec.Ptr}},
	Replies: []stub.Reply{
		{Status: 200, Media: "application/json", T: &petTable, Kind: codec.Object, Off: unsafe.Offsetof(UpsertPetResponse{}.OK), Flag: codec.Ptr},
		{Status: 201, Media: "application/json", T: &petTable, Kind: codec.Object, Off: unsafe.Offsetof(UpsertPetResponse{}.Created), Flag: codec.Ptr},
		{Status: 204},
	},
	HasStatus: true, StatusOff: unsafe.Offsetof(UpsertPetResponse{}.Status),
}

var deletePet = stub.Op[GetPetRequest, stub.None]{
	Spec:    concordat.Spec{Name: "pets.Pets/DeletePet", Route: "DELETE /pets/{name}", Idempotent: true},
	Params:  getPet.Params,
	Replies: []stub.Reply{{Status: 204}, problemReply},
}

func renameOp(media string) *stub.Op[RenameRequest, Rename] {
	return &stub.Op[RenameRequest, Rename]{
		Spec:   concordat.Spec{Name: "pets.Pets/Rename", Route: "POST /pets/{id}/rename"},
		Params: []stub.Param{{Name: "id", In: stub.Path, Kind: codec.Int64, Off: unsafe.Offsetof(RenameRequest{}.ID), Flag: codec.Req}},
		Bodies: []stub.Body{{Media: media, T: &renameTable, Kind: codec.Object, Off: unsafe.Offsetof(RenameRequest{}.Form), Flag: codec.Req}},
		Replies: []stub.Reply{{Status: 200, Media: "application/json", T: &codec.Type{Kind: codec.Object, Size: unsafe.Sizeof(Rename{}), Fields: []codec.Field{
			renameTable.Fields[0], renameTable.Fields[1], renameTable.Fields[4],
		}}, Kind: codec.Object}},
	}
}

var echo = stub.Op[EchoRequest, EchoResponse]{
	Spec:    concordat.Spec{Name: "pets.Pets/Echo", Route: "POST /echo"},
	Bodies:  []stub.Body{{Media: "application/octet-stream", Kind: codec.Reader, Flag: codec.Req}},
	Replies: []stub.Reply{{Status: 200, Media: "application/octet-stream", Kind: codec.Reader}},
}

var note = stub.Op[NoteRequest, NoteResponse]{
	Spec:    concordat.Spec{Name: "pets.Pets/Note", Route: "POST /note"},
	Bodies:  []stub.Body{{Media: "text/plain", Kind: codec.String, Flag: codec.Req}},
	Replies: []stub.Reply{{Status: 200, Media: "text/plain", Kind: codec.String}},
}

// PetsServer holds what each test wants of the implementation.
type PetsServer struct {
	list   func(context.Context, *ListPetsRequest) (*ListPetsResponse, error)
	get    func(context.Context, *GetPetRequest) (*Pet, error)
	create func(context.Context, *CreatePetRequest) (*Pet, error)
	upsert func(context.Context, *UpsertPetRequest) (*UpsertPetResponse, error)
	remove func(context.Context, *GetPetRequest) error
	echo   func(context.Context, *EchoRequest) (*EchoResponse, error)
	note   func(context.Context, *NoteRequest) (*NoteResponse, error)
}

func (p *PetsServer) register(s *concordat.Server) {
	stub.Handle(s, &listPets, p.list)
	stub.Handle(s, &getPet, p.get)
	stub.Handle(s, &createPet, p.create)
	stub.Handle(s, &upsertPet, p.upsert)
	stub.HandleExec(s, &deletePet, p.remove)
	stub.Handle(s, &echo, p.echo)
	stub.Handle(s, &note, p.note)
}

const _ = stub.V1
