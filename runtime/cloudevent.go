package runtime

import "time"

// A CloudEvent is what a message says of the event in it (CloudEvents 1.0.2, section 3).
// Publishers fill in what is left empty and known: ID gets a random one, Type and Source
// those of the contract where it says them, Time the present. A message read has all that
// came.
type CloudEvent struct {
	ID         string            // tells events of one Source apart
	Source     string            // a URI-reference: who the event is from; publishing fails without one
	Type       string            // "com.example.order.placed"; publishing fails without one
	Subject    string            // of the event in its Source; may be empty
	DataSchema string            // a URI; may be empty
	Time       time.Time         // when it happened
	Extensions map[string]string // other attributes, by names in lower case letters and digits
}
