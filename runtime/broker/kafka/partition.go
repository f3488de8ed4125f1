package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A partition keeps, for as long as it is ours, what came and is not committed. An offset
// says that all before it was handled, so it moves on only as far as there is no gap.
type partition struct {
	mark func(*kgo.Record) // nil: nothing is committed
	gone chan struct{}     // closed when it is another member's

	mu   sync.Mutex
	open []*entry // in order
	over bool
	busy sync.WaitGroup
}

// An entry is one record that came.
type entry struct {
	*partition
	record *kgo.Record
	done   bool
}

func newPartition(mark func(*kgo.Record)) *partition {
	return &partition{mark: mark, gone: make(chan struct{})}
}

func (p *partition) add(r *kgo.Record) *entry {
	e := &entry{partition: p, record: r}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, e)
	return e
}

// begin says whether the record may be handled still; if so, end must follow.
func (e *entry) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return false
	}
	e.busy.Add(1)
	return true
}

func (e *entry) end() { e.busy.Done() }

// finish says that the record was handled, and marks as much as can be committed. It returns
// how many records it is done with.
func (e *entry) finish() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done = true
	n := 0
	for n < len(e.open) && e.open[n].done {
		n++
	}
	if n == 0 {
		return 0
	}
	last := e.open[n-1].record
	e.open = append(e.open[:0], e.open[n:]...)
	if e.mark != nil {
		e.mark(last)
	}
	return n
}

// leave lets no record begin any more, and returns how many were not handled.
func (p *partition) leave() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.over = true
		close(p.gone)
	}
	return len(p.open)
}
