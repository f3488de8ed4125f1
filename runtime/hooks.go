package runtime

import (
	lru "container/list"
	"sync"
)

// Hooks are connections to the URLs of many subscribers, as [NewHook] makes them: the ones
// that were used last are kept. Safe for concurrent use.
type Hooks struct {
	opts []ConnOption
	most int

	mu    sync.Mutex
	byURL map[string]*lru.Element
	used  *lru.List // of *kept, the last one used in front
}

type kept struct {
	url  string
	conn *Conn
}

// NewHooks keeps up to most connections, at least one, each with opts. One that was used
// least gives way: its idle connections are closed, and calls of it go on.
func NewHooks(most int, opts ...ConnOption) *Hooks {
	return &Hooks{opts: opts, most: max(most, 1), byURL: map[string]*lru.Element{}, used: lru.New()}
}

// Conn returns the connection to a subscriber's URL; see [NewHook] for what it refuses. It
// does no I/O, and the caller need not close it.
func (h *Hooks) Conn(rawURL string) (*Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.byURL[rawURL]; e != nil {
		h.used.MoveToFront(e)
		return e.Value.(*kept).conn, nil
	}
	conn, err := NewHook(rawURL, h.opts...)
	if err != nil {
		return nil, err
	}
	h.byURL[rawURL] = h.used.PushFront(&kept{rawURL, conn})
	if h.used.Len() > h.most {
		last := h.used.Remove(h.used.Back()).(*kept)
		delete(h.byURL, last.url)
		last.conn.wires().closeIdle()
	}
	return conn, nil
}

// Close closes all connections that are kept.
func (h *Hooks) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for e := h.used.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*kept).conn.Close()
	}
	h.used.Init()
	clear(h.byURL)
	return nil
}
