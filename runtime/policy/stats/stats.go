// Package stats counts calls: per operation how many, how they failed, how often they
// were repeated, how many are in flight, and how long they took, in fixed buckets. A
// call costs a handful of atomic additions and no allocation. Endpoints are no label:
// their number changes, and what an operator asks first is which operation suffers.
//
// It imports only the standard library.
package stats

import (
	"math/bits"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Codes is how many codes there are; 0 stands for success.
const Codes = 17

// Buckets is how many latency buckets there are. The last holds what exceeds Bound of
// the one before.
const Buckets = 44

// octave is the binary logarithm of the first bound in nanoseconds: 32.8 µs.
const octave = 15

// Bound returns the upper bound of a bucket: 2^15 ns, 1.5 × that, 2^16 ns and so on, two
// for each doubling, up to 51.5 s. A quantile read from them is off by half at most.
func Bound(bucket int) time.Duration {
	d := time.Duration(1) << (octave + bucket/2)
	if bucket%2 == 1 {
		d += d / 2
	}
	return d
}

// bucket is the inverse of Bound.
func bucket(d time.Duration) int {
	if d <= 1<<octave {
		return 0
	}
	n := uint64(d - 1)
	k := bits.Len64(n) - 1 // 2^k <= n
	b := 2*(k-octave) + 1
	if n>>(k-1)&1 == 1 {
		b++
	}
	return min(b, Buckets-1)
}

// An Op holds the counters of one operation. The zero value is ready, and all methods
// may be called at the same time.
type Op struct {
	inFlight atomic.Int64
	retries  atomic.Int64
	sum      atomic.Int64 // nanoseconds
	failures [Codes]atomic.Int64
	buckets  [Buckets]atomic.Int64
}

// Begin counts a call in flight.
func (o *Op) Begin() { o.inFlight.Add(1) }

// End counts the end of one that Begin counted, which took d and ended with code.
func (o *Op) End(d time.Duration, code uint8) {
	o.inFlight.Add(-1)
	o.sum.Add(int64(d))
	o.buckets[bucket(d)].Add(1)
	if code != 0 {
		o.failures[min(int(code), Codes-1)].Add(1)
	}
}

// Retry counts one attempt beyond the first.
func (o *Op) Retry() { o.retries.Add(1) }

// InFlight returns how many calls have begun and not ended.
func (o *Op) InFlight() int64 { return o.inFlight.Load() }

// An Operation is a snapshot of one Op.
type Operation struct {
	Name     string
	Calls    int64        // ended, failed ones included
	InFlight int64        // not yet ended
	Retries  int64        // attempts beyond the first
	Failures [Codes]int64 // by code; [0] stays 0
	Sum      time.Duration
	Buckets  [Buckets]int64
}

// Failed returns how many calls failed.
func (o *Operation) Failed() int64 {
	var n int64
	for _, f := range o.Failures {
		n += f
	}
	return n
}

// Quantile returns the bound below which the share q of the calls stayed: 0.99 for the
// 99th percentile. Without calls it is 0.
func (o *Operation) Quantile(q float64) time.Duration {
	rank := int64(q * float64(o.Calls))
	for i, n := range o.Buckets {
		if rank -= n; rank < 0 {
			return Bound(i)
		}
	}
	if o.Calls == 0 {
		return 0
	}
	return Bound(Buckets - 1)
}

func (o *Op) snapshot(name string) Operation {
	s := Operation{Name: name, InFlight: o.inFlight.Load(), Retries: o.retries.Load(), Sum: time.Duration(o.sum.Load())}
	for i := range o.failures {
		s.Failures[i] = o.failures[i].Load()
	}
	for i := range o.buckets {
		s.Buckets[i] = o.buckets[i].Load()
		s.Calls += s.Buckets[i]
	}
	return s
}

// A Table holds the Op of every operation of one connection or server, by a key that
// identifies the operation. The zero value is empty and ready.
type Table struct {
	// A *sync.Map, made when first needed. It is out of sight since the compiler would make
	// the code of its generic parts again in every package that names a type which has it.
	ops atomic.Value
}

// opsOf is no method, since its result must be out of sight, too.
func opsOf(t *Table) *sync.Map {
	if m, ok := t.ops.Load().(*sync.Map); ok {
		return m
	}
	t.ops.CompareAndSwap(nil, new(sync.Map))
	return t.ops.Load().(*sync.Map)
}

type entry struct {
	name string
	Op
}

// Of returns the Op of key, which it makes when there is none. key must be a pointer:
// then looking it up does not allocate.
func (t *Table) Of(key any, name string) *Op {
	if e, ok := opsOf(t).Load(key); ok {
		return &e.(*entry).Op
	}
	e, _ := opsOf(t).LoadOrStore(key, &entry{name: name})
	return &e.(*entry).Op
}

// Snapshot returns all operations, ordered by name; those that share one are added up.
func (t *Table) Snapshot() []Operation {
	var all []Operation
	opsOf(t).Range(func(_, e any) bool {
		all = append(all, e.(*entry).snapshot(e.(*entry).name))
		return true
	})
	slices.SortFunc(all, func(a, b Operation) int { return strings.Compare(a.Name, b.Name) })
	return merge(all)
}

// merge adds up neighbours of one name.
func merge(all []Operation) []Operation {
	out := all[:0]
	for _, o := range all {
		if n := len(out); n > 0 && out[n-1].Name == o.Name {
			out[n-1].add(&o)
			continue
		}
		out = append(out, o)
	}
	return out
}

func (o *Operation) add(x *Operation) {
	o.Calls += x.Calls
	o.InFlight += x.InFlight
	o.Retries += x.Retries
	o.Sum += x.Sum
	for i := range x.Failures {
		o.Failures[i] += x.Failures[i]
	}
	for i := range x.Buckets {
		o.Buckets[i] += x.Buckets[i]
	}
}
