package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/concordat-dev/concordat/cmd/internal/cli"
)

// TestMain makes this test binary the command that scripts run.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"concordat": command})
}

func command() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], cli.Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Dir: ".", Getenv: os.Getenv, Version: "v1.2.3",
	}))
}

const root = "../../.."

// TestScripts runs testdata/script. With -short, scripts that compile are left out.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(root, "testdata", "script"),
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "large": large, "rubbish": rubbish, "module": module,
		},
	})
}

// setup tells scripts where the contracts lie, and what the go command wants to know.
func setup(env *testscript.Env) error {
	home, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	env.Setenv("REPO", home)
	env.Setenv("CONTRACTS", filepath.Join(home, "testdata", "contracts"))
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	values := strings.Split(string(out), "\n")
	for i, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN"} {
		env.Setenv(name, strings.TrimSpace(values[i]))
	}
	return nil
}

// exits runs a command and wants an exit code: exits 4 concordat validate no.yaml. A
// crash is a failure, whatever the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if crash := ts.ReadFile("stderr"); strings.Contains(crash, "goroutine ") || strings.Contains(crash, "panic") {
		ts.Fatalf("it crashed")
	}
}

// large makes a file of 50 MB that begins like another: large FILE FROM LINE.
func large(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: large FILE FROM LINE")
	}
	line := []byte(args[2] + strings.Repeat(" 0123456789", 9) + "\n")
	text := append([]byte(ts.ReadFile(args[1])), bytes.Repeat(line, 50_000_000/len(line))...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o644))
}

// rubbish makes a file of bytes that no text has, always the same ones: rubbish FILE.
func rubbish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: rubbish FILE")
	}
	junk, x := make([]byte, 4096), uint32(1)
	for i := range junk {
		x = x*1664525 + 1013904223 // a linear congruence: Numerical Recipes, chapter 7.1
		junk[i] = byte(x >> 24)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), junk, 0o644))
}

// module makes a Go module whose runtime is this working copy: module PATH.
func module(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: module PATH")
	}
	repo := ts.Getenv("REPO")
	text := fmt.Sprintf("module %s\n\ngo 1.26.0\n\nrequire github.com/concordat-dev/concordat v0.0.0\n\nreplace github.com/concordat-dev/concordat => %s\n", args[0], strconv.Quote(repo))
	ts.Check(os.WriteFile(ts.MkAbs("go.mod"), []byte(text), 0o644))
	sum, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("go.sum"), sum, 0o644))
	ts.Setenv("GOFLAGS", "-mod=mod")
}
