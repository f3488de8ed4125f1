package contract

import "strings"

// CloudAttribute returns the attribute of CloudEvents that a header stands for, by the
// prefixes of its protocol bindings: ce_ (Kafka), ce- (HTTP, NATS), cloudEvents: and
// cloudEvents_ (AMQP). It is false for other headers.
func CloudAttribute(header string) (string, bool) {
	name := strings.ToLower(header)
	for _, prefix := range []string{"ce_", "ce-", "cloudevents:", "cloudevents_"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			return rest, true
		}
	}
	return "", false
}
