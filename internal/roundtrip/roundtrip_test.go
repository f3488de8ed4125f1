package roundtrip_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// expensive says whether to build what takes minutes to compile.
func expensive() bool { return os.Getenv("CONCORDAT_COMPILE_ALL") != "" }

// chosen lets CONCORDAT_ROUNDTRIP name the only contracts to run.
func chosen(name string) bool {
	only := os.Getenv("CONCORDAT_ROUNDTRIP")
	return only == "" || strings.Contains(only, name)
}

var real = []struct {
	name  string
	large bool
}{
	{"openapi/petstore.yaml", false}, {"openapi/uspto.json", false}, {"openapi/tictactoe31.json", false},
	{"openapi/museum.yaml", false}, {"openapi/train_travel.yaml", false}, {"openapi/speakeasy_bar.yaml", false},
	{"openapi/firecracker.json", true}, {"openapi/telegram.json", true}, {"openapi/github.json", true},
	{"openapi/adyen_checkout.json", true}, {"openapi/k8s_apps_v1.json", true}, {"openapi/superset.json", true},
	{"openapi/twilio_messaging.json", true},
	{"asyncapi/mqtt30/streetlights-mqtt-asyncapi.yml", false}, {"asyncapi/mcks-nats/UserSignedUpAPI-asyncapi-nats.yml", false},
	{"asyncapi/mcks-reply/user-signedup-asyncapi-3.0-reply.yaml", false}, {"asyncapi/gemini31/websocket-gemini-asyncapi.yml", false},
	{"asyncapi/slack26/slack-rtm.yml", true}, {"asyncapi/adeo30/adeo-kafka-request-reply-asyncapi.yml", false},
	{"asyncapi/mqtt26/streetlights-mqtt.yml", false}, {"asyncapi/rpcamqp30/rpc-client-asyncapi.yml", false},
	{"asyncapi/rpcamqp26/rpc-server.yml", false}, {"asyncapi/blueapi/asyncapi.yaml", false},
	{"asyncapi/mcks-amqp/account-service-asyncapi-amqp.yaml", false},
	{"proto/grpc", true}, {"proto/opentelemetry", true}, {"proto/temporal", true},
}

// Real contracts work: what the client sends is what the server sees, and back.
func TestRealContracts(t *testing.T) {
	root := corpus(t)
	b := newBench(t)
	for _, c := range real {
		if c.large && !expensive() && os.Getenv("CONCORDAT_ROUNDTRIP") == "" || !chosen(c.name) {
			continue
		}
		files, imports := []string{filepath.Join(root, c.name)}, []string(nil)
		if strings.HasPrefix(c.name, "proto/") {
			imports = []string{files[0], filepath.Join(root, "proto", "googleapis")}
			files = protos(t, files[0])
			if c.name == "proto/grpc" { // imports this, whose Go is in a module that is not ours
				files = append(files, filepath.Join(root, "proto/googleapis/google/rpc/code.proto"))
			}
		}
		b.add(t, c.name, files, imports)
	}
	b.run(t)
}

// Contracts made to be nasty work, too.
func TestNastyContracts(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no contracts")
	}
	b := newBench(t)
	for _, file := range files {
		if chosen(filepath.Base(file)) {
			b.add(t, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), []string{file}, []string{"testdata"})
		}
	}
	b.run(t)
}
