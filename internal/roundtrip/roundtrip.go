// Package roundtrip holds generated code to its contract over the wire, for contracts
// that it has never seen: it draws requests and replies that the tables allow, sends
// them through the generated client to a server with the generated fake behind it, and
// compares what arrives; and it breaks one rule at a time and expects to be refused.
//
// It is for tests. It imports runtime and what is below it, a JSON Schema validator that
// judges independently, Protobuf's reflection and the standard library.
package roundtrip

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// A Service is a generated service, as a generated test hands it over.
type Service struct {
	Ops      map[string]any    // by method: *stub.Op[In, Out] and its kin
	On       map[string]string // by method: the fake's field
	Fake     any               // the fake, a struct
	Register any               // func(*concordat.Server, Interface)
	New      any               // func(*concordat.Conn) *Client
	Document []byte            // the contract as JSON, for kin-openapi to judge by; nil: it does not
	Draws    int               // how often each operation is called; 0: 5
}

// A subject is a service under test.
type subject struct {
	Service
	conn   *concordat.Conn
	filter *filter       // nil: nobody judges
	impl   reflect.Value // the fake
	client reflect.Value

	stranger reflect.Value // a client without credentials
	mu       sync.Mutex
	reply    func(args []reflect.Value) []reflect.Value // of the operation that is being called
}

// newSubject fills the fake: every method asks s.reply.
func newSubject(svc Service) *subject {
	s := &subject{Service: svc}
	if s.Draws == 0 {
		s.Draws = 5
	}
	s.impl = reflect.New(reflect.TypeOf(svc.Fake)).Elem()
	for _, field := range svc.On {
		f := s.impl.FieldByName(field)
		f.Set(reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
			s.mu.Lock()
			reply := s.reply
			s.mu.Unlock()
			return reply(args)
		}))
	}
	return s
}

func (s *subject) answer(reply func([]reflect.Value) []reflect.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = reply
}

// register is what concordattest.Serve wants.
func (s *subject) register(srv *concordat.Server) {
	reflect.ValueOf(s.Register).Call([]reflect.Value{reflect.ValueOf(srv), s.impl})
}

// dial makes the client of a connection.
func (s *subject) dial(conn *concordat.Conn) {
	s.conn = conn
	s.client = s.clientOf(conn)
}

func (s *subject) clientOf(conn *concordat.Conn) reflect.Value {
	return reflect.ValueOf(s.New).Call([]reflect.Value{reflect.ValueOf(conn)})[0]
}

// each runs f for every operation, with a source of its own.
func (s *subject) each(t *testing.T, f func(t *testing.T, method string, r *rand.Rand)) {
	for _, method := range slices.Sorted(maps.Keys(s.Ops)) {
		t.Run(method, func(t *testing.T) { f(t, method, source(method)) })
	}
}

// source is the same for one name, in every run.
func source(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}

// call calls a method of impl or of the client. The last result is the error.
func call(ctx context.Context, target reflect.Value, method string, in reflect.Value) (out reflect.Value, err error) {
	res := target.MethodByName(method).Call([]reflect.Value{reflect.ValueOf(ctx), in})
	err, _ = res[len(res)-1].Interface().(error)
	if len(res) == 2 {
		out = res[0]
	}
	return out, err
}

// results are what a method with these results returns.
func results(f reflect.Type, out reflect.Value, err error) []reflect.Value {
	e := reflect.Zero(reflect.TypeFor[error]())
	if err != nil {
		e = reflect.ValueOf(&err).Elem()
	}
	if f.NumOut() == 1 {
		return []reflect.Value{e}
	}
	if !out.IsValid() || err != nil {
		out = reflect.Zero(f.Out(0))
	}
	return []reflect.Value{out, e}
}

// differ describes the first difference of two shown values.
func differ(want, got string) string {
	n := 0
	for n < len(want) && n < len(got) && want[n] == got[n] {
		n++
	}
	from := max(0, n-80)
	cut := func(s string) string { return s[min(from, len(s)):min(n+160, len(s))] }
	return fmt.Sprintf("from byte %d:\n\twant …%s\n\tgot  …%s", n, cut(want), cut(got))
}
