package generator_test

import (
	"testing"

	"github.com/concordat-dev/concordat/contract"
)

func TestEvents(t *testing.T) {
	order := &contract.Type{Name: "OrderPlaced", Schema: object(required("id", scalar(contract.UUID)), required("lines", list(str())))}
	placed := &contract.Message{Name: "OrderPlaced", Bodies: []*contract.Body{{Media: "application/json", Schema: ref(order), Required: true}},
		Headers: []*contract.Field{optional("trace", str())}, Key: &contract.Location{In: "payload", Pointer: "/id"}}
	answer := &contract.Message{Name: "Answer", Bodies: []*contract.Body{{Media: "text/plain", Schema: str()}}}
	blob := &contract.Message{Bodies: []*contract.Body{{Media: "avro/binary"}}}
	channel := func(address string) *contract.Channel {
		return &contract.Channel{Name: "orders", Address: address, Bindings: []*contract.Binding{
			{Protocol: "", On: "operation", Values: []contract.Value{{Key: "deadLetter", Text: "dead"}}},
			{Protocol: "mqtt", On: "operation", Values: []contract.Value{{Key: "qos", Text: "1"}, {Key: "bindingVersion", Text: "0.2.0"}}}}}
	}
	asking := channel("ask")
	asking.Reply = &contract.Reply{Message: answer}
	c := &contract.Contract{Name: "orders", Format: contract.AsyncAPI, Source: "orders.yaml", Types: []*contract.Type{order}, Services: []*contract.Service{
		{Name: "OrdersSend", Operations: []*contract.Operation{
			{Name: "placed", Kind: contract.Send, In: placed, Wire: channel("orders/{shop}")},
			{Name: "placedAgain", Kind: contract.Send, In: placed, Wire: channel("again/{shop}")},
			{Name: "ask", Kind: contract.Request, In: placed, Wire: asking}}},
		{Name: "OrdersReceive", Operations: []*contract.Operation{{Name: "blob", Kind: contract.Receive, In: blob, Wire: channel("")}}}}}
	src, _, _ := generate(t, c)
	wants(t, src, "type OrdersSend interface", "type SendPublisher struct", "func NewSendPublisher(", "func SubscribeSend(", "type ReceivePublisher struct", "func SubscribeReceive(",
		"Placed(ctx context.Context, m *OrderPlacedMessage) error", "PlacedAgain(ctx context.Context, m *OrderPlacedMessage) error",
		"Ask(ctx context.Context, m *OrderPlacedMessage2) (*Answer, error)", "Blob(ctx context.Context, m *BlobMessage) error",
		"return m.Payload.ID.String()", `DeadLetter: "dead"`, `{Protocol: "mqtt", Name: "qos", Value: "1"}`, "Shop string // address", "Trace *string // header",
		"Payload OrderPlaced", "Payload []byte", "Payload string")
}

// A service of nothing but requests is described by who receives them.
func TestWhoReceivesRequests(t *testing.T) {
	for incoming, want := range map[bool]string{true: "that the application of this contract receives", false: "that the application of this contract sends"} {
		ask := &contract.Channel{Name: "ask", Address: "ask", Reply: &contract.Reply{Message: &contract.Message{Name: "Answer"}}}
		c := &contract.Contract{Name: "asks", Format: contract.AsyncAPI, Source: "asks.yaml", Services: []*contract.Service{
			{Name: "Asks", Operations: []*contract.Operation{{Name: "ask", Kind: contract.Request, Incoming: incoming, In: &contract.Message{Name: "Question"}, Wire: ask}}}}}
		src, _, _ := generate(t, c)
		wants(t, src, want)
	}
}
