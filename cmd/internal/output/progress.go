package output

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress is one line on a terminal that says what is going on. It appears only when
// work takes longer than a moment, and is gone when the work is done. The zero Progress
// is silent.
type Progress struct {
	w    io.Writer
	stop func()

	mu    sync.Mutex
	text  string
	drawn bool
}

// A line that is wider than the terminal could not be taken back.
const widest = 60

// Work that is over before this leaves no trace.
const patience = 300 * time.Millisecond

var spinner = [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// NewProgress starts a line on w, which must be a terminal. Stop ends it.
func NewProgress(w io.Writer) *Progress {
	done := make(chan struct{})
	var wg sync.WaitGroup
	p := &Progress{w: w, stop: sync.OnceFunc(func() { close(done); wg.Wait() })}
	wg.Go(func() { p.run(done) })
	return p
}

func (p *Progress) run(done chan struct{}) {
	begun := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-done:
			p.clear()
			return
		case <-tick.C:
			if time.Since(begun) > patience {
				p.draw(spinner[i%len(spinner)], time.Since(begun))
			}
		}
	}
}

// Step says what is being done now.
func (p *Progress) Step(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = fmt.Sprintf(format, args...)
	if r := []rune(p.text); len(r) > widest {
		p.text = string(r[:widest-1]) + "…"
	}
}

// Stop removes the line. It may be called more than once.
func (p *Progress) Stop() {
	if p.stop != nil {
		p.stop()
	}
}

func (p *Progress) draw(mark string, since time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drawn = true
	fmt.Fprintf(p.w, "\r\x1b[K%s %s (%.0fs)", mark, p.text, since.Seconds())
}

func (p *Progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
