package parser_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/concordat-dev/concordat/contract"
	"github.com/concordat-dev/concordat/contract/diag"
	"github.com/concordat-dev/concordat/parser"
)

// A tree is a file system of texts.
type tree map[string]string

func (t tree) read(name string) ([]byte, error) {
	if text, ok := t[strings.TrimPrefix(name, "./")]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

func (t tree) list(dir string) ([]string, error) {
	var files []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if strings.HasSuffix(name, ".proto") && (dir == "." || strings.HasPrefix(name, dir+"/")) {
			files = append(files, name)
		}
	}
	if files == nil {
		return nil, errors.New("no folder")
	}
	return files, nil
}

func (t tree) parse(files ...string) (*contract.Contract, diag.List) {
	return parser.Parse(context.Background(), files, parser.Options{Read: t.read, List: t.list, BufCache: "cache"})
}

const (
	pets  = `syntax = "proto3"; package acme.pets.v1; import "acme/money/v1/money.proto"; message Pet { acme.money.v1.Money price = 1; }`
	money = `syntax = "proto3"; package acme.money.v1; message Money { int64 cents = 1; }`
)

func TestWorkspaces(t *testing.T) {
	for name, c := range map[string]struct {
		files tree
		asked string
		want  string // files of the contract
	}{
		"v2 with two modules": {tree{
			"buf.yaml":                                  "version: v2\nmodules:\n  - path: pets\n    excludes: [pets/old]\n  - path: common\n",
			"pets/acme/pets/v1/pets.proto":              pets,
			"pets/old/broken.proto":                     "nonsense",
			"common/acme/money/v1/money.proto":          money,
			"elsewhere/acme/money/v1/money_other.proto": "nonsense",
		}, "buf.yaml", "acme/pets/v1/pets.proto acme/money/v1/money.proto"},
		"v2 by its folder": {tree{
			"api/buf.yaml":                     "version: v2\nmodules:\n  - path: a\n  - path: b\n",
			"api/a/acme/pets/v1/pets.proto":    pets,
			"api/b/acme/money/v1/money.proto":  money,
			"other/acme/money/v1/money1.proto": "nonsense",
		}, "api", "acme/pets/v1/pets.proto acme/money/v1/money.proto"},
		"v2 without modules": {tree{
			"p/buf.yaml": "version: v2\n", "p/acme/pets/v1/pets.proto": pets, "p/acme/money/v1/money.proto": money,
		}, "p/buf.yaml", "acme/money/v1/money.proto acme/pets/v1/pets.proto"},
		"v2 with includes": {tree{
			"buf.yaml":                         "version: v2\nmodules:\n  - path: p\n    includes: [p/acme/money]\n",
			"p/acme/money/v1/money.proto":      money,
			"p/acme/other/v1/unfinished.proto": "nonsense",
		}, "buf.yaml", "acme/money/v1/money.proto"},
		"v1 beside a work file": {tree{
			"buf.work.yaml": "version: v1\ndirectories: [a, b]\n", "a/buf.yaml": "version: v1\nbuild:\n  excludes: [gone]\n",
			"a/acme/pets/v1/pets.proto": pets, "a/gone/x.proto": "nonsense", "b/acme/money/v1/money.proto": money,
		}, "buf.work.yaml", "acme/pets/v1/pets.proto acme/money/v1/money.proto"},
		"one file of a workspace": {tree{
			"buf.yaml":                         "version: v2\nmodules:\n  - path: pets\n  - path: common\n",
			"pets/acme/pets/v1/pets.proto":     pets,
			"common/acme/money/v1/money.proto": money,
		}, "pets/acme/pets/v1/pets.proto", "acme/pets/v1/pets.proto"},
		"a module of others, in the cache": {tree{
			"buf.yaml":                "version: v2\ndeps: [buf.build/acme/money]\n",
			"buf.lock":                "version: v2\ndeps:\n  - name: buf.build/acme/money\n    commit: 0a1b-2c3d\n    digest: b5:ff\n",
			"acme/pets/v1/pets.proto": pets,
			"cache/v3/modules/b5/buf.build/acme/money/0a1b2c3d/module.yaml":                     "version: v1\n",
			"cache/v3/modules/b5/buf.build/acme/money/0a1b2c3d/files/acme/money/v1/money.proto": money,
		}, "acme/pets/v1/pets.proto", "acme/pets/v1/pets.proto"},
		"the same, locked by v1": {tree{
			"buf.yaml":                "version: v1\ndeps: [buf.build/acme/money]\n",
			"buf.lock":                "version: v1\ndeps:\n  - remote: buf.build\n    owner: acme\n    repository: money\n    commit: 0a1b2c3d\n",
			"acme/pets/v1/pets.proto": pets,
			"cache/v3/modules/b5/buf.build/acme/money/0a1b2c3d/module.yaml":                     "version: v1\n",
			"cache/v3/modules/b5/buf.build/acme/money/0a1b2c3d/files/acme/money/v1/money.proto": money,
		}, "acme/pets/v1/pets.proto", "acme/pets/v1/pets.proto"},
		"a folder of no workspace": {tree{
			"p/acme/pets/v1/pets.proto": pets, "p/acme/money/v1/money.proto": money,
		}, "p", "acme/money/v1/money.proto acme/pets/v1/pets.proto"},
		"what everybody imports": {tree{
			"a.proto": `syntax = "proto3"; package a; import "google/api/annotations.proto"; import "google/type/money.proto"; import "buf/validate/validate.proto";
message M { google.type.Money m = 1 [(buf.validate.field).required = true]; }
service S { rpc Get(M) returns (M) { option (google.api.http) = { get: "/m" }; } }`,
		}, "a.proto", "a.proto"},
	} {
		t.Run(name, func(t *testing.T) {
			got, l := c.files.parse(c.asked)
			if l.HasErrors() || got == nil {
				t.Fatal(spell(l))
			}
			if s := strings.Join(got.Files, " "); s != c.want {
				t.Errorf("%s; want %s", s, c.want)
			}
		})
	}
}

func spell(l diag.List) string {
	var b strings.Builder
	for _, d := range l {
		b.WriteString(d.Span.File + " " + d.Code + ": " + d.Message + " (" + d.Help + ")\n")
	}
	return b.String()
}

func TestWorkspaceFaults(t *testing.T) {
	for name, c := range map[string]struct {
		files       tree
		asked, want string
	}{
		"a dependency that nobody has": {tree{
			"buf.yaml": "version: v2\ndeps: ['buf.build/acme/money:v1']\n", "acme/pets/v1/pets.proto": pets,
		}, "acme/pets/v1/pets.proto", "buf.yaml needs buf.build/acme/money, which buf's cache does not hold: run `buf dep update` and `buf build`, or `buf export buf.build/acme/money -o DIR`"},
		"half of a dependency": {tree{
			"buf.yaml": "version: v2\n", "acme/pets/v1/pets.proto": pets,
			"buf.lock": "version: v2\ndeps:\n  - name: buf.build/acme/money\n    commit: 0a1b\n    digest: b5:ff\n",
			"cache/v3/modules/b5/buf.build/acme/money/0a1b/files/acme/money/v1/money.proto": money,
		}, "acme/pets/v1/pets.proto", "run `buf dep update`"},
		"a lock that leads elsewhere": {tree{
			"buf.yaml": "version: v2\n", "acme/pets/v1/pets.proto": pets,
			"buf.lock": "version: v2\ndeps:\n  - name: buf.build/../../etc\n    commit: 0a1b\n    digest: b5:ff\n",
		}, "acme/pets/v1/pets.proto", "missing-file"},
		"no YAML":           {tree{"buf.yaml": "version: [", "a.proto": money}, "buf.yaml", "buf.yaml wrong-workspace"},
		"another version":   {tree{"buf.yaml": "version: v9", "a.proto": money}, "buf.yaml", `version "v9" is not known`},
		"no directories":    {tree{"buf.work.yaml": "version: v1"}, "buf.work.yaml", "no directories are listed"},
		"an empty module":   {tree{"buf.yaml": "version: v2\nmodules: [{path: a}]"}, "buf.yaml", "the module a cannot be read"},
		"no such file":      {tree{}, "buf.yaml", "unreadable-file"},
		"everything barred": {tree{"buf.yaml": "version: v2\nmodules: [{path: ., excludes: [a]}]", "a/a.proto": money}, "buf.yaml", "holds no .proto file"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, l := c.files.parse(c.asked); !l.HasErrors() || !strings.Contains(spell(l), c.want) {
				t.Error(spell(l))
			}
		})
	}
}

// A contract read from a descriptor set is the one read from the files.
func TestDescriptorSets(t *testing.T) {
	files := tree{"acme/pets/v1/pets.proto": pets, "acme/money/v1/money.proto": money}
	want, l := files.parse("acme/pets/v1/pets.proto", "acme/money/v1/money.proto")
	if l.HasErrors() {
		t.Fatal(spell(l))
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(want.Descriptors)
	w.Close()
	for name, data := range map[string][]byte{"set.binpb": want.Descriptors, "set.desc": want.Descriptors, "-": want.Descriptors, "set.binpb.gz": packed.Bytes()} {
		got, l := tree{name: string(data)}.parse(name)
		if l.HasErrors() || got == nil {
			t.Fatalf("%s: %s", name, spell(l))
		}
		if len(got.Types) != 2 || !bytes.Equal(got.Descriptors, want.Descriptors) || got.Source != name {
			t.Errorf("%s: %v from %s", name, got.Types, got.Source)
		}
		if s := got.Types[0].Span; s.Line != 1 || s.Col == 0 || s.File != "acme/money/v1/money.proto" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestWrongDescriptorSets(t *testing.T) {
	files := tree{"acme/pets/v1/pets.proto": pets, "acme/money/v1/money.proto": money}
	whole, _ := files.parse("acme/pets/v1/pets.proto")
	set := string(whole.Descriptors)
	var half descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(whole.Descriptors, &half); err != nil {
		t.Fatal(err)
	}
	half.File = half.File[1:]
	lacking, err := proto.Marshal(&half)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ data, want string }{
		"cut off":     {set[:len(set)-3], "this is no descriptor set"},
		"incomplete":  {string(lacking), "which acme/pets/v1/pets.proto imports"},
		"twice":       {set + set, "twice"},
		"no gzip":     {"\x1f\x8b rubbish", "cannot be unpacked"},
		"just a name": {"\x0a\x03\x0a\x01x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, l := tree{"set.binpb": c.data}.parse("set.binpb")
			if c.want != "" && (!l.HasErrors() || !strings.Contains(spell(l), c.want)) {
				t.Error(spell(l))
			}
		})
	}
}
