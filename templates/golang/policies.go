package golang

// Policies is a function that returns what the user says of calls.
type Policies struct {
	Name string
	Doc  []string
	Text string // JSON, as the runtime reads it
}
