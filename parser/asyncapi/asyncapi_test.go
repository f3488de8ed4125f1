package asyncapi

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// TestGoldens holds the whole contract of small documents, positions included, and what is
// found in them, against goldens.
func TestGoldens(t *testing.T) {
	for _, file := range []string{"testdata/orders.yaml", "testdata/lights.json"} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, ds := Parse(t.Context(), file, os.ReadFile)
			var b bytes.Buffer
			if err := contract.Dump(&b, c); err != nil {
				t.Fatal(err)
			}
			for _, d := range ds.Sorted() {
				fmt.Fprintf(&b, "%s %s\n", d.Severity, show(d))
			}
			golden := file + ".golden"
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != strings.ReplaceAll(string(want), "\r\n", "\n") {
				t.Errorf("contract differs from %s (run with -update to see how):\n%s", golden, b.String())
			}
		})
	}
}

// show is a finding on one line: place, code and message.
func show(d *diag.Diagnostic) string {
	return fmt.Sprintf("%s:%d:%d %s: %s", d.Span.File, d.Span.Line, d.Span.Col, d.Code, d.Message)
}

// from reads files that a test holds as text.
func from(files map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

// parse reads one document that refers to no other.
func parse(t *testing.T, text string) (*contract.Contract, diag.List) {
	t.Helper()
	return Parse(t.Context(), "a.yaml", from(map[string]string{"a.yaml": text}))
}

// good reads a document in which nothing may be found.
func good(t *testing.T, text string) *contract.Contract {
	t.Helper()
	c, ds := parse(t, text)
	for _, d := range ds {
		t.Errorf("found %s", show(d))
	}
	if c == nil {
		t.Fatal("no contract")
	}
	return c
}

// operations returns all operations by name.
func operations(c *contract.Contract) map[string]*contract.Operation {
	out := map[string]*contract.Operation{}
	for _, s := range c.Services {
		for _, o := range s.Operations {
			out[o.Name] = o
		}
	}
	return out
}

func channelOf(t *testing.T, o *contract.Operation) *contract.Channel {
	t.Helper()
	if o == nil {
		t.Fatal("no such operation")
	}
	return o.Wire.(*contract.Channel)
}

const head3 = "asyncapi: 3.0.0\ninfo: {title: T, version: '1'}\n"
const head2 = "asyncapi: 2.6.0\ninfo: {title: T, version: '1'}\n"

// one is a document of version 3 with one channel and one operation, whose message is m.
func one(m string) string {
	return head3 + `channels: {c: {address: a, messages: {m: ` + m + `}}}
operations: {o: {action: send, channel: {$ref: '#/channels/c'}}}
`
}

// TestVersions reads every version that there is, quoted or not, and no other.
func TestVersions(t *testing.T) {
	for _, v := range []string{"2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "2.5.0", "2.6.0", "2.6", "'2.6'", "2.6.1"} {
		good(t, "asyncapi: "+v+"\ninfo: {title: T, version: '1'}\nchannels: {a: {publish: {message: {payload: {}}}}}\n")
	}
	for _, v := range []string{"3.0.0", "3.1.0", "3.0", "3.1", `"3.1"`} {
		good(t, strings.Replace(one("{payload: {}}"), "3.0.0", v, 1))
	}
	for _, v := range []string{"1.2.0", "4.0.0", "x", "[]", "null", "3.0.0.0", "-1", "''"} {
		c, ds := parse(t, "asyncapi: "+v+"\nchannels: {}\n")
		if c != nil || len(ds) != 1 || ds[0].Code != "unsupported-version" || ds[0].Span.Line != 1 {
			t.Errorf("%s: contract %v, findings %v", v, c != nil, ds)
		}
	}
	c, ds := parse(t, strings.Replace(one("{payload: {}}"), "3.0.0", "3.7.0", 1))
	if c == nil || len(operations(c)) != 1 || len(ds) != 1 || ds[0].Code != "unsupported-version" || ds[0].Severity != diag.Error {
		t.Errorf("a newer minor version: %v, %v", c != nil, ds)
	}
}

// TestDirection lifts version 2's verbs, which speak of others, to what the application does.
func TestDirection(t *testing.T) {
	c := good(t, head2+`channels:
  user/signed-up:
    subscribe: {message: {payload: {}}}
    publish: {operationId: hear, message: {payload: {}}}
`)
	ops := operations(c)
	if o := ops["send-user-signed-up"]; o == nil || o.Kind != contract.Send || !strings.Contains(o.Doc.Detail, "subscribe") {
		t.Errorf("subscribe became %+v", o)
	}
	if o := ops["hear"]; o == nil || o.Kind != contract.Receive || !strings.Contains(o.Doc.Detail, "publish") {
		t.Errorf("publish became %+v", o)
	}
	if len(c.Services) != 2 || c.Services[0].Name != "aSend" || c.Services[1].Name != "aReceive" {
		t.Errorf("services %v", c.Services)
	}
}

// TestTraits merges by the rule of each version: an object's own word counts in 3, the
// traits' in 2.
func TestTraits(t *testing.T) {
	const op = `{summary: own, message: {payload: {}}, traits: [{summary: first, description: d}, {summary: last}]}`
	c := good(t, head2+"channels: {a: {publish: "+op+"}}\n")
	if d := operations(c)["receive-a"].Doc; d.Summary != "last" || !strings.HasPrefix(d.Detail, "d\n") {
		t.Errorf("version 2 gave %+v", d)
	}
	c = good(t, head3+`channels: {c: {address: a, messages: {m: {payload: {}}}}}
operations: {o: {action: send, channel: {$ref: '#/channels/c'}, summary: own, traits: [{summary: t, description: first}, {description: last}]}}
`)
	if d := operations(c)["o"].Doc; d.Summary != "own" || d.Detail != "last" {
		t.Errorf("version 3 gave %+v", d)
	}
}

// TestKey finds what orders messages, however it is written.
func TestKey(t *testing.T) {
	const payload = `payload: {type: object, properties: {id: {$ref: '#/components/schemas/Id'}, a: {type: object, properties: {b: {type: string}}}}}`
	tests := []struct{ name, more, want string }{
		{"a field", "x-key: id", "payload#/id"},
		{"a path", "x-key: a.b", "payload#/a/b"},
		{"a pointer", "x-key: /a/b", "payload#/a/b"},
		{"an expression", "x-partition-key: $message.header#/k", "header#/k"},
		{"kafka's key by its schema", "bindings: {kafka: {key: {$ref: '#/components/schemas/Id'}}}", "payload#/id"},
		{"kafka's key without a field", "bindings: {kafka: {key: {type: string}}}", ""},
		{"none", "summary: s", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := good(t, one("{"+payload+", "+tt.more+"}")+"components: {schemas: {Id: {type: string}}}\n")
			got := ""
			if k := operations(c)["o"].In.Key; k != nil {
				got = k.In + "#" + k.Pointer
			}
			if got != tt.want {
				t.Errorf("key is %q, want %q", got, tt.want)
			}
		})
	}
}

// TestSettingWithOneValue reads a setting that is a schema as the one value that it allows.
func TestSettingWithOneValue(t *testing.T) {
	const doc = head3 + `channels:
  c: {address: a, messages: {m: {payload: {}}}}
operations: {o: {action: receive, channel: {$ref: '#/channels/c'}, bindings: {kafka: {groupId: %s}}}}
`
	for schema, want := range map[string]string{
		"{type: string, enum: [billing]}":        "billing",
		"{const: billing}":                       "billing",
		"{type: string, enum: [billing, sales]}": "",
		"{type: string}":                         "",
	} {
		got, schemas := "", 0
		for _, b := range channelOf(t, operations(good(t, fmt.Sprintf(doc, schema)))["o"]).Bindings {
			for _, v := range b.Values {
				if v.Schema == nil {
					got += v.Text
				} else {
					schemas++
				}
			}
		}
		if got != want || (want == "") != (schemas == 1) {
			t.Errorf("%s gave %q and %d schemas", schema, got, schemas)
		}
	}
}

// TestDeadLetter finds the address of dead letters, however it is written.
func TestDeadLetter(t *testing.T) {
	const doc = head3 + `channels:
  c: {address: a, messages: {m: {payload: {}}}%s}
  dead: {address: graves}
operations: {o: {action: receive, channel: {$ref: '#/channels/c'}%s}}
`
	tests := []struct{ name, channel, operation, want string }{
		{"ours on a channel", ", x-concordat-dead-letter: d", "", "d"},
		{"ours on an operation", "", ", x-concordat-dead-letter: d", "d"},
		{"the usual one", ", x-dead-letter: d", "", "d"},
		{"a reference to a channel", ", x-dead-letter: {$ref: '#/channels/dead'}", "", "graves"},
		{"an address in a map", ", x-dead-letter: {address: d}", "", "d"},
		{"what a queue is told", ", bindings: {amqp: {is: queue, queue: {name: q, deadLetterExchange: dlx}}}", "", "dlx"},
		{"none", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := parse(t, fmt.Sprintf(doc, tt.channel, tt.operation))
			got := ""
			for _, b := range channelOf(t, operations(c)["o"]).Bindings {
				if b.Protocol == "" && b.Values[0].Key == "deadLetter" {
					got = b.Values[0].Text
				}
			}
			if got != tt.want {
				t.Errorf("dead letters go to %q, want %q", got, tt.want)
			}
		})
	}
}

// TestReply makes requests of operations with a reply, in both directions.
func TestReply(t *testing.T) {
	c := good(t, head3+`channels:
  ask: {address: ask, messages: {q: {payload: {type: string}}}}
  fixed: {address: answers, messages: {r: {payload: {type: boolean}}, s: {payload: {type: string}}}}
operations:
  client: {action: send, channel: {$ref: '#/channels/ask'}, reply: {channel: {$ref: '#/channels/fixed'}, messages: [{$ref: '#/channels/fixed/messages/r'}]}}
  server: {action: receive, channel: {$ref: '#/channels/ask'}, reply: {$ref: '#/components/replies/any'}}
components:
  replies: {any: {address: {location: $message.header#/replyTo}, channel: {$ref: '#/channels/fixed'}}}
`)
	ops := operations(c)
	for _, o := range ops {
		if o.Kind != contract.Request || len(o.Out) != 1 {
			t.Errorf("%s is %v with %d results", o.Name, o.Kind, len(o.Out))
		}
	}
	if r := channelOf(t, ops["client"]).Reply; r.Address != nil || r.Channel.Address != "answers" || r.Message.Name != "r" {
		t.Errorf("client's reply is %+v", r)
	}
	if r := channelOf(t, ops["server"]).Reply; r.Address.Pointer != "/replyTo" || len(r.Message.OneOf) != 2 {
		t.Errorf("server's reply is %+v", r)
	}
	if len(c.Services) != 2 || c.Services[0].Operations[0].Name != "client" || ops["client"].Incoming || !ops["server"].Incoming {
		t.Error("a request's direction is lost")
	}
}

// TestSecurity adds what servers ask for to what operations do.
func TestSecurity(t *testing.T) {
	c := good(t, head2+`servers:
  one: {url: 'kafka://h', protocol: kafka, security: [{user: []}, {key: []}]}
  two: {url: 'kafka://i', protocol: kafka}
channels:
  a: {servers: [one], publish: {operationId: both, message: {payload: {}}, security: [{oauth: [read]}]}}
  b: {servers: [one], publish: {operationId: server, message: {payload: {}}}}
  c: {publish: {operationId: open, message: {payload: {}}}}
components:
  securitySchemes:
    user: {type: userPassword}
    key: {type: apiKey, in: user}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://t.example', scopes: {read: r}}}}
`)
	want := map[string]string{"both": "user+oauth[read] key+oauth[read]", "server": "user key", "open": ""}
	for name, o := range operations(c) {
		var all []string
		for _, alternative := range o.Security {
			var parts []string
			for _, q := range alternative {
				s := q.Scheme.Name
				if len(q.Scopes) > 0 {
					s += "[" + strings.Join(q.Scopes, ",") + "]"
				}
				parts = append(parts, s)
			}
			all = append(all, strings.Join(parts, "+"))
		}
		if got := strings.Join(all, " "); got != want[name] {
			t.Errorf("%s needs %q, want %q", name, got, want[name])
		}
	}
}

// TestSpansLieInTheirFile shows that what comes from another file says so.
func TestSpansLieInTheirFile(t *testing.T) {
	c, ds := Parse(t.Context(), "d/a.yaml", from(map[string]string{
		"d/a.yaml":     head3 + "channels: {c: {$ref: '../e/b.yaml#/c'}}\noperations: {o: {action: send, channel: {$ref: '#/channels/c'}}}\n",
		"e/b.yaml":     "c: {address: a, messages: {m: {$ref: 'f/m.yaml'}}}\n",
		"e/f/m.yaml":   "name: far\npayload: {$ref: '../s.yaml#/s'}\n",
		"e/s.yaml":     "s: {type: object, properties: {x: {$ref: '#/t'}}}\nt: {type: string}\n",
		"unrelated.md": "",
	}))
	if len(ds) > 0 {
		t.Fatalf("found %v", show(ds[0]))
	}
	o := operations(c)["o"]
	if got := o.In.Span.File + " " + o.In.Name; got != "e/f/m.yaml far" {
		t.Errorf("message is %s", got)
	}
	for _, typ := range c.Types {
		if typ.Span.File != "e/s.yaml" || typ.Span.Line == 0 {
			t.Errorf("type %s is at %+v", typ.Name, typ.Span)
		}
	}
	if ch := channelOf(t, o); ch.Name != "c" || ch.Address != "a" {
		t.Errorf("channel is %+v", ch)
	}
}

// TestRemoteReferencesAreNotFollowed shows that nothing is fetched.
func TestRemoteReferencesAreNotFollowed(t *testing.T) {
	asked := ""
	_, ds := Parse(t.Context(), "a.yaml", func(name string) ([]byte, error) {
		if name == "a.yaml" {
			return []byte(one("{payload: {$ref: 'https://schemas.example/x.json#/a'}}")), nil
		}
		asked = name
		return nil, errors.New("no")
	})
	if asked != "" || len(ds) != 1 || ds[0].Code != "remote-reference" || ds[0].Span.Line != 3 {
		t.Errorf("asked for %q, found %v", asked, ds)
	}
}

// TestStem names contracts after their files, where these have something to say.
func TestStem(t *testing.T) {
	tests := map[string]string{
		"a/orders.yaml": "orders", "asyncapi.yaml": "The Title", "api.json": "The Title", "orders-asyncapi.yaml": "orders",
		"asyncapi_orders.yml": "orders", "orders.v2.yaml": "orders.v2", ".yaml": "The Title", "asyncapi": "The Title",
	}
	for file, want := range tests {
		if got := stem(file, "The Title"); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
	if got := stem("asyncapi.yaml", ""); got != "asyncapi" {
		t.Errorf("without a title: %q", got)
	}
}

// TestAlternatives joins several messages: one union, no repetition, and the key and
// correlation that all have in common.
func TestAlternatives(t *testing.T) {
	c := good(t, head2+`channels:
  a/b:
    $ref: '#/components/channels/far'
components:
  channels:
    far:
      publish:
        message:
          oneOf:
            - {$ref: '#/components/messages/one'}
            - {$ref: '#/components/messages/two'}
            - {$ref: '#/components/messages/one'}
  messages:
    one: {payload: {type: object, properties: {id: {type: string}}}, x-key: id, correlationId: {location: $message.header#/c}}
    two: {payload: {type: object, properties: {id: {type: string}}}, x-key: /id, correlationId: {location: $message.header#/d}}
`)
	o := operations(c)["receive-a-b"]
	if ch := channelOf(t, o); ch.Address != "a/b" || ch.Name != "a/b" {
		t.Errorf("channel %q at %q", ch.Name, ch.Address)
	}
	m := o.In
	u, ok := m.Bodies[0].Schema.(*contract.Union)
	if len(m.OneOf) != 2 || !ok || len(u.Variants) != 2 || u.Variants[1].Name != "two" {
		t.Errorf("alternatives %v", m.OneOf)
	}
	if m.Key == nil || m.Key.Pointer != "/id" || m.Correlation != nil {
		t.Errorf("key %v, correlation %v", m.Key, m.Correlation)
	}
}
