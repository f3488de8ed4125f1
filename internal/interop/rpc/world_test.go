package rpc_test

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/concordat-dev/concordat/internal/interop/rpc/echo"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

var quiet = concordat.WithLogger(slog.New(slog.DiscardHandler))

// need skips the test where something is not installed, and fails it where run.sh has installed it.
func need(t *testing.T, found bool, what string) {
	t.Helper()
	switch {
	case found:
	case os.Getenv("CONCORDAT_INTEROP") != "":
		t.Fatalf("%s is not installed; make interop-rpc installs it", what)
	default:
		t.Skipf("%s is not installed; make interop-rpc installs it", what)
	}
}

// program finds one in PATH.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	need(t, err == nil, name)
	return path
}

// node is a command that runs a script of folder node.
func node(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	bin := program(t, "node")
	_, err := os.Stat("node/node_modules/@grpc/grpc-js")
	need(t, err == nil, "the packages of node/package.json")
	return exec.CommandContext(t.Context(), bin, append([]string{filepath.Join("node", script)}, args...)...)
}

// python is a command that runs a script of folder python.
func python(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	bin := filepath.Join("python", ".venv", "bin", "python")
	_, err := os.Stat(bin)
	need(t, err == nil, "what python/requirements.txt says")
	cmd := exec.CommandContext(t.Context(), bin, append([]string{filepath.Join("python", script)}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "GRPC_VERBOSITY=NONE")
	return cmd
}

// files are what programs need to know: the certificates, and the contract.
type files struct {
	dir, descriptors, proto string
	tls                     *tlsconf.Config
}

var shared struct {
	once sync.Once
	leaf *devca.Leaf
	err  error
}

func write(t *testing.T) *files {
	t.Helper()
	shared.once.Do(func() {
		ca, err := devca.New()
		if err == nil {
			shared.leaf, err = ca.Issue("peer", "localhost", "127.0.0.1")
		}
		shared.err = err
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	f := &files{dir: t.TempDir(), proto: filepath.Join("echo", "echo.proto")}
	cert, key, ca, err := shared.leaf.WriteFiles(f.dir, "peer")
	if err != nil {
		t.Fatal(err)
	}
	f.tls = tlsconf.Mutual(cert, key, ca)
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(echo.File_internal_interop_rpc_echo_echo_proto)}})
	if err != nil {
		t.Fatal(err)
	}
	f.descriptors = filepath.Join(f.dir, "echo.binpb")
	if err := os.WriteFile(f.descriptors, set, 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// serve serves Echo until the test ends.
func serve(t *testing.T, impl echo.Echo, opts ...concordat.ServerOption) (addr string) {
	t.Helper()
	s := concordat.NewServer(append(opts, quiet)...)
	echo.RegisterEcho(s, impl)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-ended:
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s.Addr()
}

// runs runs a client, which says what it finds wrong.
func runs(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// begin starts a server that prints its address, and ends it with the test.
func begin(t *testing.T, cmd *exec.Cmd) (addr string) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := new(bytes.Buffer)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // it was asked to end, or killed
		if t.Failed() {
			t.Logf("the server said: %s", said)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return strings.TrimSpace(line)
}

func command(t *testing.T, bin string, args ...string) *exec.Cmd {
	return exec.CommandContext(t.Context(), bin, args...)
}
