package transcode_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/internal/library"
	pb "github.com/concordat-dev/concordat/internal/library/library"
	concordat "github.com/concordat-dev/concordat/runtime"
	"github.com/concordat-dev/concordat/runtime/stub/rpc/transcode"
)

func serve(t *testing.T, opts ...concordat.ServerOption) *httptest.Server {
	t.Helper()
	s := concordat.NewServer(append(opts, concordat.WithLogger(slog.New(slog.DiscardHandler)))...)
	pb.RegisterLibrary(s, library.Echo{})
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return h
}

// ask returns status and body of one request, "POST /path" and a body.
func ask(t *testing.T, base, line, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		raw = append(raw, "<broken off>"...)
	}
	return resp.StatusCode, string(raw), resp.Header
}

func TestRequests(t *testing.T) {
	h := serve(t)
	for _, c := range []struct {
		line, body string
		status     int
		want       string
	}{
		// Paths.
		{"GET /v1/shelves/1/books/2", "", 200, `{"name":"shelves/1/books/2","genre":"GENRE_NOVEL"}`},
		{"GET /v1/shelves/a%2Fb/books/c%20d%C3%A9", "", 200, `{"name":"shelves/a%2Fb/books/c dé","genre":"GENRE_NOVEL"}`},
		{"GET /v1/shelves/%ff/books/2", "", 400, `{"code":3,"message":"name in the path is not UTF-8","details":[]}`},
		{"GET /v1/books:byName?name=x", "", 200, `{"name":"x","genre":"GENRE_NOVEL"}`},
		{"GET /v1/pages/a/b%2Fc/d", "", 200, `<p>a/b%2Fc/d`},
		{"DELETE /v1/shelves/1/books/2", "", 200, `{}`},
		{"DELETE /v1/shelves/1/books/2", "{}", 200, `{}`},
		{"DELETE /v1/shelves/1/books/2", `{"name":"x"}`, 400, `{"code":3,"message":"this route takes no body","details":[]}`},

		// Bodies.
		{"POST /v1/shelves/1/books?book_id=7", `{"title":"T","author":{"givenName":"A","family_name":"B"},"genre":2,"labels":{"k":"v"},"extra":{"a":[1,null]}}`, 200,
			`{"name":"shelves/1/books/7","title":"T","author":{"givenName":"A","familyName":"B"},"genre":"GENRE_POETRY","labels":{"k":"v"},"extra":{"a":[1,null]}}`},
		{"POST /v1/shelves/1/books?bookId=7", `{}`, 200, `{"name":"shelves/1/books/7"}`},
		{"POST /v1/shelves/1/books", `{"titel":"T"}`, 400, `{"code":3,"message":"the body is no library.v1.CreateBookRequest.book: (line 1:10): unknown field \"titel\"","details":[]}`},
		{"POST /v1/shelves/1/books", `{"title":`, 400, `{"code":3,"message":"the body is no library.v1.CreateBookRequest.book: syntax error (line 1:18): unexpected token }","details":[]}`},
		{"POST /v1/shelves/1/books?parent=x", `{}`, 400, `{"code":3,"message":"query parameter parent belongs to the path or the body of this route","details":[]}`},
		{"POST /v1/shelves/1/books?book.title=x", `{}`, 400, `{"code":3,"message":"query parameter book.title belongs to the path or the body of this route","details":[]}`},
		{"PATCH /v1/shelves/1/books/2?update_mask=title,givenName", `{"name":"ignored","title":"T"}`, 200, `{"name":"shelves/1/books/2","title":"T","tags":["title","given_name"]}`},
		{"POST /v1/shelves/1/books/2:move", `{"otherShelf":"9","name":"ignored"}`, 200, `{"name":"shelves/1/books/2 on 9"}`},
		{"PUT /v1/pages/a/b", `whatever`, 200, `{"path":"a/b","media":"text/plain","size":8}`},

		// Failures.
		{"GET /v1/shelves/1/books/none", "", 404, `{"code":5,"message":"no shelves/1/books/none","details":[{"@type":"type.googleapis.com/library.v1.Author","givenName":"nobody"}]}`},
		{"GET /v1/shelves/1/books/panic", "", 500, `{"code":13,"message":"internal error","details":[]}`},
		{"PURGE /v1/shelves/1/books/2", "", 500, `{"code":13,"message":"internal error","details":[]}`},
		{"POST /v1/shelves/1/books/2:move", `{"otherShelf":""}`, 400, `{"code":3,"message":"library.v1.MoveBookRequest breaks the rules of its contract: other_shelf: must be at least 1 characters","details":[` +
			`{"@type":"type.googleapis.com/buf.validate.Violations","violations":[{"field":{"elements":[{"fieldNumber":2,"fieldName":"other_shelf","fieldType":"TYPE_STRING"}]},` +
			`"rule":{"elements":[{"fieldNumber":14,"fieldName":"string","fieldType":"TYPE_MESSAGE"},{"fieldNumber":2,"fieldName":"min_len","fieldType":"TYPE_UINT64"}]},` +
			`"ruleId":"string.min_len","message":"must be at least 1 characters"}]}]}`},

		// Streams.
		{"GET /v1/shelves/1:watch?count=2", "", 200, "{\"what\":\"shelves/1\",\"number\":0}\n{\"what\":\"shelves/1\",\"number\":1}\n"},
		{"GET /v1/shelves/1:watch", "", 200, ""},
		{"GET /v1/shelves/1:watch?fail=true", "", 409, `{"code":10,"message":"the shelf fell down","details":[]}`},
		{"GET /v1/shelves/1:watch?fail=true&count=1", "", 200, "{\"what\":\"shelves/1\",\"number\":0}\n{\"error\":{\"code\":10,\"message\":\"the shelf fell down\",\"details\":[]}}\n<broken off>"},
		{"POST /v1/shelves/1/books:import", "{\"name\":\"a\"}\n{\"name\":\"b\"}{\"name\":\"c\"}", 200, `{"count":3,"names":["shelves/1/a","shelves/1/b","shelves/1/c"]}`},
		{"POST /v1/shelves/1/books:import", "", 200, `{"count":0}`},
		{"POST /v1/shelves/1/books:import", "{\"name\":\"a\"}\n{\"name\"", 400, `{"code":3,"message":"the body broke off: unexpected EOF","details":[]}`},
		{"POST /v1/shelves/1/books:import", "{\"name\":\"a\"}\n}", 400, `{"code":3,"message":"the body is no sequence of JSON texts: invalid character '}' looking for beginning of value","details":[]}`},
		{"POST /v1/echo", "{\"number\":1}\n{\"what\":\"x\"}", 200, "{\"number\":1}\n{\"what\":\"x\"}\n"},
	} {
		var header []string
		if c.body == "whatever" {
			header = []string{"Content-Type", "text/plain"}
		}
		status, body, _ := ask(t, h.URL, c.line, c.body, header...)
		if status != c.status || body != c.want {
			t.Errorf("%s %s\n got %d %s\nwant %d %s", c.line, c.body, status, body, c.status, c.want)
		}
	}
}

func TestQuery(t *testing.T) {
	h := serve(t)
	for _, c := range []struct{ query, want string }{
		{"pageSize=5&page_size=5", "given"}, // by two names
		{"pageSize=5", `{"parent":"shelves/1","pageSize":5}`},
		{"author.given_name=A&author.familyName=B", `{"parent":"shelves/1","author":{"givenName":"A","familyName":"B"}}`},
		{"genres=GENRE_NOVEL&genres=2&genres=77", `{"parent":"shelves/1","genres":["GENRE_NOVEL","GENRE_POETRY",77]}`},
		{"pages=-9007199254740993&pages=2", `{"parent":"shelves/1","pages":["-9007199254740993","2"]}`},
		{"printed_after=2024-02-03T04:05:06.7Z", `{"parent":"shelves/1","printedAfter":"2024-02-03T04:05:06.700Z"}`},
		{"borrowedFor=3.5s", `{"parent":"shelves/1","borrowedFor":"3.500s"}`},
		{"fieldsWanted=a,bC.dE,f_g", `{"parent":"shelves/1","fieldsWanted":"a,bC.dE,fG"}`},
		{"min_pages=0&in_stock=false&needle=", `{"parent":"shelves/1","minPages":"0","inStock":false,"needle":""}`},
		{"cursor=_-8", `{"parent":"shelves/1","cursor":"/+8="}`},
		{"cursor=%2F%2B8%3D", `{"parent":"shelves/1","cursor":"/+8="}`},
		{"weight=-Infinity", `{"parent":"shelves/1","weight":"-Infinity"}`},
		{"labels[a]=1&labels[b.c]=2", `{"parent":"shelves/1","labels":{"a":1,"b.c":2}}`},
		{"ascending=x", `{"parent":"shelves/1","ascending":"x"}`},
		{"all=true&seed=18446744073709551615", `{"parent":"shelves/1","all":true,"seed":"18446744073709551615"}`},
		{"$alt=json&key=k", `{"parent":"shelves/1"}`},
	} {
		status, body, _ := ask(t, h.URL, "GET /v1/shelves/1/books?"+c.query, "")
		if c.want == "given" {
			continue // either wins: both say the same
		}
		var got struct{ Asked json.RawMessage }
		if err := json.Unmarshal([]byte(body), &got); status != 200 || err != nil || string(got.Asked) != c.want {
			t.Errorf("%s: %d %s, %v; want %s", c.query, status, body, err, c.want)
		}
	}
}

func TestWrongQueries(t *testing.T) {
	h := serve(t)
	for query, want := range map[string]string{
		"page_size=x":              `query parameter page_size "x" is no int32`,
		"page_size=2147483648":     `query parameter page_size "2147483648" is no int32`,
		"page_size=1&page_size=2":  `query parameter page_size is given 2 times, and holds one value`,
		"page_size=101":            `library.v1.ListBooksRequest breaks the rules of its contract: page_size: must be greater than or equal to 0 and less than or equal to 100`,
		"nobody=1":                 `query parameter nobody is not known: library.v1.ListBooksRequest has no field "nobody"`,
		"author=1":                 `query parameter author is a message: name its fields, as in field.name=value`,
		"author.age=1":             `query parameter author.age is not known: library.v1.Author has no field "age"`,
		"page_size.x=1":            `query parameter page_size.x is not known: page_size holds no fields`,
		"genres=NOVEL":             `query parameter genres "NOVEL" is no library.v1.Genre`,
		"printed_after=yesterday":  `query parameter printed_after "yesterday" is no google.protobuf.Timestamp`,
		"cursor=*":                 `query parameter cursor is not base64`,
		"all=maybe":                `query parameter all "maybe" is neither true nor false`,
		"needle=%ff":               `query parameter needle is not UTF-8`,
		"labels=1":                 `query parameter labels is a map: write labels[key]=value`,
		"labels[a]=x":              `query parameter labels[a] "x" is no int32`,
		"seed[a]=1":                `query parameter seed[a] is no map`,
		"parent=x":                 `query parameter parent belongs to the path or the body of this route`,
		"%zz=1":                    `the query string cannot be read: invalid URL escape "%zz"`,
		"seed=-1":                  `query parameter seed "-1" is no uint64`,
		"borrowed_for=99999999999": `query parameter borrowed_for "99999999999" is no google.protobuf.Duration`,
	} {
		status, body, _ := ask(t, h.URL, "GET /v1/shelves/1/books?"+query, "")
		var got struct {
			Code    int
			Message string
		}
		if err := json.Unmarshal([]byte(body), &got); status != 400 || err != nil || got.Code != 3 || got.Message != want {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	// Of two members of a oneof, whichever comes second is at fault.
	if _, body, _ := ask(t, h.URL, "GET /v1/shelves/1/books?ascending=a&descending=b", ""); !strings.Contains(body, "of order only one can be set") {
		t.Error(body)
	}
}

func TestReplies(t *testing.T) {
	h := serve(t)
	for _, c := range []struct{ line, media, want string }{
		{"GET /v1/books", "application/json", `[{"name":"one","pages":"9007199254740993"},{"name":"two"}]`},
		{"GET /v1/pages/x", "text/html", `<p>x`},
		{"GET /v1/shelves/1:watch?count=1", "application/x-ndjson", "{\"what\":\"shelves/1\",\"number\":0}\n"},
		{"HEAD /v1/shelves/1/books/2", "application/json", ``},
	} {
		_, body, header := ask(t, h.URL, c.line, "")
		if body != c.want || header.Get("Content-Type") != c.media {
			t.Errorf("%s: %s %s", c.line, header, body)
		}
	}
	if _, _, header := ask(t, h.URL, "GET /v1/shelves/1/books/2", ""); header.Get("X-Shelf") != "upstairs" {
		t.Error("what a handler sends beside the reply is lost:", header)
	}
}

func TestMediaTypes(t *testing.T) {
	h := serve(t)
	for media, want := range map[string]int{"application/json": 200, "application/json; charset=utf-8": 200, "application/merge-patch+json": 200, "": 200,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "nonsense/": 415} {
		if status, body, _ := ask(t, h.URL, "POST /v1/shelves/1/books", "{}", "Content-Type", media); status != want {
			t.Errorf("%s: %d %s", media, status, body)
		}
	}
	if status, body, _ := ask(t, h.URL, "POST /v1/shelves/1/books", "{}", "Content-Encoding", "gzip"); status != 415 {
		t.Error(status, body)
	}
}

func TestJSON(t *testing.T) {
	h := serve(t, transcode.WithJSON(transcode.JSON{EmitDefaults: true, EnumNumbers: true, ProtoNames: true, AllowUnknown: true}))
	_, body, _ := ask(t, h.URL, "POST /v1/shelves/1/books?book_id=7&nobody=x", `{"genre":"GENRE_POETRY","author":{"givenName":"A"},"nobody":1}`)
	if want := `{"name":"shelves/1/books/7","author":{"given_name":"A"},"genre":2,"pages":"0","tags":[],"labels":{}}`; body != want {
		t.Error(body)
	}
}

func TestLimits(t *testing.T) {
	h := serve(t, concordat.WithMaxBody(100))
	if status, body, _ := ask(t, h.URL, "POST /v1/shelves/1/books", `{"title":"`+strings.Repeat("x", 200)+`"}`); status != 413 || !strings.Contains(body, `"code":8`) {
		t.Error(status, body)
	}
	// Each message of a stream has the limit of its own.
	if status, body, _ := ask(t, h.URL, "POST /v1/shelves/1/books:import", strings.Repeat(`{"name":"x"}`, 50)); status != 200 {
		t.Error(status, body)
	}
	for _, endless := range []string{`{"name":"` + strings.Repeat("x", 1000), strings.Repeat(" ", 1000)} {
		if status, body, _ := ask(t, h.URL, "POST /v1/shelves/1/books:import", `{"name":"x"}`+endless); status != 413 {
			t.Error(status, body)
		}
	}
	h = serve(t)
	if status, body, _ := ask(t, h.URL, "POST /v1/shelves/1/books", strings.Repeat(`{"extra":`, 1000)+strings.Repeat("}", 1000)); status != 400 {
		t.Error(status, body)
	}
}

// Interceptors and statistics see a transcoded call as one of the operation.
func TestInterceptors(t *testing.T) {
	var saw []string
	s := concordat.NewServer(concordat.WithInterceptors(func(ctx context.Context, call *concordat.Call, in any, next concordat.Next) (any, error) {
		saw = append(saw, call.Name+" "+call.Meta.Get("X-Who"))
		if call.Meta.Get("X-Who") == "" {
			return nil, concordat.Errorf(concordat.Unauthenticated, "who are you?")
		}
		return next(ctx, in)
	}))
	pb.RegisterLibrary(s, library.Echo{})
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	if status, _, _ := ask(t, h.URL, "GET /v1/shelves/1/books/2", "", "X-Who", "me"); status != 200 {
		t.Error(status)
	}
	// Who nobody is hears that first, whatever else is wrong.
	if status, body, _ := ask(t, h.URL, "GET /v1/shelves/1/books?nonsense=1", ""); status != 401 {
		t.Error(status, body)
	}
	if status, _, _ := ask(t, h.URL, "GET /v1/shelves/1:watch?count=3", "", "X-Who", "me"); status != 200 {
		t.Error(status)
	}
	if got := strings.Join(saw, ","); got != "library.v1.Library/GetBook me,library.v1.Library/ListBooks ,library.v1.Library/WatchShelf me" {
		t.Error(got)
	}
	for _, o := range s.Stats() {
		if o.InFlight != 0 {
			t.Errorf("%s is in flight for ever", o.Name)
		}
	}
}

// Both sides of a stream flow at once where the transport lets them.
func TestFullDuplex(t *testing.T) {
	s := concordat.NewServer()
	pb.RegisterLibrary(s, library.Echo{})
	h := httptest.NewUnstartedServer(s)
	h.EnableHTTP2 = true
	h.StartTLS()
	t.Cleanup(h.Close)
	body, write := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+"/v1/echo", body)
	if err != nil {
		t.Fatal(err)
	}
	go io.WriteString(write, `{"what":"first"}`+"\n")
	resp, err := h.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != `{"what":"first"}` {
		t.Fatal(lines.Text(), lines.Err())
	}
	go func() {
		io.WriteString(write, `{"what":"second"}`+"\n")
		write.Close()
	}()
	if !lines.Scan() || lines.Text() != `{"what":"second"}` || lines.Scan() {
		t.Fatal(lines.Text(), lines.Err())
	}
}

// What no rule can mean Run reports.
func TestWrongRules(t *testing.T) {
	for _, r := range []transcode.Rule{
		{Method: "GET", Path: "v1"}, {Method: "GET", Path: "/v1/{nobody}"}, {Method: "GET", Path: "/v1/{name"}, {Method: "GET", Path: "/v1/{name=**}/x"},
		{Method: "GET", Path: "/v1/a*"}, {Method: "POST", Path: "/v1", Body: "nobody"}, {Method: "GET", Path: "/v1", Reply: "nobody"}, {Method: "GET", Path: "/v1//x"},
		{Method: "GET", Path: "/v1/x{name}"}, {Method: "GET", Path: "/v1/{name.x}"},
	} {
		s := concordat.NewServer(concordat.WithPlaintext())
		transcode.Unary(s, &getBook, library.Echo{}.GetBook, r)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Run(ctx); concordat.ErrorOf(err) == nil || !strings.Contains(err.Error(), r.Path) {
			t.Errorf("%v: %v", r, err)
		}
	}
}
