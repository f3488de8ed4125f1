package transcode_test

import (
	pb "github.com/concordat-dev/concordat/internal/library/library"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc"
)

var getBook = rpc.Method[pb.GetBookRequest, pb.Book]{Spec: concordat.Spec{Name: "library.v1.Library/GetBook"}}
