package grpcengine

import (
	"encoding/base64"
	"net/textproto"
	"strings"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // what Gzip and replies need
	"google.golang.org/grpc/metadata"

	concordat "github.com/concordat-dev/concordat/runtime"
)

var gzipped = grpc.UseCompressor("gzip")

// toMD is meta as grpc-go has it: names in lower case, and values of "-bin" decoded.
// Names that belong to the protocol are left out.
func toMD(meta concordat.Meta) metadata.MD {
	md := make(metadata.MD, len(meta))
	for k, v := range meta {
		switch {
		case strings.HasPrefix(k, "Grpc-"), strings.HasPrefix(k, "Connect-"):
		case k == "Content-Type", k == "Content-Length", k == "Content-Encoding", k == "Te", k == "Host", k == "Connection":
		case strings.HasSuffix(k, "-Bin"), strings.HasSuffix(k, "-bin"):
			md[strings.ToLower(k)] = mapped(v, decoded)
		default:
			md[strings.ToLower(k)] = v
		}
	}
	return md
}

func mapped(all []string, f func(string) string) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = f(v)
	}
	return out
}

// decoded is what base64 stands for, padded or not; text that is none stays.
func decoded(v string) string {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(v, "="))
	if err != nil {
		return v
	}
	return string(b)
}

func encoded(v string) string { return base64.RawStdEncoding.EncodeToString([]byte(v)) }

// incoming is md as the runtime has it: what HTTP would say. nil where it says nothing.
func incoming(md metadata.MD) concordat.Meta {
	if len(md) == 0 || len(md) == 1 && md["content-type"] != nil {
		return nil
	}
	meta := make(concordat.Meta, len(md)+1)
	for k, v := range md {
		switch {
		case strings.HasPrefix(k, ":"):
			if k == ":authority" {
				meta["Host"] = v
			}
		case strings.HasSuffix(k, "-bin"):
			meta[textproto.CanonicalMIMEHeaderKey(k)] = mapped(v, encoded)
		default:
			meta[textproto.CanonicalMIMEHeaderKey(k)] = v
		}
	}
	return meta
}
