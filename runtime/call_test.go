package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/concordattest"
)

func TestInterceptors(t *testing.T) {
	var order []string
	note := func(name string) concordat.Interceptor {
		return func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
			order = append(order, name+" "+call.Side.String()+" "+call.Name)
			out, err := next(ctx, in.(string)+name)
			if s, ok := out.(string); ok {
				out = s + name
			}
			return out, err
		}
	}
	refuse := func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
		if strings.Contains(in.(string), "refuse") {
			return nil, concordat.Errorf(concordat.PermissionDenied, "no")
		}
		return next(ctx, in)
	}
	c := concordattest.Serve(t, func(s *concordat.Server) {
		answer(s, &postSpec, func(_ context.Context, in string) (string, error) { return in, nil })
	}, concordat.WithInterceptors(note("a")), concordat.WithInterceptors(note("b"), refuse))
	out, err := do(t.Context(), c, &postSpec, "-")
	if err != nil || out != "-ababbaba" {
		t.Errorf("%q, %v", out, err)
	}
	want := []string{"a client test.Things/Add", "b client test.Things/Add", "a server test.Things/Add", "b server test.Things/Add"}
	if !slices.Equal(order, want) {
		t.Errorf("order %q", order)
	}
	if _, err := do(t.Context(), c, &postSpec, "refuse"); code(err) != concordat.PermissionDenied {
		t.Error(err)
	}
	s := c.Stats()
	if len(s) != 1 || s[0].Calls != 2 || s[0].Failures[concordat.PermissionDenied] != 1 || s[0].InFlight != 0 {
		t.Errorf("statistics %+v", s)
	}
}

func TestStreamsCountUntilTheyEnd(t *testing.T) {
	spec := &concordat.Spec{Name: "test.Things/Watch", Kind: concordat.ServerStream}
	s := concordat.NewServer()
	open := func(result error) func(error) {
		var end func(error)
		_, _ = s.Intercept(t.Context(), &concordat.Call{Spec: spec}, nil, func(ctx context.Context, _ any) (any, error) {
			return nil, result
		})
		_, _ = s.Intercept(t.Context(), &concordat.Call{Spec: spec}, nil, func(ctx context.Context, _ any) (any, error) {
			return nil, nil
		})
		call := &concordat.Call{Spec: spec}
		_, _ = s.Intercept(t.Context(), call, nil, func(ctx context.Context, _ any) (any, error) {
			end = call.Stream()
			return nil, result
		})
		return end
	}
	end := open(nil)
	if o := s.Stats()[0]; o.InFlight != 1 || o.Calls != 2 {
		t.Errorf("with one stream open: %d in flight, %d ended", o.InFlight, o.Calls)
	}
	end(errors.New("broke"))
	end(nil)
	if o := s.Stats()[0]; o.InFlight != 0 || o.Calls != 3 || o.Failures[concordat.Unknown] != 1 {
		t.Errorf("after its end: %+v", o)
	}
	open(concordat.Errorf(concordat.NotFound, "none"))(nil)
	if o := s.Stats()[0]; o.InFlight != 0 || o.Failures[concordat.NotFound] != 2 {
		t.Errorf("a stream that failed to open: %+v", o)
	}
	(&concordat.Call{Spec: spec}).Stream()(nil) // outside of Invoke: nothing to count
}

func TestPanicsCountAndStayInside(t *testing.T) {
	s := concordat.NewServer()
	_, err := s.Intercept(t.Context(), &concordat.Call{Spec: &getSpec}, nil, func(context.Context, any) (any, error) { panic("boom") })
	if code(err) != concordat.Internal || strings.Contains(err.Error(), "boom") {
		t.Error(err)
	}
	if o := s.Stats()[0]; o.InFlight != 0 || o.Failures[concordat.Internal] != 1 {
		t.Errorf("%+v", o)
	}
	c := dial(t, "http://h")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a client's panic was swallowed")
			}
		}()
		_, _ = c.Invoke(t.Context(), &concordat.Call{Spec: &getSpec}, nil, func(context.Context, any) (any, error) { panic("boom") })
	}()
	if o := c.Stats()[0]; o.InFlight != 0 || o.Failures[concordat.Internal] != 1 {
		t.Errorf("%+v", o)
	}
}

func TestNames(t *testing.T) {
	for k, want := range map[concordat.Kind]string{concordat.Unary: "unary", concordat.Request: "request", concordat.Request + 1: "unknown kind"} {
		if k.String() != want {
			t.Errorf("%d: %s", k, k)
		}
	}
	call := &concordat.Call{}
	call.SetMeta("x-tenant", "a")
	if fmt.Sprint(call.Meta) != "map[X-Tenant:[a]]" {
		t.Error(call.Meta)
	}
	conn := dial(t, "dns:h:1")
	if conn.String() != "dns://h:1" {
		t.Error(conn)
	}
}

// A service links neither Protobuf nor a broker nor telemetry unless it uses them.
func TestWhatTheRuntimeLinks(t *testing.T) {
	const module = "github.com/concordat-dev/concordat/runtime"
	for _, pkg := range []string{module, module + "/stub", module + "/concordattest"} {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", pkg).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for dep := range strings.FieldsSeq(string(out)) {
			if !strings.HasPrefix(dep, module) {
				t.Errorf("%s links %s", pkg, dep)
			}
			for _, not := range []string{"/broker/", "/stub/rpc"} {
				if strings.HasPrefix(dep, module+not) && dep != module+"/broker/dedup" { // a seam, of the standard library
					t.Errorf("%s links %s", pkg, dep)
				}
			}
		}
	}
}
