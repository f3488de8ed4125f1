package roundtrip

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// A filter holds what travels against the document by kin-openapi's own filters of
// requests and responses, which know nothing of ours.
type filter struct {
	positions bool // the document has lists with positions
	doc       *openapi3.T

	mu   sync.Mutex
	last *exchange
}

// An exchange is one request and its reply, as they travelled.
type exchange struct {
	request *http.Request
	sent    []byte
	reply   *httptest.ResponseRecorder
	done    chan struct{} // the server has answered
}

// newFilter reads a document; nil where kin-openapi cannot, with the reason in the log.
func newFilter(t *testing.T, document []byte) *filter {
	var plain map[string]any
	err := json.Unmarshal(document, &plain)
	if plain["swagger"] != nil {
		t.Log("kin-openapi does not judge: its filters are for OpenAPI 3")
		return nil
	}
	var doc *openapi3.T
	if err == nil {
		document, err = json.Marshal(loosened(plain, strings.HasPrefix(fmt.Sprint(plain["openapi"]), "3.0")))
	}
	if err == nil {
		doc, err = openapi3.NewLoader().LoadFromData(document)
	}
	if err != nil {
		t.Logf("kin-openapi does not judge: it cannot read the document: %v", err)
		return nil
	}
	return &filter{doc: doc, positions: bytes.Contains(document, []byte(`"prefixItems"`))}
}

// loosened is a document whose oneOf is anyOf: that a drawn value fits a second variant by
// chance is not ours to judge. Discriminators decide in OpenAPI 3.0, and are none of JSON
// Schema, by which kin-openapi goes in later documents.
func loosened(v any, old bool) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = loosened(v[i], old)
		}
	case map[string]any:
		for k := range v {
			v[k] = loosened(v[k], old)
		}
		if one, ok := v["oneOf"].([]any); ok && v["anyOf"] == nil && (v["discriminator"] == nil || !old) {
			v["anyOf"] = one
			delete(v, "oneOf")
		}
	}
	return v
}

// tape is middleware that keeps the last exchange.
func (f *filter) tape(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		e := &exchange{request: r.Clone(context.WithoutCancel(r.Context())), sent: body, reply: httptest.NewRecorder(), done: make(chan struct{})}
		f.mu.Lock()
		f.last = e
		f.mu.Unlock()
		defer close(e.done)
		next.ServeHTTP(&tee{w, e.reply}, r)
	})
}

// A tee writes to the client and to the tape.
type tee struct {
	http.ResponseWriter
	tape *httptest.ResponseRecorder
}

func (t *tee) WriteHeader(status int) {
	for k, v := range t.Header() {
		t.tape.Header()[k] = v
	}
	t.tape.WriteHeader(status)
	t.ResponseWriter.WriteHeader(status)
}

func (t *tee) Write(b []byte) (int, error) {
	t.tape.Write(b)
	return t.ResponseWriter.Write(b)
}

func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// judge says what kin-openapi has against the last exchange of a route.
func (f *filter) judge(t *testing.T, method, route string) {
	t.Helper()
	f.mu.Lock()
	e := f.last
	f.mu.Unlock()
	if e == nil {
		return
	}
	<-e.done
	if f.positions && strings.HasPrefix(e.request.Header.Get("Content-Type"), "multipart/") {
		return // it reads the parts of every list by items
	}
	verb, template, _ := strings.Cut(route, " ")
	item := f.doc.Paths.Value(template)
	if item == nil || item.GetOperation(verb) == nil {
		return
	}
	values, ok := pathValues(template, e.request.URL)
	if !ok {
		t.Errorf("%s was sent to %s", route, e.request.URL)
		return
	}
	e.request.Body = io.NopCloser(bytes.NewReader(e.sent))
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true, MultiError: true, IncludeResponseStatus: true}
	in := &openapi3filter.RequestValidationInput{
		Request: e.request, PathParams: values, Options: options,
		Route: &routers.Route{Spec: f.doc, Path: template, PathItem: item, Method: verb, Operation: item.GetOperation(verb)},
	}
	title := f.doc.Info.Title
	if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil && !excused(title, method, err) {
		t.Errorf("kin-openapi objects to the request of %s/%s: %.900v\n%s %s %v\n%.600s", title, method, err, e.request.Method, e.request.URL, e.request.Header, e.sent)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: e.reply.Code, Header: e.reply.Header(), Options: options,
		Body: io.NopCloser(bytes.NewReader(e.reply.Body.Bytes())),
	}
	if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil && !excused(title, method, err) {
		t.Errorf("kin-openapi objects to the reply of %s/%s: %.900v\n%d %v\n%.600s", title, method, err, e.reply.Code, e.reply.Header(), e.reply.Body)
	}
}

var variable = regexp.MustCompile(`\{[^}]+\}`)

// pathValues are the values of the variables of a path, as a router would find them.
func pathValues(template string, u *url.URL) (map[string]string, bool) {
	names := variable.FindAllString(template, -1)
	var pattern strings.Builder
	rest := template
	for _, name := range names {
		before, after, _ := strings.Cut(rest, name)
		pattern.WriteString(quoted(before) + "([^/]*)")
		rest = after
	}
	m := regexp.MustCompile("^" + pattern.String() + quoted(rest) + "$").FindStringSubmatch(u.EscapedPath())
	if m == nil {
		return nil, false
	}
	values := map[string]string{}
	for i, name := range names {
		value, err := url.PathUnescape(m[i+1])
		if err != nil {
			return nil, false
		}
		values[strings.Trim(name, "{}")] = value
	}
	return values, true
}

// quoted matches what is not variable of a path, as it travels.
func quoted(s string) string { return regexp.QuoteMeta((&url.URL{Path: s}).EscapedPath()) }

// excuses are objections that are the judge's own fault, each with what that is. A title
// or method of "" is every one.
var excuses = []struct{ title, method, part, fault string }{
	{"", "", "unsupported content type", "it has no decoder for the media type, and does not look at the body"},
	{"", "", "invalid serialization method", "it does not know exploded forms in cookies"},
	{"", "", "parameter's 'in'", "it is no OpenAPI 3 document"},
	{"", "", "unsupported schema of request body's property", "it knows no objects in forms"},
	{"", "", "array items must be set with indexes", "the specification leaves lists in deepObject open, and it wants indexes"},
	{"", "", "empty value is not allowed", "it takes an empty text for no value"},
	{"", "", "got string, want integer", "it takes all text outside of JSON for strings"},
	{"", "", "got string, want number", "the same"},
	{"Params", "", "in cookie has an error", "it does not undo percent encoding in cookies"},
	{"Params", "", "value is required but missing", "it finds no members of a form's free-form object"},
	{"Params", "PathSimple", "must be a list of object's properties", "it divides objects in paths after percent encoding was undone"},
	{"Bodies", "", "missing property 'id'", "it wants readOnly properties in requests of OpenAPI 3.1"},
	{"Bodies", "Multipart", "%22name%22: undefined", "it does not undo the escapes of names (RFC 7578, section 4.2)"},
	{"Bodies", "Headers", `response header "X-JSON"`, "it does not know headers with content"},
	{"Bodies", "Statuses", `response header "Location" missing`, "a header that one of several statuses requires is optional in Go, and was left out"},
	{"Forms of one answer", "Pet", "value must be an object", "it takes text/plain for a string, whatever its schema"},
	{"Train Travel API", "CreateBookingPayment", "missing property 'cvc'", "it wants writeOnly properties in replies of OpenAPI 3.1"},
	{"Superset", "GetAPIV1DatabasePkSelectStarTableName", `"schema_name" in path`, "the document declares a variable that the path does not have"},
	{"Schemas", "Loose", "/tuple/", "tuples of several types are raw JSON in Go, and were drawn as such"},
}

func excused(title, method string, err error) bool {
	for _, e := range excuses {
		if (e.title == "" || e.title == title) && strings.HasPrefix(method, e.method) && strings.Contains(err.Error(), e.part) {
			return true
		}
	}
	return false
}
