package generator

import (
	"slices"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
)

func TestMethodDoc(t *testing.T) {
	for summary, want := range map[string]string{
		"Returns a pet":       "GetPet returns a pet.",
		"List pets":           "GetPet lists pets.",
		"Fetch it.":           "GetPet fetches it.",
		"Try":                 "GetPet: Try.",
		"GetPet gets.":        "GetPet gets.",
		"Pets of the day":     "GetPet: Pets of the day.",
		"":                    "GetPet calls GET /pet.",
		"Returns\n  a\tpet  ": "GetPet returns a pet.",
	} {
		if got := methodDoc("GetPet", contract.Doc{Summary: summary}, "GetPet calls GET /pet.", nil); len(got) != 1 || got[0] != want {
			t.Errorf("%q gives %q, want %q", summary, got, want)
		}
	}
}

func TestComment(t *testing.T) {
	got := typeDoc("Pet", contract.Doc{Summary: "A pet", Detail: "A pet\n\nIt lives:\n- here\n- " + strings.Repeat("there ", 20), Deprecated: "use Animal"})
	want := []string{"Pet is a pet.", "", "It lives:", "- here", "- " + strings.TrimSpace(strings.Repeat("there ", 14)), "  " + strings.TrimSpace(strings.Repeat("there ", 6)), "", "Deprecated: use Animal"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestReservedPackageName(t *testing.T) {
	for name, want := range map[string]string{"users": "users", "Slack-RTM": "slackrtm", "2fa": "fa", "type": "typeapi", "": "api", "test": "testapi", "context": "contextapi", "main": "mainapi"} {
		if got := packageName(name); got != want {
			t.Errorf("%q gives %s, want %s", name, got, want)
		}
	}
}
