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
