package devca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// What a Folder's own files are called.
const (
	TrustFile = "ca.crt" // the authorities that are trusted, the one that issues first
	KeyFile   = "ca.key" // the issuing authority's key, readable by the owner only
)

// A Folder is an authority that lies in a directory, with the certificates that it
// issued: NAME.crt and NAME.key. Files are replaced in one step each, so that programs
// which read them through tlsconf never see half of one.
type Folder struct {
	dir string
	ca  *CA
	old [][]byte // authorities that issue no more, newest first, in PEM form
}

// Create makes an authority in dir, which it makes, too. One that is there already is an
// error: whatever it issued would be worth nothing. 0 means AuthorityLasts.
func Create(dir string, lasts time.Duration) (*Folder, error) {
	if _, err := os.Lstat(filepath.Join(dir, KeyFile)); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("devca: %s holds an authority already", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f := &Folder{dir: dir}
	return f, f.renewAuthority(lasts)
}

// Open finds the authority that Create left in dir.
func Open(dir string) (*Folder, error) {
	trust, err := os.ReadFile(filepath.Join(dir, TrustFile))
	if err != nil {
		return nil, fmt.Errorf("devca: no authority: %w", err)
	}
	secret, err := os.ReadFile(filepath.Join(dir, KeyFile))
	if err != nil {
		return nil, fmt.Errorf("devca: no authority: %w", err)
	}
	all, err := blocks(trust)
	if err != nil {
		return nil, fmt.Errorf("devca: %s: %w", filepath.Join(dir, TrustFile), err)
	}
	key, err := readKey(secret)
	if err != nil {
		return nil, fmt.Errorf("devca: %s: %w", filepath.Join(dir, KeyFile), err)
	}
	return open(dir, all, key)
}

func open(dir string, all []*x509.Certificate, key *ecdsa.PrivateKey) (*Folder, error) {
	// Not always the first: RenewAuthority may have been interrupted.
	own := slices.IndexFunc(all, func(c *x509.Certificate) bool { return key.PublicKey.Equal(c.PublicKey) })
	if own < 0 {
		return nil, fmt.Errorf("devca: in %s, %s is the key of no certificate in %s", dir, KeyFile, TrustFile)
	}
	f := &Folder{dir: dir, ca: &CA{cert: all[own], key: key, pem: block("CERTIFICATE", all[own].Raw)}}
	for _, c := range slices.Delete(all, own, own+1) {
		f.old = append(f.old, block("CERTIFICATE", c.Raw))
	}
	f.ca.trust = f.bundle()
	return f, nil
}

// Expires returns when the issuing authority does.
func (f *Folder) Expires() time.Time { return f.ca.cert.NotAfter }

// Issue writes NAME.crt and NAME.key, and returns their paths.
func (f *Folder) Issue(r Request) (cert, key string, err error) {
	if r.Name == "ca" || r.Name == "" || strings.HasPrefix(r.Name, ".") {
		return "", "", fmt.Errorf("devca: a certificate cannot be called %q", r.Name)
	}
	leaf, err := f.ca.IssueFor(r)
	if err != nil {
		return "", "", err
	}
	cert, key, _, err = leaf.WriteFiles(f.dir, r.Name)
	return cert, key, err
}

// Names returns what has been issued, in alphabetical order.
func (f *Folder) Names() ([]string, error) {
	certs, err := filepath.Glob(filepath.Join(f.dir, "*.crt"))
	var names []string
	for _, c := range certs {
		if name := strings.TrimSuffix(filepath.Base(c), ".crt"); name != "ca" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

// Renew issues name again, for the same hosts and URIs and as long as before, with a new
// key.
func (f *Folder) Renew(name string) error {
	text, err := os.ReadFile(filepath.Join(f.dir, filepath.Base(name)+".crt"))
	if err != nil {
		return fmt.Errorf("devca: %s was not issued here: %w", name, err)
	}
	certs, err := blocks(text)
	if err != nil {
		return fmt.Errorf("devca: %s.crt: %w", name, err)
	}
	_, _, err = f.Issue(again(name, certs[0]))
	return err
}

// again is the request that c was issued for.
func again(name string, c *x509.Certificate) Request {
	r := Request{Name: name, Hosts: slices.Clone(c.DNSNames), Lasts: c.NotAfter.Sub(c.NotBefore) - skew}
	for _, ip := range c.IPAddresses {
		r.Hosts = append(r.Hosts, ip.String())
	}
	for _, u := range c.URIs {
		r.URIs = append(r.URIs, u.String())
	}
	return r
}

// RenewAuthority begins to issue by a new authority, and goes on to trust those before
// it. Once every program has read ca.crt again, certificates may be renewed; once they
// have, Forget ends it. 0 means AuthorityLasts.
func (f *Folder) RenewAuthority(lasts time.Duration) error {
	f.old = append([][]byte{f.ca.pem}, f.old...)
	return f.renewAuthority(lasts)
}

func (f *Folder) renewAuthority(lasts time.Duration) error {
	if lasts == 0 {
		lasts = AuthorityLasts
	}
	ca, err := fresh(lasts)
	if err != nil {
		return err
	}
	f.ca = ca
	secret, err := x509.MarshalPKCS8PrivateKey(ca.key)
	if err != nil {
		return err
	}
	// Trust first: an authority that nobody knows must not issue.
	if err := f.writeTrust(); err != nil {
		return err
	}
	return replace(filepath.Join(f.dir, KeyFile), block("PRIVATE KEY", secret), 0o600)
}

// Forget ends the trust in all authorities but the one that issues, and returns how many
// those were.
func (f *Folder) Forget() (int, error) {
	n := len(f.old)
	f.old = nil
	return n, f.writeTrust()
}

func (f *Folder) writeTrust() error {
	f.ca.trust = f.bundle()
	return replace(filepath.Join(f.dir, TrustFile), f.ca.trust, 0o644)
}

func (f *Folder) bundle() []byte {
	return bytes.Join(append([][]byte{f.ca.pem}, f.old...), nil)
}

// blocks are the certificates of a PEM file, of which there is at least one.
func blocks(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("it holds no certificate in PEM form")
	}
	return all, nil
}

func readKey(text []byte) (*ecdsa.PrivateKey, error) {
	b, _ := pem.Decode(text)
	if b == nil {
		return nil, errors.New("it holds no key in PEM form")
	}
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("its key is of a kind that no authority made here has")
	}
	return key, nil
}
