package stub_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	concordat "github.com/concordat-dev/concordat/runtime"
)

const hostileLimit = 1 << 20

// hostileServer listens on loopback; no request of these tests may reach its handler.
func hostileServer(t *testing.T, opts ...concordat.ServerOption) (addr string) {
	t.Helper()
	s := concordat.NewServer(append([]concordat.ServerOption{concordat.WithPlaintext(), concordat.WithMaxBody(hostileLimit), quiet}, opts...)...)
	p := PetsServer{create: func(_ context.Context, in *CreatePetRequest) (*Pet, error) {
		t.Errorf("%.60q reached the handler", in.Body.Name)
		return &in.Body, nil
	}}
	p.register(s)
	run(t, s)
	return s.Addr()
}

// refusal holds a reply to what every refusal is: problem details with a code.
func refusal(t *testing.T, resp *http.Response, status int) {
	t.Helper()
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Status int
		Code   string
	}
	if resp.StatusCode != status || resp.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(data, &p) != nil || p.Status != status || p.Code == "" {
		t.Errorf("%s %s %.300s, want %d", resp.Status, resp.Header.Get("Content-Type"), data, status)
	}
	if len(data) > 16<<10 {
		t.Errorf("%d bytes of reply to a hostile request", len(data))
	}
}

// Bodies that are made to do harm are refused by status, and cost no more than their size.
func TestHostileBodies(t *testing.T) {
	addr := hostileServer(t)
	most := hostileLimit - 100
	wide := func(part string) string { return strings.Repeat(part, most/len(part)) }
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"deep arrays":           {`{"id":1,"name":"a","x":` + wide("["), 400},
		"deep objects":          {`{"id":1,"name":"a","x":` + wide(`{"x":`), 400},
		"deep and closed":       {`{"id":1,"name":"a","x":` + strings.Repeat("[", most/2) + strings.Repeat("]", most/2-50) + `}`, 400},
		"deep at the top":       {wide("["), 400},
		"many digits":           {`{"name":"a","id":` + wide("9") + `}`, 400},
		"many decimals":         {`{"name":"a","id":1.` + wide("0") + `1}`, 400},
		"a large exponent":      {`{"name":"a","id":1e999999999999}`, 400},
		"a small exponent":      {`{"name":"a","id":1e-999999999999}`, 400},
		"beyond the integer":    {`{"name":"a","id":9223372036854775808}`, 400},
		"a key twice":           {`{"id":1,"name":"a","id":1}`, 400},
		"a key twice, escaped":  {`{"id":1,"name":"a","\u0069d":1}`, 400},
		"no UTF-8":              {"{\"id\":1,\"name\":\"\xff\"}", 400},
		"half a surrogate":      {`{"id":1,"name":"\ud800"}`, 400},
		"a control character":   {"{\"id\":1,\"name\":\"a\x00\"}", 400},
		"truncated":             {`{"id":1,"name":"a`, 400},
		"nothing but space":     {wide(" "), 400},
		"two values":            {`{"id":1,"name":"a"}{}`, 400},
		"another type":          {`{"id":"1","name":"a"}`, 400},
		"null":                  {`null`, 400},
		"too long a string":     {`{"id":1,"name":"` + wide("a") + `"}`, 422},
		"what is required":      {`{"id":1}`, 422},
		"many unknown ones":     {`{` + manyKeys(most) + `"id":1}`, 422},
		"larger than the limit": {`{"id":1,"name":"` + strings.Repeat("a", hostileLimit) + `"}`, 413},
	} {
		t.Run(name, func(t *testing.T) {
			for _, chunked := range []bool{false, true} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				body := io.Reader(strings.NewReader(c.body))
				if chunked {
					body = io.MultiReader(body) // whose length nobody knows
				}
				resp, err := http.Post("http://"+addr+"/pets", "application/json", body)
				if err != nil {
					t.Fatal(err)
				}
				refusal(t, resp, c.status)
				runtime.ReadMemStats(&after)
				if n := after.TotalAlloc - before.TotalAlloc; n > 8*hostileLimit {
					t.Errorf("%d MB of memory for a body of at most one", n>>20)
				}
			}
		})
	}
}

// manyKeys is an object's inside of about n bytes, every key another one.
func manyKeys(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n-20; i++ {
		fmt.Fprintf(&b, `"%x":0,`, i)
	}
	return b.String()
}

// post writes the beginning of a request by hand.
func post(t *testing.T, addr, rest string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "POST /pets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+rest); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// A body that ends too soon is refused by whoever still listens.
func TestTruncatedBodies(t *testing.T) {
	addr := hostileServer(t)
	for name, rest := range map[string]string{
		"less than its length":      "Content-Length: 1000\r\n\r\n{\"id\":1",
		"a chunk that ends":         "Transfer-Encoding: chunked\r\n\r\n40\r\n{\"id\":1",
		"no last chunk":             "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"id\":1\r\n",
		"what is no chunk":          "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
		"a length that lies, whole": "Content-Length: 1000\r\n\r\n{\"id\":1,\"name\":\"a\"}",
	} {
		t.Run(name, func(t *testing.T) {
			conn := post(t, addr, rest)
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			refusal(t, resp, 400)
		})
	}
}

// A body that trickles in ends with the request's deadline, and so does one that stops.
func TestSlowBodies(t *testing.T) {
	addr := hostileServer(t, concordat.WithTimeout(100*time.Millisecond))
	for name, every := range map[string]time.Duration{"trickles": 5 * time.Millisecond, "stops": time.Hour} {
		t.Run(name, func(t *testing.T) {
			conn := post(t, addr, "Content-Length: 100000\r\n\r\n{\"id\":1,")
			gone := make(chan struct{})
			defer func() { <-gone }()
			stop := make(chan struct{})
			defer close(stop)
			go func() {
				defer close(gone)
				tick := time.NewTicker(every)
				defer tick.Stop()
				for {
					select {
					case <-stop:
						return
					case <-tick.C:
						if _, err := conn.Write([]byte(" ")); err != nil {
							return
						}
					}
				}
			}()
			reply, err := io.ReadAll(conn) // ends, because the server closes the connection
			if err != nil && len(reply) == 0 {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(reply)), nil)
			if err != nil {
				t.Fatal(err)
			}
			refusal(t, resp, http.StatusRequestTimeout)
		})
	}
}
