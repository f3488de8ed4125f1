package generator_test

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
)

// An operation that answers with one value or a stream, as is asked, has a field for each.
func TestOneOrStream(t *testing.T) {
	whole := &contract.Type{Name: "Whole", Schema: object(required("id", str()))}
	piece := &contract.Type{Name: "Piece", Schema: object(required("text", str()))}
	op := get("complete", "/complete", ref(whole))
	op.Out[0].Body.Bodies = append(op.Out[0].Body.Bodies,
		&contract.Body{Media: "text/event-stream; charset=utf-8", Schema: ref(piece), Item: ref(piece), End: "[DONE]"},
		&contract.Body{Media: "application/jsonl", Schema: ref(piece), Item: ref(piece)},
		&contract.Body{Media: "application/json-seq", Schema: ref(whole), Item: ref(whole)},
		&contract.Body{Media: "multipart/mixed", Item: ref(piece)})
	src, _, ds := generate(t, document([]*contract.Type{whole, piece}, op))
	wants(t, src,
		"Complete(ctx context.Context, in *CompleteRequest) (*CompleteResponse, error)",
		"Body *Whole",
		"Events iter.Seq2[*Piece, error] // text/event-stream; charset=utf-8; the call ends when ranging over it does",
		"Items iter.Seq2[*Whole, error]",
		"BodyBytes io.ReadCloser",
		`Media: "application/jsonl", Kind: codec.Object, T: &pieceTable, Off: unsafe.Offsetof(CompleteResponse{}.Events), Items: stub.Items[Piece]{}`,
		`End: "[DONE]"`)
	var codes []string
	for _, d := range ds {
		codes = append(codes, d.Code)
	}
	if got := strings.Join(codes, " "); got != "stream-as-bytes" {
		t.Errorf("findings: %s", got)
	}
}
