package stub

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/concordat-dev/concordat/runtime/codec"
	"github.com/concordat-dev/concordat/runtime/codec/param"
)

// A parcel collects the parts of multipart/form-data (RFC 7578). Text is held, files
// are read when the parcel is sent.
type parcel struct {
	boundary string
	fields   []FormField
	mode     codec.Mode
	text     []byte
	readers  []io.Reader
}

func encodeMultipart(b *part, fs []FormField, p pointer, m codec.Mode) (payload, error) {
	c := &parcel{boundary: rand.Text(), fields: fs, mode: m}
	t := objectOf(&b.Field)
	for i := range t.Fields {
		if err := c.field(&t.Fields[i], p); err != nil {
			return payload{}, err
		}
	}
	c.text = append(c.text, "--"+c.boundary+"--\r\n"...)
	media := []string{b.media + "; boundary=" + c.boundary}
	if len(c.readers) == 0 {
		buf := newBuffer()
		buf.b = append(buf.b, c.text...)
		return payload{media: media, held: buf}, nil
	}
	return newStream(media, io.MultiReader(append(c.readers, bytes.NewReader(c.text))...)), nil
}

// field adds the parts of one property: one for each item of a list.
func (c *parcel) field(f *codec.Field, base pointer) error {
	p, ok := f.Value(base)
	if !ok || f.Flag&codec.ReadOnly != 0 && c.mode&codec.Request != 0 {
		return nil
	}
	name := f.Name()
	if f.Kind == codec.Tuple {
		for at, of := range param.Positions(f.T, p) {
			q, _ := at.Value(of)
			if err := c.part(name, at, of, q); err != nil {
				return err
			}
		}
		return nil
	}
	if f.Kind != codec.Slice {
		return c.part(name, f, base, p)
	}
	elem := codec.Field{T: f.T.Elem, Kind: f.T.Elem.Kind}
	items := *(*[]byte)(p) // only for its address and length
	size := sizeOf(f.T.Elem)
	for i := range len(items) {
		at := unsafe.Add(pointer(unsafe.SliceData(items)), uintptr(i)*size)
		if err := c.part(name, &elem, at, at); err != nil {
			return err
		}
	}
	return nil
}

// part adds one part: the value at p, which is that of f in base.
func (c *parcel) part(name string, f *codec.Field, base, p pointer) (err error) {
	switch f.Kind {
	case codec.Reader:
		r := *(*io.Reader)(p)
		if r == nil {
			return nil
		}
		c.head(name, fileName(r, name), c.media(name, "application/octet-stream"))
		c.readers = append(c.readers, bytes.NewReader(c.text), r)
		c.text = nil
	case codec.Bytes:
		c.head(name, name, c.media(name, "application/octet-stream"))
		c.text = append(c.text, *(*[]byte)(p)...)
	case codec.Object, codec.Map, codec.Union, codec.Raw, codec.Lazy, codec.Slice:
		c.head(name, "", c.media(name, "application/json"))
		c.text, err = f.Append(c.text, base, c.mode)
	default:
		c.head(name, "", c.media(name, ""))
		c.text, _, err = param.AppendText(c.text, f, base, c.mode)
	}
	c.text = append(c.text, "\r\n"...)
	return err
}

// head begins a part.
func (c *parcel) head(name, file, media string) {
	c.text = append(c.text, "--"+c.boundary+"\r\nContent-Disposition: form-data; name="...)
	c.text = append(c.text, quoted(name)...)
	if file != "" {
		c.text = append(append(c.text, "; filename="...), quoted(file)...)
	}
	if media != "" {
		c.text = append(append(c.text, "\r\nContent-Type: "...), media...)
	}
	c.text = append(c.text, "\r\n\r\n"...)
}

// quoted escapes as browsers do (RFC 7578, section 4.2).
func quoted(s string) string {
	return `"` + escapeName(s) + `"`
}

func escapeName(s string) string {
	return strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22").Replace(s)
}

func (c *parcel) media(name, fallback string) string {
	for i := range c.fields {
		if c.fields[i].Name == name && c.fields[i].Media != "" {
			first, _, _ := strings.Cut(c.fields[i].Media, ",")
			if !strings.Contains(first, "*") {
				return first
			}
		}
	}
	return fallback
}

// fileName is the base name of readers that have one, such as os.File.
func fileName(r io.Reader, fallback string) string {
	if n, ok := r.(interface{ Name() string }); ok && n.Name() != "" {
		return filepath.Base(n.Name())
	}
	return fallback
}

// sizeOf returns the distance between the items of a list.
func sizeOf(t *codec.Type) uintptr {
	for t.Size == 0 && t.Lazy != nil {
		t = t.Lazy.ConcordatTable()
	}
	if t.Size == 0 && t.Kind == codec.Reader {
		return unsafe.Sizeof(io.Reader(nil))
	}
	return t.Size
}

// memory is how much of a form's files is held before they go to temporary files.
const memory = 1 << 20

// decodeMultipart reads a form into the object at base. Its files stay readable until
// cleanup is called.
func decodeMultipart(r *http.Request, b *part, fs []FormField, base pointer, m codec.Mode, e *codec.Error) (cleanup func(), err error) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, fmt.Errorf("the Content-Type of a multipart body must name a boundary")
	}
	form, err := multipart.NewReader(r.Body, params["boundary"]).ReadForm(memory)
	if err != nil {
		return nil, err
	}
	u := &unpacker{form: form, table: objectOf(&b.Field), base: b.New(base), wrong: e, overrides: fs}
	for i := range u.table.Fields {
		u.field(&u.table.Fields[i])
	}
	var found codec.Error
	param.ParseForm(u.table, u.overrides, strings.Join(u.pairs, "&"), u.base, m, &found)
	for _, v := range found.Violations {
		if !(v.Code == codec.CodeRequired && u.files[v.Pointer]) {
			e.Add(v)
		}
	}
	e.Malformed = e.Malformed || found.Malformed && len(e.Violations) > 0
	return u.cleanup, nil
}

// An unpacker moves a form into an object: files to their fields, and all else through
// the codec of urlencoded forms, which knows lists, rules and what is required.
type unpacker struct {
	form      *multipart.Form
	table     *codec.Type
	base      pointer
	wrong     *codec.Error
	overrides []FormField
	pairs     []string
	files     map[string]bool // by pointer
	open      []io.Closer
}

func (u *unpacker) cleanup() {
	for _, c := range u.open {
		c.Close()
	}
	u.form.RemoveAll()
}

func (u *unpacker) field(f *codec.Field) {
	name := f.Name()
	kind := f.Kind
	if kind == codec.Slice {
		kind = f.T.Elem.Kind
	}
	if kind == codec.Reader {
		u.file(name, f)
		return
	}
	values := u.values(name)
	switch kind {
	case codec.Bytes:
		for i, v := range values {
			values[i] = base64.StdEncoding.EncodeToString([]byte(v))
		}
	case codec.Object, codec.Map, codec.Union, codec.Raw, codec.Lazy:
		if len(values) == 0 {
			break
		}
		u.overrides = append([]FormField{{Name: name, Style: JSON}}, u.overrides...)
		if f.Kind == codec.Slice {
			values = []string{"[" + strings.Join(values, ",") + "]"}
		}
	}
	for _, v := range values {
		u.pairs = append(u.pairs, url.QueryEscape(name)+"="+url.QueryEscape(v))
	}
}

// received returns what was sent by a name, which may have come as browsers escape it:
// package multipart leaves that as it is.
func received[V any](parts map[string][]V, name string) []V {
	if v, ok := parts[name]; ok {
		return v
	}
	return parts[escapeName(name)]
}

// values returns the parts of a name that is no file, however they were sent.
func (u *unpacker) values(name string) []string {
	values := received(u.form.Value, name)
	for _, h := range received(u.form.File, name) {
		if data, err := readFile(h); err == nil {
			values = append(values, string(data))
		}
	}
	return values
}

func readFile(h *multipart.FileHeader) ([]byte, error) {
	f, err := h.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// file sets the reader, or the readers, of a field.
func (u *unpacker) file(name string, f *codec.Field) {
	var readers []io.Reader
	for _, h := range received(u.form.File, name) {
		file, err := h.Open()
		if err != nil {
			u.wrong.Add(codec.Violation{Pointer: "/" + name, Code: codec.CodeSyntax, Message: "the file cannot be read"})
			continue
		}
		u.open = append(u.open, file)
		readers = append(readers, &upload{file, h.Filename})
	}
	for _, v := range received(u.form.Value, name) {
		readers = append(readers, strings.NewReader(v))
	}
	if len(readers) == 0 {
		return
	}
	if u.files == nil {
		u.files = map[string]bool{}
	}
	u.files["/"+name] = true
	if f.Kind == codec.Slice {
		*(*[]io.Reader)(f.New(u.base)) = readers
		return
	}
	*(*io.Reader)(f.New(u.base)) = readers[0]
}

// An upload is a file that was received; Name is what the sender calls it.
type upload struct {
	io.Reader
	name string
}

func (u *upload) Name() string { return u.name }
