package stub

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

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

// What a contract calls by a range only is called what its bytes look like.
func TestSniffed(t *testing.T) {
	png := "\x89PNG\x0d\x0a\x1a\x0a"
	for _, c := range []struct {
		declared, start, want string
		kind                  codec.Kind
	}{
		{"image/*", png, "image/png", codec.Reader},
		{"image/*", png, "image/png", codec.Bytes},
		{"image/*", "hello", "application/octet-stream", codec.Reader},
		{"*/*", "hello", "text/plain", codec.Reader},
		{"image/gif", png, "image/gif", codec.Reader},
		{"*/*", "{}", "application/json", codec.Object},
	} {
		p := newPart(c.declared, codec.Field{Kind: c.kind}, nil)
		if got := p.sniffed(c.declared, []byte(c.start)); got[0] != c.want {
			t.Errorf("%s that begins with %q is sent as %s, want %s", c.declared, c.start, got[0], c.want)
		}
		if p.form.covers(c.declared, c.want) == 0 {
			t.Errorf("%s is refused where %s is declared", c.want, c.declared)
		}
	}
	if asJSON.covers("application/problem+json", "application/octet-stream") != 0 || asStream.covers("image/png", "application/octet-stream") != 0 {
		t.Error("bytes of no known type are taken for what was named")
	}
}

func TestLookingAtAStreamChangesNothing(t *testing.T) {
	long := strings.Repeat("0123456789", 200)
	broken := errors.New("broken")
	for name, r := range map[string]io.Reader{
		"long": strings.NewReader(long), "one by one": iotest.OneByteReader(strings.NewReader(long)), "with its end": iotest.DataErrReader(strings.NewReader(long)),
	} {
		begins, rest := peek(io.NopCloser(r))
		if all, err := io.ReadAll(rest); err != nil || string(all) != long || !strings.HasPrefix(long, string(begins)) {
			t.Errorf("%s: %d bytes, %v", name, len(all), err)
		}
	}
	if _, rest := peek(io.NopCloser(iotest.ErrReader(broken))); rest != nil {
		if _, err := io.ReadAll(rest); !errors.Is(err, broken) {
			t.Error("the error is lost:", err)
		}
	}
	seeker := bytes.NewReader([]byte("xhello"))
	_, _ = seeker.ReadByte()
	if got := start(seeker); string(got) != "hello" || seeker.Len() != 5 {
		t.Errorf("%q, %d left", got, seeker.Len())
	}
}

func TestNamesOfParts(t *testing.T) {
	parts := map[string][]string{"plain": {"1"}, "a%22b%0A": {"2"}}
	for name, want := range map[string]string{"plain": "1", "a\"b\n": "2"} {
		if got := received(parts, name); len(got) != 1 || got[0] != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
