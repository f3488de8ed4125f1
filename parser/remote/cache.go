package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// An Entry is one document in a Cache.
type Entry struct {
	Body []byte
	ETag string    // as the host gave it; "" where it gave none
	At   time.Time // when the host was last asked
}

// A Cache keeps documents between runs.
type Cache interface {
	Get(address string) (Entry, bool)
	Put(address string, e Entry) error
}

// Dir is a Cache in a directory, which is made when something is put there. Its files may
// be deleted at any time; what cannot be read counts as not there.
type Dir string

type stored struct {
	URL   string
	Entry Entry
}

func (d Dir) file(address string) string {
	sum := sha256.Sum256([]byte(address))
	return filepath.Join(string(d), hex.EncodeToString(sum[:])+".json")
}

// Get returns what was put last under an address.
func (d Dir) Get(address string) (Entry, bool) {
	data, err := os.ReadFile(d.file(address))
	if err != nil {
		return Entry{}, false
	}
	var s stored
	if json.Unmarshal(data, &s) != nil || s.URL != address {
		return Entry{}, false
	}
	return s.Entry, true
}

// Put replaces what is kept under an address, at once or not at all.
func (d Dir) Put(address string, e Entry) error {
	data, err := json.Marshal(stored{address, e})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(string(d), "put-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), d.file(address))
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}
