package xml_test

import (
	stdxml "encoding/xml"
	"reflect"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/runtime/codec/xml"
)

// pets are the nodes of the well-known pet, with all that an xml object can say.
var pets = []xml.Node{
	{Name: "pet", Kind: xml.Object, Fields: []xml.Node{
		{Key: "id", Kind: xml.Number, As: xml.Attribute},
		{Key: "name", Req: true},
		{Key: "good", Kind: xml.Bool},
		{Key: "photoUrls", Req: true, Kind: xml.List, Wrapped: true, Elem: &xml.Node{Name: "photoUrl"}},
		{Key: "nick", Kind: xml.List, Req: true, Elem: &xml.Node{}},
		{Key: "kids", Kind: xml.List, Elem: &xml.Node{Name: "kid", Kind: xml.Ref, Of: 0}},
		{Key: "owner", Space: "http://example.com/o", Prefix: "o", Kind: xml.Object, Fields: []xml.Node{{Key: "n", Space: "http://example.com/o", Prefix: "o"}, {Key: "text", As: xml.Chars}}},
		{Key: "grid", Kind: xml.List, Elem: &xml.Node{Kind: xml.List, Elem: &xml.Node{Name: "n", Kind: xml.Number}}},
		{Key: "map", Kind: xml.Map, Elem: &xml.Node{Kind: xml.Number}},
		{Key: "any", Kind: xml.Any},
		{Key: "pay", Kind: xml.Union, Tag: "kind", Variants: []xml.Node{
			{Kind: xml.Object, Tags: []string{"card"}, Fields: []xml.Node{{Key: "kind"}, {Key: "no", Kind: xml.Number}}},
			{Kind: xml.Object, Tags: []string{"cash"}, Fields: []xml.Node{{Key: "kind", As: xml.Attribute}, {Key: "no"}}},
		}},
		{Key: "free", Kind: xml.Union, Variants: []xml.Node{{Kind: xml.Number}, {Kind: xml.Bool}, {Kind: xml.List, Elem: &xml.Node{}}, {}}},
	}},
	{Name: "note", Kind: xml.Object, Fields: []xml.Node{{Key: "v", As: xml.Attribute}, {Key: "body", As: xml.CData}}},
}

func pet() *xml.Codec { return &xml.Codec{Types: &pets, Root: xml.Node{Kind: xml.Ref}} }

func TestRoundTrip(t *testing.T) {
	note := &xml.Codec{Types: &pets, Root: xml.Node{Kind: xml.Ref, Of: 1}}
	list := &xml.Codec{Types: &pets, Root: xml.Node{Name: "pets", Kind: xml.List, Elem: &xml.Node{Name: "Pet", Kind: xml.Ref}}}
	for _, c := range []struct {
		codec     *xml.Codec
		json, xml string
	}{
		{pet(), `{"id":7,"name":"a<b>&\"\r\n","good":true,"photoUrls":["x","y"],"nick":[]}`,
			`<pet id="7"><name>a&lt;b&gt;&amp;&#34;&#13;&#10;</name><good>true</good><photoUrls><photoUrl>x</photoUrl><photoUrl>y</photoUrl></photoUrls></pet>`},
		{pet(), `{"name":"","photoUrls":[],"nick":["a",""],"kids":[{"name":"k","photoUrls":[],"nick":[]}]}`,
			`<pet><name></name><photoUrls></photoUrls><nick>a</nick><nick></nick><kid><name>k</name><photoUrls></photoUrls></kid></pet>`},
		{pet(), `{"name":null,"photoUrls":[],"nick":[],"owner":{"n":"x","text":"hi"}}`,
			`<pet><name xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/><photoUrls></photoUrls>` +
				`<o:owner xmlns:o="http://example.com/o"><o:n>x</o:n>hi</o:owner></pet>`},
		{pet(), `{"name":"n","photoUrls":[],"nick":[],"grid":[[1,2],[]],"map":{"a":1,"b":2.50},"any":{"x":"1","y":["2","3"]}}`,
			`<pet><name>n</name><photoUrls></photoUrls><grid><n>1</n><n>2</n></grid><grid></grid><map><a>1</a><b>2.50</b></map><any><x>1</x><y>2</y><y>3</y></any></pet>`},
		{pet(), `{"name":"n","photoUrls":[],"nick":[],"pay":{"kind":"card","no":12},"free":5}`,
			`<pet><name>n</name><photoUrls></photoUrls><pay><kind>card</kind><no>12</no></pay><free>5</free></pet>`},
		{pet(), `{"name":"n","photoUrls":[],"nick":[],"pay":{"kind":"cash","no":"12"},"free":true}`,
			`<pet><name>n</name><photoUrls></photoUrls><pay kind="cash"><no>12</no></pay><free>true</free></pet>`},
		{note, `{"v":"a\tb","body":"1 < 2"}`, `<note v="a&#9;b"><![CDATA[1 < 2]]></note>`},
		{note, `{"v":"","body":"]]>"}`, `<note v="">]]&gt;</note>`},
		{list, `[{"name":"a","photoUrls":[],"nick":[]}]`, `<pets><Pet><name>a</name><photoUrls></photoUrls></Pet></pets>`},
		{list, `[]`, `<pets></pets>`},
	} {
		got, err := c.codec.Append(nil, []byte(c.json))
		if err != nil {
			t.Errorf("%s: %v", c.json, err)
			continue
		}
		_, body, _ := strings.Cut(string(got), "\n")
		if body != c.xml {
			t.Errorf("%s\n got %s\nwant %s", c.json, body, c.xml)
		}
		back, err := c.codec.JSON(got)
		if plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(back)); err != nil || plain != c.json {
			t.Errorf("%s comes back as %s (%v)", c.json, back, err)
		}
	}
}

// What others write is read: other prefixes, white space, comments, unknown members.
func TestReads(t *testing.T) {
	for text, want := range map[string]string{
		"<pet>true</pet>": `"true"`, // which the codec refuses: it is no object
		"<?xml version='1.0'?>\n<!-- hi --><PET id=' 07 '>\n <name>x</name>\n <photoUrls/>\n</PET>": `{"id":7,"name":"x","photoUrls":[],"nick":[]}`,
		`<pet xmlns:q="http://example.com/o"><q:owner><q:n>1</q:n></q:owner><name>y</name></pet>`:   `{"name":"y","nick":[],"owner":{"n":"1"}}`,
		`<pet><owner><n>other</n></owner><name>y</name></pet>`:                                      `{"name":"y","nick":[],"owner":{"n":"other"}}`,
		`<pet><name>a</name><name>b</name></pet>`:                                                   `{"name":"a","name":"b","nick":[]}`,
		`<pet><name>a</name><odd>1</odd><odd>2</odd></pet>`:                                         `{"name":"a","nick":[],"odd":["1","2"]}`,
		`<pet><name>a</name><good>1</good><id>no</id></pet>`:                                        `{"name":"a","good":true,"nick":[],"id":"no"}`,
		`<pet><name>a&#x20AC;<![CDATA[<b>]]></name><good>maybe</good></pet>`:                        `{"name":"a€\u003cb\u003e","good":"maybe","nick":[]}`,
		`<pet><name>a</name><map><a>x</a></map></pet>`:                                              `{"name":"a","nick":[],"map":{"a":"x"}}`,
	} {
		got, err := pet().JSON([]byte(text))
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s (%v)\nwant %s", text, got, err, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":      "",
		"truncated":  "<pet><name>",
		"mismatched": "<pet></cat>",
		"other root": "<cat></cat>",
		"two roots":  "<pet/><pet/>",
		"text after": "<pet/>x",
		"doctype":    `<!DOCTYPE pet [<!ENTITY a "b">]><pet><name>&a;</name></pet>`,
		"external":   `<!DOCTYPE pet SYSTEM "file:///etc/passwd"><pet/>`,
		"entity":     "<pet><name>&nbsp;</name></pet>",
		"charset":    `<?xml version="1.0" encoding="ISO-8859-1"?><pet/>`,
		"utf-8":      "<pet><name>\xff</name></pet>",
		"control":    "<pet><name>\x01</name></pet>",
		"deep":       strings.Repeat("<pet>", 200) + strings.Repeat("</pet>", 200),
		"json":       `{"name":"a"}`,
		"many":       "<pet>" + strings.Repeat("<a/>", xml.MaxNodes+1) + "</pet>",
	} {
		if got, err := pet().JSON([]byte(text)); err == nil {
			t.Errorf("%s is read as %.200s", name, got)
		}
	}
	for name, text := range map[string]string{
		"a control character":   `{"name":"\u0001"}`,
		"a key that is no name": `{"map":{"a b":1}}`,
		"a colon":               `{"map":{"a:b":1}}`,
	} {
		if got, err := pet().Append(nil, []byte(text)); err == nil {
			t.Errorf("%s is written as %s", name, got)
		}
	}
}

// encoding/xml, told by a struct of its own what a pet looks like, reads and writes the same.
func TestIndependentReader(t *testing.T) {
	type kid struct {
		Name string `xml:"name"`
	}
	type p struct {
		XMLName stdxml.Name `xml:"pet"`
		ID      int         `xml:"id,attr"`
		Name    string      `xml:"name"`
		Good    bool        `xml:"good"`
		Photos  []string    `xml:"photoUrls>photoUrl"`
		Nick    []string    `xml:"nick"`
		Kids    []kid       `xml:"kid"`
		Owner   struct {
			N    string `xml:"http://example.com/o n"`
			Text string `xml:",chardata"`
		} `xml:"http://example.com/o owner"`
	}
	text, err := pet().Append(nil, []byte(`{"id":-3,"name":"ä ]]> \u0026","good":true,"photoUrls":["1","2"],"nick":["n"],`+
		`"kids":[{"name":"k","photoUrls":[],"nick":[]}],"owner":{"n":"x","text":"t"}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got p
	if err := stdxml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := p{XMLName: stdxml.Name{Local: "pet"}, ID: -3, Name: "ä ]]> &", Good: true, Photos: []string{"1", "2"}, Nick: []string{"n"}, Kids: []kid{{"k"}}}
	want.Owner.N, want.Owner.Text = "x", "t"
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	written, err := stdxml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	back, err := pet().JSON(written)
	if want := `{"id":-3,"name":"ä ]]\u003e \u0026","good":true,"photoUrls":["1","2"],"nick":["n"],"kids":[{"name":"k","nick":[]}],"owner":{"n":"x","text":"t"}}`; err != nil || string(back) != want {
		t.Errorf("%s is read as %s (%v), want %s", written, back, err, want)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`<pet id="1"><name>a</name><free>1</free><pay kind="cash"/></pet>`))
	f.Add([]byte(`<pet><owner xmlns="http://example.com/o">x<n/></owner><any><a/><a/></any></pet>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := pet().JSON(data)
		if err != nil {
			return
		}
		written, err := pet().Append(nil, text)
		if err != nil {
			return // a key that is no name, a text that XML cannot carry
		}
		if _, err := pet().JSON(written); err != nil {
			t.Errorf("%q is written as %q, which is refused: %v", data, written, err)
		}
	})
}
