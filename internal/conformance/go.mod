module github.com/concordat-dev/concordat/internal/conformance

go 1.26.0

require (
	github.com/concordat-dev/concordat v0.0.0
	google.golang.org/protobuf v1.36.12
)

require (
	connectrpc.com/connect v1.21.1 // indirect
	connectrpc.com/grpcreflect v1.3.1 // indirect
)

replace github.com/concordat-dev/concordat => ../..
