// Command server is the server that the conformance runner tests: it serves the runner's
// service by generated code, as any program would.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"

	v1 "github.com/concordat-dev/concordat/internal/conformance/gen/connectrpc/conformance/v1"
	"github.com/concordat-dev/concordat/internal/conformance/wire"
	concordat "github.com/concordat-dev/concordat/runtime"
	grpcengine "github.com/concordat-dev/concordat/runtime/engine/grpc"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "conformance server:", err)
		os.Exit(1)
	}
}

// serve serves as the runner asks until the runner kills it.
func serve() error {
	var asked v1.ServerCompatRequest
	if err := wire.Read(os.Stdin, &asked); err != nil {
		return err
	}
	opts, answer := options(&asked)
	addr := (*concordat.Server).Addr
	if os.Getenv("CONCORDAT_GRPC_ENGINE") != "" {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		opts = append(opts, grpcengine.ServeListener(ln))
		addr = func(*concordat.Server) string { return ln.Addr().String() }
	}
	s := concordat.NewServer(opts...)
	v1.RegisterConformanceService(s, service{})
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.Background()) }()
	select {
	case err := <-ended:
		return err
	case <-s.Ready():
	}
	host, port, err := net.SplitHostPort(addr(s))
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return err
	}
	answer.Host, answer.Port = host, uint32(n)
	if err := wire.Write(os.Stdout, answer); err != nil {
		return err
	}
	return <-ended
}

func options(asked *v1.ServerCompatRequest) ([]concordat.ServerOption, *v1.ServerCompatResponse) {
	opts, answer := []concordat.ServerOption{concordat.WithMiddleware(keepQuery)}, &v1.ServerCompatResponse{}
	if n := asked.GetMessageReceiveLimit(); n > 0 {
		opts = append(opts, concordat.WithMaxBody(int64(n)))
	}
	cert, key := asked.GetServerCreds().GetCert(), asked.GetServerCreds().GetKey()
	switch {
	case !asked.GetUseTls():
		return append(opts, concordat.WithPlaintext()), answer
	case len(asked.GetClientTlsCert()) > 0:
		opts = append(opts, concordat.WithTLS(tlsconf.MutualPEM(cert, key, asked.GetClientTlsCert())))
	default:
		opts = append(opts, concordat.WithTLS(tlsconf.ServerPEM(cert, key)))
	}
	answer.PemCert = cert
	return opts, answer
}

type queryKey struct{}

// keepQuery lets the service see the query of a GET, which it has to report.
func keepQuery(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			r = r.WithContext(context.WithValue(r.Context(), queryKey{}, r.URL.Query()))
		}
		next.ServeHTTP(w, r)
	})
}

func queryOf(ctx context.Context) url.Values {
	q, _ := ctx.Value(queryKey{}).(url.Values)
	return q
}
