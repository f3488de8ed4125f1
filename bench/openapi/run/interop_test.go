package run

import (
	"net/http/httptest"
	"testing"
)

// Every generator's client is understood by every generator's server: by name, ours by
// theirs and theirs by ours.
func TestInterop(t *testing.T) {
	for _, server := range sides {
		at := httptest.NewServer(server.handler(t))
		for _, caller := range sides {
			c := caller.client(t, at.URL)
			if err := c.list(t.Context()); err != nil {
				t.Errorf("%s lists orders of %s: %v", caller.name, server.name, err)
			}
			if err := c.post(t.Context()); err != nil {
				t.Errorf("%s sends an order to %s: %v", caller.name, server.name, err)
			}
		}
		at.Close()
	}
}
