//go:build unix

// Package postgres runs PostgreSQL, the server itself, for tests: a cluster of its own on a
// loopback port. Where it is not installed, tests skip and say so, and fail in CI, which
// installs it.
//
// It imports only the standard library.
package postgres

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// bootTime is more than a cluster takes to start on a machine that is busy.
const bootTime = time.Minute

// binary finds one of the programs, which Debian keeps out of the path.
func binary(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	slices.Sort(found)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// Start runs a cluster until the test ends and returns its URL.
func Start(t testing.TB) (url string) {
	t.Helper()
	if binary("initdb") == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("PostgreSQL is not installed, and CI must have it")
		}
		t.Skip("needs PostgreSQL: apt-get install postgresql")
	}
	dir, as := home(t)
	run(t, as, binary("initdb"), "-D", dir, "-U", "concordat", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	port := freePort(t)
	var out bytes.Buffer
	cmd := exec.Command(binary("postgres"), "-D", dir, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200")
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = dir, &out, &out, as
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // that it ends is all that matters
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT) // at once; nobody needs the data
		<-ended
	})
	for end := time.Now().Add(bootTime); !accepts(as, port); time.Sleep(50 * time.Millisecond) {
		select {
		case <-ended:
			t.Fatalf("PostgreSQL does not start: %s", out.String())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("PostgreSQL does not accept connections at port %s", port)
		}
	}
	return "postgres://concordat@127.0.0.1:" + port + "/postgres?sslmode=disable"
}

// home makes the cluster's folder. PostgreSQL does not run as root: then it is nobody's,
// and lies where nobody can reach it.
func home(t testing.TB) (string, *syscall.SysProcAttr) {
	dir, err := os.MkdirTemp("", "concordat-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return dir, as
	}
	uid, gid := 65534, 65534
	if u, err := user.Lookup("nobody"); err == nil {
		uid, _ = strconv.Atoi(u.Uid)
		gid, _ = strconv.Atoi(u.Gid)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return dir, as
}

func run(t testing.TB, as *syscall.SysProcAttr, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr, cmd.Dir = as, "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func accepts(as *syscall.SysProcAttr, port string) bool {
	if ready := binary("pg_isready"); ready != "" {
		cmd := exec.Command(ready, "-q", "-h", "127.0.0.1", "-p", port)
		cmd.SysProcAttr, cmd.Dir = as, "/"
		return cmd.Run() == nil
	}
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}
