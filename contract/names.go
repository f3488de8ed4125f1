package contract

// String returns the format's usual name.
func (f Format) String() string { return [...]string{"", "Protobuf", "OpenAPI", "AsyncAPI"}[f] }

// String returns the name of the kind as dumps and diagnostics show it.
func (k Kind) String() string {
	return [...]string{"", "unary", "server stream", "client stream", "bidi", "send", "receive", "request"}[k]
}

// String returns the kind's name in lower case.
func (k ScalarKind) String() string {
	return [...]string{"", "string", "bool", "int32", "int64", "uint32", "uint64", "integer", "float32", "float64",
		"number", "decimal", "bytes", "binary", "date-time", "date", "time", "duration", "uuid", "uri", "ip", "null"}[k]
}
