package stub

import (
	"testing"

	"github.com/concordat-dev/concordat/runtime/codec"
)

func TestFormOf(t *testing.T) {
	for _, c := range []struct {
		media string
		kind  codec.Kind
		want  form
	}{
		{"application/json", codec.Object, asJSON},
		{"Application/JSON; charset=utf-8", codec.String, asJSON},
		{"application/vnd.api+json", codec.Bytes, asJSON},
		{"text/json", codec.Object, asJSON},
		{"*/*", codec.Object, asJSON},
		{"*/*", codec.Bytes, asBytes},
		{"application/octet-stream", codec.Reader, asStream},
		{"application/json", codec.Reader, asStream},
		{"application/xml", codec.Raw, asBytes},
		{"image/png", codec.Bytes, asBytes},
		{"text/plain", codec.Int64, asText},
		{"application/x-www-form-urlencoded", codec.Object, asForm},
		{"multipart/mixed", codec.Object, asMultipart},
	} {
		if got := formOf(c.media, c.kind); got != c.want {
			t.Errorf("%s of kind %d: %d, want %d", c.media, c.kind, got, c.want)
		}
	}
}

func TestQuality(t *testing.T) {
	for _, c := range []struct {
		accept, media string
		want          int
	}{
		{"", "text/plain", 1000},
		{"*/*", "text/plain", 1000},
		{"text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "text/html", 700},
		{"text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "text/plain; charset=utf-8", 300},
		{"text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "image/png", 500},
		{"application/json;q=0, */*", "application/json", 0},
		{"TEXT/Plain", "text/plain", 1000},
		{"text/plain;q=7", "text/plain", 1000}, // not a weight
		{"image/png", "text/plain", 0},
	} {
		var lines []string
		if c.accept != "" {
			lines = []string{c.accept}
		}
		if got := parseAccept(lines).quality(c.media); got != c.want {
			t.Errorf("%q for %s: %d, want %d", c.accept, c.media, got, c.want)
		}
	}
}
