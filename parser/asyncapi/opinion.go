package asyncapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	second "github.com/asyncapi/parser-go/pkg/parser"

	"github.com/concordat-dev/concordat/parser/internal/node"
)

// Bounds on what asyncapi/parser-go is asked, and for how long.
const (
	opinionTime  = 800 * time.Millisecond
	opinionNodes = 20_000
)

// asking is held while parser-go runs: it keeps maps of its own without a lock.
var asking = make(chan struct{}, 1)

// secondOpinion asks asyncapi/parser-go, the project's own Go parser, what it makes of a
// document of version 2 in which we found no fault. It serves to catch what the schemas
// that it brings, an older edition than ours, and its walk through the messages see and
// we do not. It rejects valid documents, too, so what it says is never more than a
// warning, and it cannot be the model: it has no positions, resolves references against
// the process directory, takes recursion for an error, panics, and fetches from the
// network without limit. So it gets one bundled document without references, runs under
// recover and a deadline, and a document that cannot be bundled is not shown to it.
func (r *reader) secondOpinion() {
	if r.version.major != 2 {
		return
	}
	b := &bundler{r: r, left: opinionNodes}
	doc, ok := b.bundle(r.root).(map[string]any)
	if !ok || b.failed {
		return
	}
	doc["asyncapi"] = r.version.String()
	data, err := json.Marshal(doc)
	if err != nil {
		return
	}
	if complaint := ask(data, opinionTime); complaint != "" {
		r.diags.Warnf("second-opinion", r.root.Span(), "asyncapi/parser-go objects: %s", complaint).Help =
			"the official schema accepts the document; this may be the other parser's fault"
	}
}

// ask returns what parser-go has against a document, "" where it has nothing, does not
// answer in time, or breaks. One that never answers keeps all later questions from being
// asked.
func ask(data []byte, limit time.Duration) string {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case asking <- struct{}{}:
	case <-timer.C:
		return ""
	}
	answer := make(chan string, 1)
	go func() {
		defer func() {
			_ = recover() // a parser that panics has no opinion
			close(answer)
			<-asking
		}()
		answer <- opinion(data)
	}()
	select {
	case s := <-answer:
		return s
	case <-timer.C:
		return ""
	}
}

func opinion(data []byte) string {
	parse, err := second.New()
	if err != nil {
		return ""
	}
	if err := parse(bytes.NewReader(data), nil); err != nil {
		s := strings.Join(strings.Fields(fmt.Sprint(err)), " ")
		return s[:min(len(s), 300)]
	}
	return ""
}

// A bundler copies a document, putting in the place of every reference what it leads to.
type bundler struct {
	r      *reader
	open   []*node.Node // targets that are being copied
	left   int          // nodes that may still be copied
	failed bool         // the document is recursive, too large, or refers to what is not there
}

func (b *bundler) bundle(n *node.Node) any {
	if b.left--; b.left < 0 || b.failed {
		b.failed = true
		return nil
	}
	if text, ref := n.Ref(); ref != nil {
		return b.target(n, text)
	}
	switch n.Kind() {
	case node.Map:
		out := make(map[string]any, n.Len())
		for key, kid := range n.Entries() {
			out[key] = b.bundle(kid)
		}
		return out
	case node.List:
		out := make([]any, 0, n.Len())
		for kid := range n.Items() {
			out = append(out, b.bundle(kid))
		}
		return out
	}
	return plain(n)
}

func (b *bundler) target(n *node.Node, text string) any {
	target := b.r.loader.Lookup(n, text)
	for _, t := range b.open {
		if t == target {
			target = nil
		}
	}
	if target == nil {
		b.failed = true
		return nil
	}
	b.open = append(b.open, target)
	out := b.bundle(target)
	b.open = b.open[:len(b.open)-1]
	return out
}
