package golang

// An AvroFormat is an avro.Codec: one schema. Framed bodies begin with its number in a
// registry, ID, which is 0 where that is not known.
type AvroFormat struct {
	Schema string
	Framed bool
	ID     uint32
}

// A ProtoValue is a payload that is a message of Protobuf, or its JSON.
type ProtoValue struct {
	Of   Ref // the type of the message, without the pointer
	JSON bool
}

// A Cloud is a stub.Cloud: the attributes of CloudEvents are a field of a message's struct.
type Cloud struct {
	Owner, Field string // the struct, and the field
	Structured   bool
	Type, Source string
}
