package stub_test

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub"
)

// peer finds a program that is not ours.
func peer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", name)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// curl reads our events as they come: the second is sent only when it printed the first.
func TestCurlReadsEvents(t *testing.T) {
	curl := peer(t, "curl")
	op := watch[Pet]("text/event-stream", petReply)
	s := concordat.NewServer(concordat.WithPlaintext(), quiet)
	printed := make(chan struct{})
	stub.HandleStream(s, op, func(ctx context.Context, _ *WatchRequest) iter.Seq2[*Pet, error] {
		return func(yield func(*Pet, error) bool) {
			for i := int64(1); i <= 3 && yield(&Pet{ID: i, Name: "a"}, nil); i++ {
				<-printed
			}
			yield(nil, concordat.Errorf(concordat.Unavailable, "that was all"))
		}
	})
	run(t, s)
	for _, version := range []string{"--http1.1", "--http2-prior-knowledge"} {
		cmd := exec.CommandContext(t.Context(), curl, "-sNi", version, "http://"+s.Addr()+"/watch")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for r := bufio.NewScanner(out); r.Scan(); {
			line := strings.TrimSpace(r.Text())
			if lines = append(lines, line); strings.HasPrefix(line, `data: {"id"`) {
				printed <- struct{}{}
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		head := strings.ToLower(strings.Join(lines[:slices.Index(lines, "")], "\n"))
		if !strings.Contains(head, "content-type: text/event-stream") || !strings.Contains(head, "200") {
			t.Errorf("%s: head %s", version, head)
		}
		body := strings.Join(lines[slices.Index(lines, "")+1:], "\n")
		want := "data: {\"id\":1,\"name\":\"a\"}\n\ndata: {\"id\":2,\"name\":\"a\"}\n\ndata: {\"id\":3,\"name\":\"a\"}\n\nevent: error\ndata: {\"title\":\"Service Unavailable\",\"status\":503"
		if !strings.HasPrefix(body, want) {
			t.Errorf("%s: %s", version, body)
		}
	}
}

// eventsInNode is a server of events that is written without us. It breaks off after the
// first two events of those who do not come back with their id.
const eventsInNode = `
const server = require('http').createServer((req, res) => {
	const last = Number(req.headers['last-event-id'] || 0);
	res.writeHead(200, {'Content-Type': 'text/event-stream;charset=UTF-8'});
	res.write('\ufeff:\r\n\r\nretry: 0\r\n');
	let id = last;
	const send = () => {
		if (id >= 5) { res.end('data: cut'); return; }
		if (id === last + 2 && last === 0) { res.destroy(); return; }
		id++;
		res.write('id: ' + id + '\rda');
		setImmediate(() => { res.write('ta: {"id":' + id + ',\rdata:"name":"n"}\r\r'); setImmediate(send); });
	};
	send();
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
`

func TestEventsOfNode(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), peer(t, "node"), "-e", eventsInNode)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	var port int
	if _, err := fmt.Fscan(out, &port); err != nil {
		t.Fatal(err)
	}
	conn, err := concordat.NewConn(fmt.Sprintf("http://127.0.0.1:%d", port), concordat.WithReconnects(1), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var ids []int64
	for pet, err := range stub.Stream(t.Context(), conn, watch[Pet]("text/event-stream", petReply), nil) {
		if err != nil {
			t.Fatal(ids, err)
		}
		ids = append(ids, pet.ID)
	}
	if !slices.Equal(ids, []int64{1, 2, 3, 4, 5}) {
		t.Errorf("got %v", ids)
	}
}
