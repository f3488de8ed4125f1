package jsonpath_test

import (
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser/internal/jsonpath"
	"github.com/concordat-dev/concordat/parser/internal/node"
)

// store is the example of RFC 9535, figure 1, and what later sections ask about.
const store = `{"store": {"book": [
  {"category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95},
  {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99},
  {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553-21311-3", "price": 8.99},
  {"category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord of the Rings", "isbn": "0-395-19395-8", "price": 22.99}],
  "bicycle": {"color": "red", "price": 399}},
 "o": {"j j": {"k.k": 3}, "'": {"@": 2}, "x-a": 1, "é": 4},
 "n": [null, true, false, 1, 1.0, 1e0, "1", [1], {"a": 1}, {"a": 1.5}],
 "d": {"o": {"j": 1, "k": 2}, "a": [5, 3, [{"j": 4}, {"k": 6}]]},
 "i": ["a", "b", "c", "d", "e", "f", "g"]}`

func document(t testing.TB, text string) *node.Node {
	t.Helper()
	var diags diag.List
	root := node.NewLoader(func(string) ([]byte, error) { return []byte(text), nil }, &diags).Load("a.json")
	if root == nil || len(diags) > 0 {
		t.Fatal(diags)
	}
	return root
}

func TestSelect(t *testing.T) {
	root := document(t, store)
	for _, c := range []struct{ expr, want string }{
		{"$.store.book[*].author", `"Nigel Rees" "Evelyn Waugh" "Herman Melville" "J. R. R. Tolkien"`},
		{"$..author", `"Nigel Rees" "Evelyn Waugh" "Herman Melville" "J. R. R. Tolkien"`},
		{"$.store..price", `8.95 12.99 8.99 22.99 399`},
		{"$..book[2].title", `"Moby Dick"`},
		{"$..book[-1].title", `"The Lord of the Rings"`},
		{"$..book[0,1].price", `8.95 12.99`},
		{"$..book[:2].price", `8.95 12.99`},
		{"$..book[?@.isbn].price", `8.99 22.99`},
		{"$..book[?(@.price < 10)].price", `8.95 8.99`},
		{"$..book[? @.price<10 && @.category=='fiction' ].title", `"Moby Dick"`},
		{"$..book[?@.price > 20 || !@.isbn].price", `8.95 12.99 22.99`},
		{"$..book[?match(@.author, 'N.*')].price", `8.95`},
		{"$..book[?search(@.author, \"[HJ]\\\\.?\")].price", `8.99 22.99`},
		{"$..book[?length(@.title) == 9].title", `"Moby Dick"`},
		{"$..book[?count(@.*) >= 5].price", `8.99 22.99`},
		{"$.store[?value(@.color) == 'red'].price", `399`},
		{"$..book[?@.price == $.store.book[0].price].price", `8.95`},
		{"$.o['j j']['k.k']", `3`},
		{`$.o["'"]["@"]`, `2`},
		{`$.o['\'']['\u0040']`, `2`},
		{"$.o.x-a", `1`},
		{"$.o.é", `4`},
		{"$.i[1:3]", `"b" "c"`},
		{"$.i[5:]", `"f" "g"`},
		{"$.i[1:5:2]", `"b" "d"`},
		{"$.i[5:1:-2]", `"f" "d"`},
		{"$.i[::-1]", `"g" "f" "e" "d" "c" "b" "a"`},
		{"$.i[::0]", ``},
		{"$.i[-2:]", `"f" "g"`},
		{"$.i[99]", ``},
		{"$.n[?@ == 1]", `1 1.0 1e0`},
		{"$.n[?@ == null]", `null`},
		{"$.n[?@ == true]", `true`},
		{"$.n[?@ == '1']", `"1"`},
		{"$.n[?@.a == 1]", `{"a":1}`},
		{"$.n[?@.a != 1]", `null true false 1 1.0 1e0 "1" [1] {"a":1.5}`},
		{"$.n[?@.a == $.none]", `null true false 1 1.0 1e0 "1" [1]`},
		{"$.n[?@ == $.n[7]]", `[1]`},
		{"$.n[?@.a >= 1.5]", `{"a":1.5}`},
		{"$.d..j", `1 4`},
		{"$.d..[0]", `5 {"j":4}`},
		{"$.d.a[?@ > 3, 0]", `5`},
		{"$.d['o', 'o'].j", `1`},
		{" $.d", ``},
		{"$", store[:0]},
	} {
		path, err := jsonpath.Parse(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		found, err := path.Select(root)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
		}
		if c.expr == "$" || c.expr == " $.d" {
			if len(found) != 1 {
				t.Errorf("%s: %d", c.expr, len(found))
			}
			continue
		}
		var got []string
		for _, n := range found {
			got = append(got, n.JSON())
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: got %s, want %s", c.expr, s, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, expr := range []string{"", "a", "$.", "$..", "$a", "$[", "$[]", "$['a", "$['a'", "$[a]", "$[1", "$[1:2:3:4]", "$[?]", "$[?@.a ==]",
		"$[?1]", "$[?(@.a]", "$[?match(@.a)]", "$[?count(1) > 1]", "$[?nope(@)]", "$['\\x']", "$['\\u12']", "$[99999999999999999999]", "$[--1]", "$.a b",
		"$[?@.a == 1e99999999]", "$[?" + strings.Repeat("(", 100) + "@" + strings.Repeat(")", 100) + "]", "$[?" + strings.Repeat("length(", 100) + "]"} {
		if _, err := jsonpath.Parse(expr); err == nil {
			t.Errorf("%s is taken", expr)
		}
	}
}

// TestBomb holds that an expression costs no more than its limit.
func TestBomb(t *testing.T) {
	root := document(t, strings.Repeat("[", 400)+strings.Repeat("]", 400))
	path, err := jsonpath.Parse("$" + strings.Repeat("..*", 12))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := path.Select(root); err == nil {
		t.Error("too much is not noticed")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("$..book[?@.price < 10 && match(@.a, 'x')]['a', 0, ::2]")
	root := document(f, store)
	f.Fuzz(func(t *testing.T, expr string) {
		if path, err := jsonpath.Parse(expr); err == nil {
			path.Select(root)
		}
	})
}
