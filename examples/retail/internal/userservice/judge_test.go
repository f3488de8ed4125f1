package userservice_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/examples/retail/internal/userservice"
	"github.com/concordat-dev/concordat/examples/retail/users"
	concordat "github.com/concordat-dev/concordat/runtime"
)

const document = "../../contracts/users.yaml"

// serve serves an empty store over plain HTTP.
func serve(t *testing.T) string {
	t.Helper()
	s := concordat.NewServer()
	users.Register(s, userservice.New())
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return h.URL
}

// curl, which knows nothing of us, is served as the contract says.
func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl")
	}
	at := serve(t)
	const problem = "application/problem+json"
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"create", "201 application/json", []string{"-d", `{"email":"ada@example.com","name":"Ada"}`, "-H", "Content-Type: application/json", "/customers"}},
		{"search", "200 application/json", []string{"/customers?query=ada&limit=5"}},
		{"escaped", "200 application/json", []string{"-G", "--data-urlencode", "query=a b&c/d", "/customers"}},
		{"head", "200 application/json", []string{"-I", "/customers"}},
		{"chunked", "201 application/json", []string{"-H", "Transfer-Encoding: chunked", "-H", "Content-Type: application/json", "-d", `{"email":"b@example.com","name":"B"}`, "/customers"}},
		{"compressed", "200 application/json", []string{"--compressed", "/customers"}},
		{"unknown customer", "404 application/problem+json", []string{"/customers/00000000-0000-4000-8000-000000000000"}},
		{"no UUID", "400 " + problem, []string{"/customers/nobody"}},
		{"a rule is broken", "422 " + problem, []string{"/customers?limit=100000"}},
		{"another media type", "415 " + problem, []string{"-d", "a=b", "/customers"}},
		{"another reply", "406 " + problem, []string{"-H", "Accept: text/html", "/customers"}},
		{"another method", "405 " + problem, []string{"-X", "DELETE", "/customers"}},
		{"another path", "404 " + problem, []string{"/nowhere"}},
		{"no JSON", "400 " + problem, []string{"-d", `{"email":`, "-H", "Content-Type: application/json", "/customers"}},
	} {
		args := append([]string{"-sS", "-o", os.DevNull, "-w", "%{http_code} %{content_type}", "--max-time", "20"}, c.args...)
		args[len(args)-1] = at + args[len(args)-1]
		out, err := exec.CommandContext(t.Context(), curl, args...).CombinedOutput()
		if err != nil || string(out) != c.want {
			t.Errorf("%s: %s, want %s (%v)", c.name, out, c.want, err)
		}
	}
}

// schemathesis makes requests from the contract, right and wrong ones, and holds every
// reply against it. It is installed by `pip install schemathesis` and takes a minute, so
// it must be asked for: CONCORDAT_SCHEMATHESIS names the command. Not checked is that a
// contract declares each status (400 for what is no request at all, it need not), and that
// all that the schemas allow is accepted (an e-mail address belongs to one customer). What
// the schemas forbid is sent to all but the search: there `status=` is an empty list for
// us, and a list of one empty text for schemathesis.
func TestSchemathesis(t *testing.T) {
	command := os.Getenv("CONCORDAT_SCHEMATHESIS")
	if command == "" {
		t.Skip("CONCORDAT_SCHEMATHESIS names no command")
	}
	for name, args := range map[string][]string{
		"replies":  {"--checks", "all", "--exclude-checks", "status_code_conformance,positive_data_acceptance,negative_data_rejection"},
		"requests": {"--checks", "negative_data_rejection,not_a_server_error,unsupported_method", "--exclude-operation-id", "searchCustomers"},
	} {
		t.Run(name, func(t *testing.T) {
			path, err := filepath.Abs(document)
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"run", path, "--url", serve(t), "--seed", "1", "--max-examples", "60", "--suppress-health-check", "all",
				"--continue-on-failure", "--no-color", "--generation-database", "none"}, args...)
			cmd := exec.CommandContext(t.Context(), command, args...)
			cmd.Dir = t.TempDir() // where it leaves what it found
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			t.Log(strings.TrimSpace(string(out[max(0, len(out)-400):])))
		})
	}
}
