package phones

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
)

// MaxBundle is the largest pass a phone reads, in bytes unpacked.
const MaxBundle = 20 << 20

// Bundle is a pass as a phone has read it.
type Bundle struct {
	Serial, PassType, Token string
	// Service is the address of the web service; empty for a pass without updates.
	Service string
	JSON    []byte // pass.json
}

// Reader reads and verifies passes. It is for any number of goroutines.
type Reader struct {
	roots *x509.CertPool
	good  sync.Map // [sha1.Size]byte of a leaf whose chain is good
}

// NewReader makes a reader that trusts roots.
func NewReader(roots *x509.CertPool) *Reader { return &Reader{roots: roots} }

// Read unpacks a pass and verifies it as Wallet does: every file is in the manifest with
// its SHA-1, the manifest is signed, the chain ends at a root, and the certificate is of
// the pass's own type and team.
func (r *Reader) Read(raw []byte) (Bundle, error) {
	files, err := unpack(raw)
	if err != nil {
		return Bundle{}, err
	}
	if err := checkManifest(files); err != nil {
		return Bundle{}, err
	}
	signed, err := readSignature(files["signature"], files["manifest.json"])
	if err != nil {
		return Bundle{}, fmt.Errorf("signature: %w", err)
	}
	if err := r.trust(signed); err != nil {
		return Bundle{}, err
	}
	return readPass(files, signed)
}

// unpack reads the archive. Files stand at its root or in a folder of a language.
func unpack(raw []byte) (map[string][]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	files, left := map[string][]byte{}, int64(MaxBundle)
	for _, f := range archive.File {
		folder, _, in := strings.Cut(f.Name, "/")
		if _, twice := files[f.Name]; twice || in && !strings.HasSuffix(folder, ".lproj") {
			return nil, fmt.Errorf("archive: file %q is misplaced or there twice", f.Name)
		}
		opened, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("archive: %s: %w", f.Name, err)
		}
		data, err := io.ReadAll(io.LimitReader(opened, left+1))
		_ = opened.Close() // it was read to its end
		if err != nil {
			return nil, fmt.Errorf("archive: %s: %w", f.Name, err)
		}
		if left -= int64(len(data)); left < 0 {
			return nil, fmt.Errorf("archive: it is larger than %d bytes", MaxBundle)
		}
		files[f.Name] = data
	}
	for _, name := range []string{"pass.json", "manifest.json", "signature", "icon.png"} {
		if len(files[name]) == 0 {
			return nil, fmt.Errorf("archive: there is no %s", name)
		}
	}
	return files, nil
}

func checkManifest(files map[string][]byte) error {
	manifest := map[string]string{}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	for name, data := range files {
		if name == "manifest.json" || name == "signature" {
			continue
		}
		sum := sha1.Sum(data)
		if manifest[name] != hex.EncodeToString(sum[:]) {
			return fmt.Errorf("manifest: %s is not as it says", name)
		}
		delete(manifest, name)
	}
	if len(manifest) > 0 {
		return fmt.Errorf("manifest: %d files are missing", len(manifest))
	}
	return nil
}

// trust follows the chain to a root, once for each certificate.
func (r *Reader) trust(s signature) error {
	if s.at.Before(s.leaf.NotBefore) || s.at.After(s.leaf.NotAfter) {
		return fmt.Errorf("signature: made on %s, outside the certificate's time", s.at.UTC().Format("2006-01-02"))
	}
	name := sha1.Sum(s.leaf.Raw)
	if _, known := r.good.Load(name); known {
		return nil
	}
	between := x509.NewCertPool()
	for _, c := range s.chain {
		between.AddCert(c)
	}
	_, err := s.leaf.Verify(x509.VerifyOptions{
		Roots: r.roots, Intermediates: between, CurrentTime: s.at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	r.good.Store(name, true)
	return nil
}

// userID is where Apple writes the pass type in a certificate's subject.
const userID = "0.9.2342.19200300.100.1.1"

func readPass(files map[string][]byte, s signature) (Bundle, error) {
	var said struct {
		Format  int    `json:"formatVersion"`
		Serial  string `json:"serialNumber"`
		Type    string `json:"passTypeIdentifier"`
		Team    string `json:"teamIdentifier"`
		Token   string `json:"authenticationToken"`
		Service string `json:"webServiceURL"`
	}
	if err := json.Unmarshal(files["pass.json"], &said); err != nil {
		return Bundle{}, fmt.Errorf("pass.json: %w", err)
	}
	subject := s.leaf.Subject
	ofType := false
	for _, name := range subject.Names {
		ofType = ofType || name.Type.String() == userID && name.Value == said.Type
	}
	switch {
	case said.Format != 1 || said.Serial == "":
		return Bundle{}, fmt.Errorf("pass.json: format %d, serial number %q", said.Format, said.Serial)
	case !ofType:
		return Bundle{}, fmt.Errorf("pass.json: type %s is not that of %s", said.Type, subject)
	case len(subject.OrganizationalUnit) != 1 || subject.OrganizationalUnit[0] != said.Team:
		return Bundle{}, fmt.Errorf("pass.json: team %s is not that of %s", said.Team, subject)
	case (said.Token == "") != (said.Service == "") || said.Token != "" && len(said.Token) < 16:
		return Bundle{}, fmt.Errorf("pass.json: token of %d characters for service %q", len(said.Token), said.Service)
	}
	return Bundle{
		Serial: said.Serial, PassType: said.Type, Token: said.Token, Service: said.Service,
		JSON: files["pass.json"],
	}, nil
}
