package parser

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// sample holds one sound contract per format, small enough to break in every way.
var sample = map[contract.Format]string{
	contract.OpenAPI: `openapi: 3.1.0
info: {title: Pets, version: '1'}
paths:
  /pets/{id}:
    get:
      operationId: getPet
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
components:
  schemas:
    Pet: {type: object, required: [name], properties: {name: {type: string}, mother: {$ref: '#/components/schemas/Pet'}}}
`,
	contract.AsyncAPI: `asyncapi: 3.0.0
info: {title: Pets, version: '1'}
channels:
  born:
    address: pets.born
    messages: {pet: {payload: {$ref: '#/components/schemas/Pet'}}}
operations:
  announce: {action: send, channel: {$ref: '#/channels/born'}}
components:
  schemas:
    Pet: {type: object, required: [name], properties: {name: {type: string}, mother: {$ref: '#/components/schemas/Pet'}}}
`,
	contract.Protobuf: `syntax = "proto3";
package pets.v1;
option go_package = "example.com/pets/v1;petsv1";
message Pet { string name = 1; Pet mother = 2; }
message GetPetRequest { string id = 1; }
service Pets { rpc GetPet(GetPetRequest) returns (Pet); }
`,
}

var extension = map[contract.Format]string{contract.OpenAPI: ".yaml", contract.AsyncAPI: ".yaml", contract.Protobuf: ".proto"}

// from reads files that a test holds as text.
func from(files map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

func show(ds diag.List) string {
	var b strings.Builder
	for _, d := range ds.Sorted() {
		fmt.Fprintf(&b, "%s %s:%d:%d %s: %s\n", d.Severity, d.Span.File, d.Span.Line, d.Span.Col, d.Code, d.Message)
	}
	return b.String()
}

// TestParse hands every format to its parser, whatever the file is called.
func TestParse(t *testing.T) {
	for format, text := range sample {
		for _, name := range []string{"pets" + extension[format], "dir/pets.txt"} {
			if format == contract.Protobuf && !strings.HasSuffix(name, ".proto") {
				continue // its compiler insists on the name
			}
			c, ds := Parse(t.Context(), []string{name}, Options{Read: from(map[string]string{name: text})})
			if c == nil || c.Format != format || len(c.Services) != 1 || len(c.Services[0].Operations) != 1 || ds.HasErrors() {
				t.Fatalf("%s as %s: contract %v\n%s", format, name, c, show(ds))
			}
			if c.Services[0].Operations[0].Span.Line == 0 {
				t.Errorf("%s: an operation without a place", format)
			}
		}
	}
}

// TestGoldens holds the whole contract of each sample, positions included.
func TestGoldens(t *testing.T) {
	for format, text := range sample {
		name := "pets" + extension[format]
		c, ds := Parse(t.Context(), []string{name}, Options{Read: from(map[string]string{name: text})})
		if c == nil {
			t.Fatalf("%s: no contract\n%s", format, show(ds))
		}
		var b bytes.Buffer
		if err := contract.Dump(&b, c); err != nil {
			t.Fatal(err)
		}
		b.WriteString(show(ds))
		golden := filepath.Join("testdata", strings.ToLower(format.String())+".golden")
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != strings.ReplaceAll(string(want), "\r\n", "\n") {
			t.Errorf("contract differs from %s (run with -update to see how):\n%s", golden, b.String())
		}
	}
}

// TestParseTogether reads Protobuf files as one contract, and imports along paths.
func TestParseTogether(t *testing.T) {
	files := map[string]string{
		"a/one.proto":     "syntax = \"proto3\";\npackage a;\nimport \"a/two.proto\";\nmessage One { Two two = 1; }\n",
		"a/two.proto":     "syntax = \"proto3\";\npackage a;\nimport \"far.proto\";\nmessage Two { far.Three three = 1; }\n",
		"other/far.proto": "syntax = \"proto3\";\npackage far;\nmessage Three {}\n",
	}
	c, ds := Parse(t.Context(), []string{"a/one.proto", "a/two.proto"}, Options{Read: from(files), ImportPaths: []string{".", "other"}})
	if c == nil || ds.HasErrors() || len(c.Files) != 2 {
		t.Fatalf("contract %v\n%s", c, show(ds))
	}
}

// TestRefused holds what is refused before a format's parser sees it.
func TestRefused(t *testing.T) {
	api, proto := sample[contract.OpenAPI], sample[contract.Protobuf]
	read := from(map[string]string{
		"api.yaml": api, "api2.yaml": api, "p.proto": proto, "notes.md": "# Notes\n", "empty.yaml": "",
		"rubbish": "\x7fELF\x02\x01\x00", "latin.yaml": "openapi: 3.1.0\ninfo: {title: Gr\xfcn}\n", "large.yaml": strings.Repeat("#", 2000),
	})
	tests := []struct {
		name  string
		files []string
		want  string
		parse bool
	}{
		{"nothing", nil, "error :0:0 no-files", false},
		{"a missing file", []string{"no.yaml"}, "error no.yaml:1:1 missing-file", false},
		{"an unknown format", []string{"notes.md"}, "error notes.md:1:1 unknown-format", false},
		{"an empty file", []string{"empty.yaml"}, "error empty.yaml:1:1 empty-file", false},
		{"a program", []string{"rubbish"}, "error rubbish:1:1 not-text", false},
		{"Latin 1", []string{"latin.yaml"}, "error latin.yaml:2:17 not-text", false},
		{"two documents", []string{"api.yaml", "api2.yaml"}, "error api2.yaml:1:1 several-contracts", true},
		{"two formats", []string{"p.proto", "api.yaml"}, "error api.yaml:1:1 several-contracts", true},
		{"two formats, the other way", []string{"api.yaml", "p.proto"}, "error p.proto:1:1 several-contracts", true},
		{"a large file", []string{"large.yaml"}, "error large.yaml:1:1 too-large", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, ds := Parse(t.Context(), tt.files, Options{Read: read, MaxBytes: 1000})
			if got := show(ds); !strings.HasPrefix(got, tt.want+": ") || strings.Count(got, "\n") != 1 {
				t.Errorf("found %s\nwant %s", got, tt.want)
			}
			if ds[0].Help == "" && ds[0].Code != "too-large" {
				t.Errorf("%s helps nobody", ds[0].Code)
			}
			if (c != nil) != tt.parse {
				t.Errorf("contract %v, want one: %v", c != nil, tt.parse)
			}
		})
	}
}

// TestUnreadable passes on why a file cannot be read.
func TestUnreadable(t *testing.T) {
	_, ds := Parse(t.Context(), []string{"a.yaml"}, Options{Read: func(string) ([]byte, error) { return nil, errors.New("the disk is on fire") }})
	if got := show(ds); got != "error a.yaml:1:1 unreadable-file: the file cannot be read: the disk is on fire\n" {
		t.Errorf("found %s", got)
	}
}

// TestReadOnce shows that recognising a format costs no second read.
func TestReadOnce(t *testing.T) {
	for format, text := range sample {
		n := 0
		name := "pets" + extension[format]
		Parse(t.Context(), []string{name}, Options{Read: func(got string) ([]byte, error) {
			if got != name {
				return nil, fs.ErrNotExist
			}
			n++
			return []byte(text), nil
		}})
		if n != 1 {
			t.Errorf("%s: read %d times", format, n)
		}
	}
}

// TestBroken gives every format every kind of broken input. Each must be refused with a
// place and no panic; a parser that hangs is stopped by the test's own limit.
func TestBroken(t *testing.T) {
	for format, text := range sample {
		t.Run(format.String(), func(t *testing.T) {
			for name, broken := range breakages(format, text) {
				t.Run(name, func(t *testing.T) {
					file := "dir/pets" + extension[format]
					c, ds := Parse(t.Context(), []string{file}, Options{Read: from(map[string]string{file: broken})})
					if !ds.HasErrors() {
						t.Errorf("nothing is wrong with it: contract %v\n%s", c != nil, show(ds))
					}
					for _, d := range ds {
						if d.Span.File == "" || d.Span.Line < 1 || d.Span.Col < 1 || d.Message == "" || d.Code == "" {
							t.Errorf("no place: %s", show(diag.List{d}))
						}
					}
					if c != nil {
						if err := contract.Dump(&bytes.Buffer{}, c); err != nil {
							t.Error(err)
						}
					}
				})
			}
		})
	}
}

// breakages returns broken variants of a sound contract.
func breakages(format contract.Format, text string) map[string]string {
	out := map[string]string{
		"binary rubbish behind a sound start": text + "\x00\x01\x02\xff",
		"50 MB":                               text + strings.Repeat("# 3456789 123456789 123456789 123456789 123456789\n", 50<<20/50),
	}
	replace := func(name, was, is string) {
		if !strings.Contains(text, was) {
			panic("the sample has no " + was)
		}
		out[name] = strings.Replace(text, was, is, 1)
	}
	const pet = "#/components/schemas/Pet"
	switch format {
	case contract.OpenAPI:
		replace("an unknown version", "3.1.0", "9.9.9")
		replace("a wrong type", "paths:", "paths: nowhere\nx-paths:")
		replace("a wrong type further in", "[{name: id, in: path, required: true, schema: {type: string}}]", "yes")
	case contract.AsyncAPI:
		replace("an unknown version", "3.0.0", "9.9.9")
		replace("a wrong type", "channels:", "channels: nowhere\nx-channels:")
		replace("a wrong type further in", "{pet: {payload: {$ref: '#/components/schemas/Pet'}}}", "yes")
	case contract.Protobuf:
		replace("an unknown version", "proto3", "proto9")
		replace("an unknown type", "Pet mother", "Pat mother")
		replace("a missing file", "package pets.v1;", "package pets.v1;\nimport \"gone.proto\";")
		replace("a cycle", "package pets.v1;", "package pets.v1;\nimport \"pets.proto\";")
		replace("two fields of one number", "mother = 2", "mother = 1")
		out["cut off"] = text[:len(text)-6]
		out["deeply nested"] = "syntax = \"proto3\";\n" + strings.Repeat("message M { ", 100_000)
		return out
	}
	replace("a missing file", pet, "gone.yaml#/Pet")
	replace("a file that leads out", pet, "../../../gone.yaml#/Pet")
	replace("a reference to nothing", pet, "#/components/schemas/Pat")
	replace("a remote reference", pet, "https://schemas.example/pet.json")
	replace("a cycle", "{type: object, required: [name], properties: {name: {type: string}, mother: {$ref: '"+pet+"'}}}", "{$ref: '"+pet+"'}")
	out["cut off"] = text[:len(text)-6]
	out["deeply nested"] = text + "x-deep: " + strings.Repeat("[", 100_000)
	out["an alias bomb"] = text + bomb()
	return out
}

// bomb is YAML whose aliases stand for a billion values.
func bomb() string {
	var b strings.Builder
	b.WriteString("x-a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n")
	for i := range 9 {
		fmt.Fprintf(&b, "x-a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 9), i)
	}
	return b.String()
}

// TestTruncated cuts every format off everywhere. What is left may be sound.
func TestTruncated(t *testing.T) {
	for format, text := range sample {
		file := "pets" + extension[format]
		for i := range len(text) {
			c, ds := Parse(t.Context(), []string{file}, Options{Read: from(map[string]string{file: text[:i]})})
			if c == nil && !ds.HasErrors() {
				t.Errorf("%s cut at %d: neither a contract nor a fault", format, i)
			}
		}
	}
}

// TestMissingOnDisk reads from a real disk, as the command does.
func TestMissingOnDisk(t *testing.T) {
	_, ds := Parse(t.Context(), []string{"testdata/no-such.yaml"}, Options{Read: os.ReadFile})
	if !strings.HasPrefix(show(ds), "error testdata/no-such.yaml:1:1 missing-file: ") {
		t.Errorf("found %s", show(ds))
	}
}
