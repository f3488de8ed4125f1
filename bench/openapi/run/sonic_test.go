package run

import (
	"reflect"
	"testing"
	"time"

	"github.com/bytedance/sonic"
	"github.com/google/uuid"
)

// sonic is no generator: it reads and writes structs that somebody wrote, and these are
// the easiest ones for it. The union is one struct with all that its variants have, so
// that nothing has to be told apart, and nothing is validated but UTF-8, which the others
// check, too. Order and page hold the same as those of the other sides.
type sonicOrder struct {
	ID         uuid.UUID         `json:"id"`
	CustomerID uuid.UUID         `json:"customerId"`
	Status     string            `json:"status"`
	Currency   string            `json:"currency"`
	PlacedAt   time.Time         `json:"placedAt"`
	ShippedAt  *time.Time        `json:"shippedAt,omitempty"`
	Total      int64             `json:"total"`
	Weight     *float64          `json:"weight,omitempty"`
	Gift       *bool             `json:"gift,omitempty"`
	Note       *string           `json:"note,omitempty"`
	Tags       []string          `json:"tags,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Payment    struct {
		Kind      string     `json:"kind"`
		Brand     string     `json:"brand,omitempty"`
		Last4     string     `json:"last4,omitempty"`
		Expires   string     `json:"expires,omitempty"`
		IBAN      string     `json:"iban,omitempty"`
		Reference *string    `json:"reference,omitempty"`
		DueAt     *time.Time `json:"dueAt,omitempty"`
	} `json:"payment"`
	Lines    []sonicLine `json:"lines"`
	Shipping struct {
		Name    *string `json:"name,omitempty"`
		Street  string  `json:"street"`
		City    string  `json:"city"`
		Zip     *string `json:"zip,omitempty"`
		Country string  `json:"country"`
	} `json:"shipping"`
	Parcels [][]int32 `json:"parcels,omitempty"`
}

type sonicLine struct {
	SKU       string  `json:"sku"`
	Title     *string `json:"title,omitempty"`
	Quantity  int32   `json:"quantity"`
	UnitPrice int64   `json:"unitPrice"`
	Discounts []struct {
		Code   string `json:"code"`
		Amount int64  `json:"amount"`
	} `json:"discounts,omitempty"`
}

type sonicPage struct {
	Items      []sonicOrder `json:"items"`
	NextCursor *string      `json:"nextCursor,omitempty"`
}

// Where a body is the program's own, strings may point into it, as ours do there.
var (
	sonicOwned  = sonic.Config{ValidateString: true, SortMapKeys: true}.Froze()
	sonicCopies = sonic.Config{ValidateString: true, SortMapKeys: true, CopyString: true}.Froze()
)

func readSonic[T any](tb testing.TB, api sonic.API, data []byte) *T {
	v := new(T)
	if err := api.Unmarshal(data, v); err != nil {
		tb.Fatal(err)
	}
	return v
}

// What sonic reads and writes is the same order.
func TestSonicReadsAndWritesTheSame(t *testing.T) {
	for data, v := range map[string]any{
		orderJSON: readSonic[sonicOrder](t, sonicOwned, []byte(orderJSON)),
		pageJSON:  readSonic[sonicPage](t, sonicCopies, []byte(pageJSON)),
	} {
		out, err := sonicCopies.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(general(t, string(out)), general(t, data)) {
			t.Errorf("wrote\n%s\nfor\n%s", out, data)
		}
	}
}
