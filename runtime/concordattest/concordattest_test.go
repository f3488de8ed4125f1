package concordattest_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/concordattest"
)

func TestServe(t *testing.T) {
	spec := &concordat.Spec{Name: "p.S/M"}
	seen := 0
	count := func(ctx context.Context, c *concordat.Call, in any, next concordat.Next) (any, error) {
		seen++
		return next(ctx, in)
	}
	conn := concordattest.Serve(t, func(s *concordat.Server) {
		s.Mount(spec, "GET", "/x", func(w http.ResponseWriter, r *http.Request, _ []string) {
			if r.TLS == nil || len(r.TLS.PeerCertificates) != 1 {
				t.Error("not by mutual TLS")
			}
			_, _ = s.Intercept(r.Context(), &concordat.Call{Spec: spec, Side: concordat.Incoming}, nil, func(context.Context, any) (any, error) { return nil, nil })
			_, _ = io.WriteString(w, "hello")
		})
	}, concordat.WithInterceptors(count), concordat.WithDrain(concordat.DefaultDrain), concordat.WithRetries(0))
	_, err := conn.Invoke(t.Context(), &concordat.Call{Spec: spec}, nil, func(ctx context.Context, _ any) (any, error) {
		return nil, conn.Try(ctx, spec, func(ctx context.Context, a *concordat.Attempt) error {
			req, err := http.NewRequestWithContext(ctx, "GET", a.Base.String()+"/x", nil)
			if err != nil {
				return err
			}
			resp, err := a.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if b, _ := io.ReadAll(resp.Body); string(b) != "hello" {
				t.Errorf("%d %s", resp.StatusCode, b)
			}
			return nil
		})
	})
	if err != nil || seen != 2 {
		t.Errorf("%v; an option for both sides was seen %d times", err, seen)
	}
}
