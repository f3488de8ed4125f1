package rpc_test

import (
	"path/filepath"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
)

// Clients of other makes against a server of ours, over mutual TLS.

// endedBy checks that the server noticed what its clients gave up.
func endedBy(t *testing.T, ended chan string) {
	t.Helper()
	for range 2 {
		got := <-ended
		t.Logf("%s ended early", got)
	}
}

func TestNodeGRPCClient(t *testing.T) {
	f, ended := write(t), make(chan string, 8)
	addr := serve(t, service{ended}, concordat.WithTLS(f.tls))
	runs(t, node(t, "grpc-client.mjs", addr, f.dir, f.proto))
	endedBy(t, ended)
}

func TestNodeConnectClient(t *testing.T) {
	for _, kind := range []string{"connect 2", "connect 1.1", "connect 2 json", "connect 1.1 json", "grpc 2", "grpc 2 json", "grpc-web 2", "grpc-web 1.1"} {
		t.Run(kind, func(t *testing.T) {
			f, ended := write(t), make(chan string, 8)
			addr := serve(t, service{ended}, concordat.WithTLS(f.tls))
			runs(t, node(t, "connect-client.mjs", append([]string{addr, f.dir, f.descriptors}, strings.Fields(kind)...)...))
			endedBy(t, ended)
		})
	}
}

func TestPythonClient(t *testing.T) {
	f, ended := write(t), make(chan string, 8)
	addr := serve(t, service{ended}, concordat.WithTLS(f.tls))
	runs(t, python(t, "client.py", addr, f.dir, f.descriptors))
	endedBy(t, ended)
}

func TestGRPCurl(t *testing.T) {
	bin, f := program(t, "grpcurl"), write(t)
	addr := serve(t, service{}, concordat.WithTLS(f.tls))
	base := []string{"-cacert", filepath.Join(f.dir, "ca.crt"), "-cert", filepath.Join(f.dir, "peer.crt"), "-key", filepath.Join(f.dir, "peer.key")}
	call := func(want string, args ...string) {
		t.Helper()
		if out := runs(t, command(t, bin, append(base, args...)...)); !strings.Contains(out, want) {
			t.Errorf("%v: %s", args, out)
		}
	}
	const echo = "concordat.interop.v1.Echo"
	call(echo, addr, "list")
	call(echo+".Chat", addr, "list", echo)
	call("rpc Chat ( stream .concordat.interop.v1.Phrase )", addr, "describe", echo)
	call("grpc.reflection.v1.ServerReflection", addr, "list")
	call("service Health", addr, "describe", "grpc.health.v1.Health")
	call("SERVING", addr, "grpc.health.v1.Health/Check")
	call(`"text": "hi"`, "-d", `{"text":"hi"}`, addr, echo+"/Say")
	call(`"value": "3"`, "-d", `{"last":3}`, addr, echo+"/Count")
	call(`"value": "6"`, "-d", `{"value":1}{"value":2}{"value":3}`, addr, echo+"/Sum")
	call(`"text": "two"`, "-d", `{"text":"one"}{"text":"two"}`, addr, echo+"/Chat")
	cmd := command(t, bin, append(base, "-d", `{"code":9,"message":"no","details":["x"]}`, addr, echo+"/Fail")...)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "FailedPrecondition") || !strings.Contains(string(out), `"text": "x"`) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestBufCurl(t *testing.T) {
	bin, f := program(t, "buf"), write(t)
	addr := serve(t, service{}, concordat.WithTLS(f.tls))
	base := []string{"curl", "--cacert", filepath.Join(f.dir, "ca.crt"), "--cert", filepath.Join(f.dir, "peer.crt"), "--key", filepath.Join(f.dir, "peer.key")}
	for _, protocol := range []string{"connect", "grpc", "grpcweb"} {
		call := func(want, method, data string) {
			t.Helper()
			args := append(base, "--protocol", protocol, "-d", data, "https://"+addr+"/concordat.interop.v1.Echo/"+method)
			out, err := command(t, bin, args...).CombinedOutput()
			if !strings.Contains(string(out), want) {
				t.Errorf("%s %s: %v %s", protocol, method, err, out)
			}
		}
		call(`"text": "hi"`, "Say", `{"text":"hi"}`)
		call(`"value": "3"`, "Count", `{"last":3}`)
		call(`"value": "6"`, "Sum", `{"value":1}{"value":2}{"value":3}`)
		call(`"text": "two"`, "Chat", `{"text":"one"}{"text":"two"}`)
		call(`"code": "failed_precondition"`, "Fail", `{"code":9,"message":"no","details":["x"]}`)
	}
}

func TestHealthProbe(t *testing.T) {
	bin, f := program(t, "grpc-health-probe"), write(t)
	addr := serve(t, service{}, concordat.WithTLS(f.tls))
	args := []string{"-addr", addr, "-tls", "-tls-ca-cert", filepath.Join(f.dir, "ca.crt"), "-tls-client-cert", filepath.Join(f.dir, "peer.crt"), "-tls-client-key", filepath.Join(f.dir, "peer.key"), "-tls-server-name", "localhost"}
	for _, service := range []string{"", "concordat.interop.v1.Echo"} {
		if out := runs(t, command(t, bin, append(args, "-service", service)...)); !strings.Contains(out, "SERVING") {
			t.Error(out)
		}
	}
	if out, err := command(t, bin, append(args, "-service", "nobody")...).CombinedOutput(); err == nil {
		t.Errorf("a service that is not there: %s", out)
	}
}
