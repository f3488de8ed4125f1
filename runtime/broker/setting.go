package broker

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// A Setting is what the contract says for one protocol: {"mqtt", "qos", "1"}. A broker
// ignores those of other protocols. Of its own it refuses a value that it cannot use, and
// warns of a name that it does not know (see [Unknown]): contracts say more than one
// program needs, and newer ones more than an older program knows.
type Setting struct{ Protocol, Name, Value string }

// Get returns the value of the named setting of protocol, or fallback.
func Get(settings []Setting, protocol, name, fallback string) string {
	for _, s := range settings {
		if s.Protocol == protocol && s.Name == name {
			return s.Value
		}
	}
	return fallback
}

// Unknown warns of settings that a broker does nothing with, once each for whatever is
// published, and once for every subscription. The zero value is ready; it is safe for
// concurrent use.
type Unknown struct{ told sync.Map }

// Warn logs to log which settings of protocol are not among those known. at is the
// subscription's address, "" for messages that are published. "bindingVersion" is known
// to all.
func (u *Unknown) Warn(log *slog.Logger, settings []Setting, protocol, at string, known ...string) {
	var names []string
	for _, s := range settings {
		if s.Protocol == protocol && s.Name != "bindingVersion" && !slices.Contains(known, s.Name) {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return
	}
	what := strings.Join(names, ", ")
	if _, again := u.told.LoadOrStore(what+" at "+at, nil); again {
		return
	}
	log.Warn("the contract has settings that this broker does nothing with", "broker", protocol, "subscription", at,
		"settings", what, "known", strings.Join(known, ", "))
}
