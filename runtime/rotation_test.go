package runtime_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/concordattest"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

// folder is an authority with certificates for both sides, in files.
func folder(t *testing.T) (*devca.Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := devca.Create(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"server", "client"} {
		if _, _, err := f.Issue(devca.Request{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return f, dir
}

func pair(dir, name string) *tlsconf.Config {
	return tlsconf.Mutual(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"), filepath.Join(dir, devca.TrustFile))
}

func stay(t *testing.T, dir, name string) *tlsconf.Config {
	t.Helper()
	var text [3][]byte
	for i, file := range []string{name + ".crt", name + ".key", devca.TrustFile} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		text[i] = b
	}
	return tlsconf.MutualPEM(text[0], text[1], text[2])
}

// settle lets every program read the files again.
func settle() { time.Sleep(tlsconf.Recheck + tlsconf.Recheck/2) }

// Certificates change all the time and the authority once, under load: no call may fail.
// A client that stays behind is put out in the end, though its connection is open.
func TestRotationUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for files to be read again, several times")
	}
	t.Parallel()
	f, dir := folder(t)
	s := concordat.NewServer(concordat.WithTLS(pair(dir, "server")))
	answer(s, &getSpec, func(context.Context, string) (string, error) { return "ok", nil })
	addr := concordattest.Run(t, s)
	behind := dial(t, "https://"+addr, concordat.WithTLS(stay(t, dir, "client")))
	if _, err := do(t.Context(), behind, &getSpec, ""); err != nil {
		t.Fatal(err)
	}
	conn := dial(t, "https://"+addr, concordat.WithTLS(pair(dir, "client")))
	calls, stop := load(t, conn)
	rotate := func() {
		for _, name := range []string{"server", "client"} {
			if err := f.Renew(name); err != nil {
				t.Error(err)
			}
		}
		settle()
	}
	rotate()
	if err := f.RenewAuthority(0); err != nil {
		t.Fatal(err)
	}
	settle()
	rotate()
	if _, err := f.Forget(); err != nil {
		t.Fatal(err)
	}
	settle()
	settle()
	stop()
	if n := calls.Load(); n < 100 {
		t.Errorf("%d calls are no load", n)
	}
	if _, err := do(t.Context(), behind, &getSpec, ""); code(err) != concordat.Unauthenticated {
		t.Errorf("a client of the forgotten authority, on its open connection: %v", err)
	}
	if _, err := do(t.Context(), behind, &getSpec, ""); err == nil {
		t.Error("and then anew: it was let in")
	}
}

// load calls until it is stopped; each call has to succeed.
func load(t *testing.T, conn *concordat.Conn) (calls *atomic.Int64, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	calls = new(atomic.Int64)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				if _, err := do(t.Context(), conn, &getSpec, ""); err != nil {
					t.Error(err)
					return
				}
				calls.Add(1)
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	return calls, func() { cancel(); all.Wait() }
}

func TestInvalidCertificatesRaiseAnAlarm(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for files to be read again")
	}
	t.Parallel()
	f, dir := folder(t)
	log, said := logs()
	conf := pair(dir, "server")
	s := concordat.NewServer(concordat.WithTLS(conf), concordat.WithLogger(log))
	answer(s, &getSpec, func(context.Context, string) (string, error) { return "ok", nil })
	addr := concordattest.Run(t, s)
	conn := dial(t, "https://"+addr, concordat.WithTLS(pair(dir, "client")))
	if err := os.WriteFile(filepath.Join(dir, "server.crt"), []byte("half a certif"), 0o644); err != nil {
		t.Fatal(err)
	}
	settle()
	if _, err := do(t.Context(), conn, &getSpec, ""); err != nil {
		t.Error("the old certificate is not in use any more:", err)
	}
	if !strings.Contains(said(), "the new certificates are invalid") || !strings.Contains(metrics(s), `concordat_certificate_reload_failed{side="server"} 1`) {
		t.Errorf("nothing was said:\n%s\n%s", said(), metrics(s))
	}
	if _, _, err := f.Issue(devca.Request{Name: "server"}); err != nil {
		t.Fatal(err)
	}
	settle()
	if m := metrics(s); !strings.Contains(m, `concordat_certificate_reload_failed{side="server"} 0`) || !strings.Contains(m, `concordat_certificate_expiry_timestamp_seconds{side="server"} 1`) {
		t.Errorf("it was repaired:\n%s", m)
	}
	if n := strings.Count(said(), "the new certificates are invalid"); n != 1 {
		t.Errorf("the alarm was raised %d times", n)
	}
}

func metrics(s *concordat.Server) string {
	w := httptest.NewRecorder()
	s.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestPlaintextIsReported(t *testing.T) {
	s := concordat.NewServer(concordat.WithPlaintext())
	if m := metrics(s); !strings.Contains(m, `concordat_plaintext{side="server"} 1`) {
		t.Error(m)
	}
}
