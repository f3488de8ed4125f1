package generator_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/generator"
	corpora "github.com/concordat-dev/concordat/internal/corpus"
	"github.com/concordat-dev/concordat/parser"
)

// corpus is the folder of real contracts, which are not part of this tree.
func corpus(t testing.TB) string {
	t.Helper()
	return corpora.Dir(t)
}

// parse reads a contract of the corpus: a document, or a folder of Protobuf files.
func parse(t testing.TB, name string) *contract.Contract {
	t.Helper()
	root := corpus(t)
	files, imports := []string{filepath.Join(root, name)}, []string(nil)
	if strings.HasPrefix(name, "proto/") {
		imports = []string{files[0], filepath.Join(root, "proto", "googleapis")}
		files = protos(t, files[0])
		if name == "proto/grpc" { // imports this, whose Go is in a module that is not ours
			files = append(files, filepath.Join(root, "proto/googleapis/google/rpc/code.proto"))
		}
	}
	c, _ := parser.Parse(context.Background(), files, parser.Options{Read: os.ReadFile, ImportPaths: imports})
	if c == nil {
		t.Fatalf("%s: no contract", name)
	}
	return c
}

func protos(t testing.TB, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(p, ".proto") && !strings.Contains(p, "google/protobuf/") {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var corpusNames = []string{
	"openapi/petstore.yaml", "openapi/uspto.json", "openapi/tictactoe31.json", "openapi/museum.yaml",
	"openapi/firecracker.json", "openapi/telegram.json", "openapi/github.json",
	"openapi/adyen_checkout.json", "openapi/k8s_apps_v1.json", "openapi/speakeasy_bar.yaml", "openapi/superset.json",
	"openapi/train_travel.yaml", "openapi/twilio_messaging.json",
	"asyncapi/mqtt30/streetlights-mqtt-asyncapi.yml", "asyncapi/mcks-nats/UserSignedUpAPI-asyncapi-nats.yml",
	"asyncapi/mcks-reply/user-signedup-asyncapi-3.0-reply.yaml", "asyncapi/gemini31/websocket-gemini-asyncapi.yml",
	"asyncapi/slack26/slack-rtm.yml", "asyncapi/adeo30/adeo-kafka-request-reply-asyncapi.yml", "asyncapi/mqtt26/streetlights-mqtt.yml",
	"asyncapi/rpcamqp30/rpc-client-asyncapi.yml", "asyncapi/rpcamqp26/rpc-server.yml", "asyncapi/sw-kafka/asyncapi.json",
	"asyncapi/blueapi/asyncapi.yaml", "asyncapi/mcks-amqp/account-service-asyncapi-amqp.yaml",
	"asyncapi/mcks-avro30/user-signedup-asyncapi-3.0-avro-ref.yaml",
	"proto/grpc", "proto/opentelemetry", "proto/temporal",
}

// large are the contracts whose Go takes minutes to compile. They are generated always,
// but without -short, and compiled where CONCORDAT_COMPILE_ALL is set.
var large = map[string]bool{"openapi/github.json": true, "proto/temporal": true, "openapi/k8s_apps_v1.json": true,
	"openapi/adyen_checkout.json": true, "openapi/superset.json": true, "openapi/twilio_messaging.json": true,
	"openapi/telegram.json": true, "asyncapi/slack26/slack-rtm.yml": true, "proto/grpc": true, "proto/opentelemetry": true}

// TestCorpus generates every contract of the corpus, and holds the Go against the
// compiler, vet and the number of operations of the contract.
func TestCorpus(t *testing.T) {
	corpus(t)
	m := newModule(t)
	for _, name := range corpusNames {
		if large[name] && testing.Short() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c := parse(t, name)
			dir := "c/" + strings.NewReplacer("-", "", ".", "", "_", "").Replace(name)
			files, diags := generator.Generate(t.Context(), c, generator.Options{ImportPath: modulePath + "/" + dir, Source: name})
			for _, d := range diags {
				if testing.Verbose() {
					t.Logf("%s %s %s:%d %s", d.Severity, d.Code, d.Span.File, d.Span.Line, d.Message)
				}
			}
			if diags.HasErrors() {
				t.Error("there are errors")
			}
			if !large[name] || os.Getenv("CONCORDAT_COMPILE_ALL") != "" {
				m.add(t, dir, files)
			}
			if got, want := methods(files), operations(c); got != want {
				t.Errorf("%d methods for %d operations", got, want)
			}
			lines(t, name, c, files)
		})
	}
	if dir := os.Getenv("CONCORDAT_KEEP"); dir != "" {
		if err := os.CopyFS(dir, os.DirFS(m.dir)); err != nil {
			t.Error(err)
		}
	}
	m.run(t, "vet", "./...")
	if os.Getenv("CONCORDAT_COMPILE_ALL") != "" {
		m.run(t, "test", "./...") // of tables against types; TestCompiles does it for every shape
	}
}

func operations(c *contract.Contract) int {
	n := 0
	for _, s := range c.Services {
		n += len(s.Operations)
	}
	return n
}

var clientMethod = regexp.MustCompile(`(?m)^func \([cp] \*\w*(Client|Publisher)\d*\) `)

func methods(files []generator.File) int {
	n := 0
	for _, f := range files {
		if strings.HasSuffix(f.Name, ".concordat.go") {
			n += len(clientMethod.FindAll(f.Content, -1)) - bytes.Count(f.Content, []byte("\treturn stub.All["))
		}
	}
	return n
}

// lines reports how much Go a contract becomes.
func lines(t *testing.T, name string, c *contract.Contract, files []generator.File) {
	if c.Format == contract.Protobuf {
		return
	}
	src, err := os.ReadFile(filepath.Join(corpus(t), name))
	if err != nil {
		t.Fatal(err)
	}
	out, wide := 0, 0
	for _, f := range files {
		n := bytes.Count(f.Content, []byte("\n"))
		out += n
		wide = max(wide, n)
	}
	in := bytes.Count(src, []byte("\n"))
	t.Logf("%d lines from %d: %.1f; the longest file has %d", out, in, float64(out)/float64(max(in, 1)), wide)
}

// BenchmarkGitHub generates the largest document of the corpus, reading not included.
func BenchmarkGitHub(b *testing.B) {
	c := parse(b, "openapi/github.json")
	b.ReportAllocs()
	for b.Loop() {
		generator.Generate(b.Context(), c, generator.Options{ImportPath: modulePath})
	}
}
