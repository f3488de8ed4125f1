package codec_test

import (
	"time"
	"unsafe"

	. "github.com/concordat-dev/concordat/runtime/codec"
)

// What the generator prints for a small shop, written by hand.

type Status string

type Address struct {
	Street  string      `json:"street"`
	City    string      `json:"city"`
	Zip     Opt[string] `json:"zip,omitzero"`
	Country string      `json:"country"`
}

type Item struct {
	SKU      string       `json:"sku"`
	Name     *string      `json:"name,omitzero"`
	Quantity int32        `json:"quantity"`
	Price    float64      `json:"price"`
	Discount Opt[float64] `json:"discount,omitzero"`
	Tags     []string     `json:"tags,omitzero"`
}

type Payment interface{ isPayment() }

type Card struct {
	Last4 string  `json:"last4"`
	Brand *string `json:"brand,omitzero"`
}

type IBAN struct {
	IBAN string `json:"iban"`
}

func (*Card) isPayment() {}
func (*IBAN) isPayment() {}

type Order struct {
	ID         UUIDValue         `json:"id"`
	Status     Status            `json:"status"`
	CreatedAt  time.Time         `json:"created_at"`
	ShippedAt  Opt[time.Time]    `json:"shipped_at,omitzero"`
	CustomerID int64             `json:"customer_id"`
	Note       *string           `json:"note,omitzero"`
	Comment    Opt[string]       `json:"comment,omitzero"`
	Shipping   Address           `json:"shipping"`
	Billing    *Address          `json:"billing,omitzero"`
	Items      []Item            `json:"items"`
	Total      float64           `json:"total"`
	Paid       *bool             `json:"paid,omitzero"`
	Metadata   map[string]string `json:"metadata,omitzero"`
	Payment    Payment           `json:"payment,omitzero"`
}

var statusTable = Type{Kind: Enum, Size: unsafe.Sizeof(Status("")), Go: (*Status)(nil), Enum: []string{"pending", "paid", "shipped", "cancelled"}}

var paymentTable = Type{Kind: Union, Size: unsafe.Sizeof(Payment(nil)), Go: (*Payment)(nil), Union: &UnionType{Tag: "kind", Variants: []Variant{
	{Tags: []string{"card"}, T: &cardTable, Set: func(p unsafe.Pointer) unsafe.Pointer { v := new(Card); *(*Payment)(p) = v; return unsafe.Pointer(v) }},
	{Tags: []string{"iban"}, T: &ibanTable, Set: func(p unsafe.Pointer) unsafe.Pointer { v := new(IBAN); *(*Payment)(p) = v; return unsafe.Pointer(v) }},
}, Get: func(p unsafe.Pointer) (int, unsafe.Pointer) {
	switch v := (*(*Payment)(p)).(type) {
	case *Card:
		return 0, unsafe.Pointer(v)
	case *IBAN:
		return 1, unsafe.Pointer(v)
	}
	return -1, nil
}}}

var addressTable = Type{Kind: Object, Size: unsafe.Sizeof(Address{}), Go: (*Address)(nil), Required: 3, Fields: []Field{
	{Key: `,"street":`, Off: unsafe.Offsetof(Address{}.Street), Flag: Req, R: &Rule{Has: MaxLen, MaxLen: 200}},
	{Key: `,"city":`, Off: unsafe.Offsetof(Address{}.City), Flag: Req},
	{Key: `,"zip":`, Off: unsafe.Offsetof(Address{}.Zip), Flag: Maybe | Null},
	{Key: `,"country":`, Off: unsafe.Offsetof(Address{}.Country), Flag: Req, R: &Rule{Has: MinLen | MaxLen, MinLen: 2, MaxLen: 2}},
}}

var itemTable = Type{Kind: Object, Size: unsafe.Sizeof(Item{}), Go: (*Item)(nil), Required: 3, Fields: []Field{
	{Key: `,"sku":`, Off: unsafe.Offsetof(Item{}.SKU), Flag: Req},
	{Key: `,"name":`, Off: unsafe.Offsetof(Item{}.Name), Flag: Ptr},
	{Key: `,"quantity":`, Kind: Int32, Off: unsafe.Offsetof(Item{}.Quantity), Flag: Req, R: &Rule{Has: Min, Min: 1}},
	{Key: `,"price":`, Kind: Float64, Off: unsafe.Offsetof(Item{}.Price), Flag: Req},
	{Key: `,"discount":`, Kind: Float64, Off: unsafe.Offsetof(Item{}.Discount), Flag: Maybe | Null},
	{Key: `,"tags":`, Kind: Slice, T: &StringsTable, Off: unsafe.Offsetof(Item{}.Tags)},
}}

var cardTable = Type{Kind: Object, Size: unsafe.Sizeof(Card{}), Go: (*Card)(nil), Required: 2, Fields: []Field{
	{Key: `,"kind":`, Kind: Const, T: &Type{Kind: Const, Const: `"card"`}, Flag: Req},
	{Key: `,"last4":`, Off: unsafe.Offsetof(Card{}.Last4), Flag: Req},
	{Key: `,"brand":`, Off: unsafe.Offsetof(Card{}.Brand), Flag: Ptr},
}}

var ibanTable = Type{Kind: Object, Size: unsafe.Sizeof(IBAN{}), Go: (*IBAN)(nil), Required: 2, Fields: []Field{
	{Key: `,"kind":`, Kind: Const, T: &Type{Kind: Const, Const: `"iban"`}, Flag: Req},
	{Key: `,"iban":`, Off: unsafe.Offsetof(IBAN{}.IBAN), Flag: Req},
}}

var orderTable = Type{Kind: Object, Size: unsafe.Sizeof(Order{}), Go: (*Order)(nil), Required: 7, Fields: []Field{
	{Key: `,"id":`, Kind: UUID, Off: unsafe.Offsetof(Order{}.ID), Flag: Req},
	{Key: `,"status":`, Kind: Enum, T: &statusTable, Off: unsafe.Offsetof(Order{}.Status), Flag: Req},
	{Key: `,"created_at":`, Kind: Time, Off: unsafe.Offsetof(Order{}.CreatedAt), Flag: Req},
	{Key: `,"shipped_at":`, Kind: Time, Off: unsafe.Offsetof(Order{}.ShippedAt), Flag: Maybe | Null},
	{Key: `,"customer_id":`, Kind: Int64, Off: unsafe.Offsetof(Order{}.CustomerID), Flag: Req},
	{Key: `,"note":`, Off: unsafe.Offsetof(Order{}.Note), Flag: Ptr},
	{Key: `,"comment":`, Off: unsafe.Offsetof(Order{}.Comment), Flag: Maybe | Null},
	{Key: `,"shipping":`, Kind: Object, T: &addressTable, Off: unsafe.Offsetof(Order{}.Shipping), Flag: Req},
	{Key: `,"billing":`, Kind: Object, T: &addressTable, Off: unsafe.Offsetof(Order{}.Billing), Flag: Ptr},
	{Key: `,"items":`, Kind: Slice, T: &Type{Kind: Slice, Elem: &itemTable}, Off: unsafe.Offsetof(Order{}.Items), Flag: Req},
	{Key: `,"total":`, Kind: Float64, Off: unsafe.Offsetof(Order{}.Total), Flag: Req},
	{Key: `,"paid":`, Kind: Bool, Off: unsafe.Offsetof(Order{}.Paid), Flag: Ptr},
	{Key: `,"metadata":`, Kind: Map, T: &StringMapTable, Off: unsafe.Offsetof(Order{}.Metadata)},
	{Key: `,"payment":`, Kind: Union, T: &paymentTable, Off: unsafe.Offsetof(Order{}.Payment)},
}}

func (v Order) MarshalJSON() ([]byte, error)  { return orderTable.Marshal(unsafe.Pointer(&v)) }
func (v *Order) UnmarshalJSON(b []byte) error { return orderTable.Unmarshal(b, unsafe.Pointer(v)) }
func (*Order) ConcordatTable() *Type          { return &orderTable }

type Node struct {
	Name string           `json:"name"`
	Kids []Node           `json:"kids,omitzero"`
	Next *Node            `json:"next,omitzero"`
	By   map[string]*Node `json:"by,omitzero"`
}

// A self reference through &nodeTable would be an initialisation cycle; through the
// method set of a nil *Node it is not, and it is still static data.
var nodeTable = Type{Kind: Object, Size: unsafe.Sizeof(Node{}), Go: (*Node)(nil), Required: 1, Fields: []Field{
	{Key: `,"name":`, Off: unsafe.Offsetof(Node{}.Name), Flag: Req},
	{Key: `,"kids":`, Kind: Slice, T: &Type{Kind: Slice, Elem: &Type{Kind: Lazy, Lazy: (*Node)(nil)}}, Off: unsafe.Offsetof(Node{}.Kids)},
	{Key: `,"next":`, Kind: Lazy, T: &Type{Kind: Lazy, Lazy: (*Node)(nil)}, Off: unsafe.Offsetof(Node{}.Next), Flag: Ptr},
	{Key: `,"by":`, Kind: Map, T: &Type{Kind: Map, Elem: &Type{Kind: Lazy, Lazy: (*Node)(nil)}, ElemFlag: Ptr | Null, Map: (*MapOf[*Node])(nil)}, Off: unsafe.Offsetof(Node{}.By)},
}}

func (*Node) ConcordatTable() *Type { return &nodeTable }

const orderJSON = `{"id":"7f6dc1e2-7a3f-4a51-9d3b-0c3a1f2e4b5d","status":"paid","created_at":"2024-05-17T09:30:15.123456Z","shipped_at":null,"customer_id":9007199254740993,"note":"Please leave at the door","comment":"naïve \"quoted\" text","shipping":{"street":"1 High Street","city":"Leeds","zip":"LS1 4AP","country":"GB"},"billing":{"street":"22 Acacia Avenue","city":"Boston","zip":null,"country":"US"},"items":[{"sku":"SKU-001234-AB","name":"Widget","quantity":2,"price":19.99,"discount":0.1,"tags":["blue","small"]},{"sku":"SKU-004567-CD","quantity":5,"price":24.45,"discount":null}],"total":162.23,"paid":true,"metadata":{"utm":"spring","web":"yes"},"payment":{"kind":"card","last4":"4242","brand":"visa"}}`
