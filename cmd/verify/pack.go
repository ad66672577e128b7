package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Limits of what is read whole.
const (
	maxList = 64 << 20
	maxKeys = 1 << 20
)

// pack is a folder whose list head office has signed, with every file as listed.
type pack struct {
	folder       string
	list         listOf
	keys         map[string]ed25519.PublicKey
	entries      uint64
	certificates uint64
}

type listOf struct {
	Version int               `json:"version"`
	HQ      string            `json:"hq"`
	MadeAt  string            `json:"made_at"`
	Stores  []storeOf         `json:"stores"`
	Files   map[string]string `json:"files"`
}

type storeOf struct {
	ID           string   `json:"id"`
	Code         string   `json:"code"`
	Name         string   `json:"name"`
	Certificates string   `json:"certificates"`
	From         string   `json:"from"`
	To           string   `json:"to"`
	Journals     []string `json:"journals"`
}

// newest is the latest version of packs that is known here. In the first no certificate was
// to name forks, though some did.
const newest = 2

// errNewer is about what head office has signed and this program is too old for: nothing is
// said of whether it is good.
var errNewer = errors.New("a later release of head office wrote it; verify it with the program of that release")

func open(folder, keysFile string) (*pack, error) {
	p := &pack{folder: folder}
	own := keysFile == ""
	if own {
		keysFile = p.path("keys.json")
	}
	raw, err := readWhole(keysFile, maxKeys)
	if err != nil {
		return nil, err
	}
	if p.keys, err = keysOf(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", keysFile, err)
	}
	raw, err = readWhole(p.path("pack.json"), maxList)
	if err != nil {
		return nil, err
	}
	if err := p.signed(raw); err != nil {
		err = fmt.Errorf("pack.sig: %w", err)
		if own && p.otherKeys(raw) {
			err = fmt.Errorf("keys.json: it is not as pack.json lists it, or pack.json is not as it was: %w", err)
		}
		return nil, err
	}
	var form struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(raw, &form); err == nil && form.Version > newest {
		return nil, fmt.Errorf("pack.json: the pack is of version %d and this program verifies packs up to version %d: %w", form.Version, newest, errNewer)
	}
	if err := strict(raw, &p.list); err != nil {
		return nil, fmt.Errorf("pack.json: %w", err)
	}
	if p.list.Version < 1 {
		return nil, fmt.Errorf("pack.json: there is no version %d", p.list.Version)
	}
	return p, p.files()
}

// otherKeys says whether the folder's keys are others than a list names that they do not
// bear out: then it may be the keys that were changed.
func (p *pack) otherKeys(raw []byte) bool {
	var list listOf
	if strict(raw, &list) != nil {
		return false
	}
	got, err := digestOf(p.path("keys.json"))
	return err == nil && got != list.Files["keys.json"]
}

func (p *pack) path(name string) string { return filepath.Join(p.folder, filepath.FromSlash(name)) }

// signed checks head office's signature over the list.
func (p *pack) signed(list []byte) error {
	raw, err := readWhole(p.path("pack.sig"), 4096)
	if err != nil {
		return err
	}
	kid, text, ok := strings.Cut(strings.TrimSuffix(string(raw), "\n"), " ")
	if !ok || !strings.HasSuffix(string(raw), "\n") {
		return errors.New("it is not a key's name and a signature in one line")
	}
	signature, err := canonical(text)
	if err != nil {
		return fmt.Errorf("the signature cannot be read: %w", err)
	}
	key, known := p.keys[kid]
	if !known {
		return fmt.Errorf("the key %q is not among head office's", kid)
	}
	if !ed25519.Verify(key, append([]byte("tallystick audit pack v1\x00"), list...), signature) {
		return errors.New("the signature over pack.json is not good: pack.json or pack.sig was changed")
	}
	return nil
}

// files checks that the folder holds the listed files as they were, and no others.
func (p *pack) files() error {
	seen := map[string]bool{"pack.json": true, "pack.sig": true}
	err := filepath.WalkDir(p.folder, func(full string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		relative, err := filepath.Rel(p.folder, full)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(relative)
		if seen[name] {
			return nil
		}
		want, listed := p.list.Files[name]
		switch {
		case !listed:
			return fmt.Errorf("%s: it is not on the list", name)
		case !d.Type().IsRegular():
			return fmt.Errorf("%s: it is not a file", name)
		}
		got, err := digestOf(full)
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s: it was changed (SHA-256 is %s, listed is %s)", name, got, want)
		}
		seen[name] = true
		return nil
	})
	if err != nil {
		return err
	}
	for name := range p.list.Files {
		if !seen[name] {
			return fmt.Errorf("%s: it is listed and not there", name)
		}
	}
	return nil
}

func digestOf(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", errors.Join(err, f.Close())
	}
	return hex.EncodeToString(sum.Sum(nil)), f.Close()
}

// keysOf reads a JSON Web Key Set with Ed25519 keys (RFC 7517, RFC 8037).
func keysOf(raw []byte) (map[string]ed25519.PublicKey, error) {
	var set struct {
		Keys []struct {
			Type  string `json:"kty"`
			Curve string `json:"crv"`
			X     string `json:"x"`
			ID    string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, err
	}
	out := map[string]ed25519.PublicKey{}
	for _, k := range set.Keys {
		key, err := canonical(k.X)
		if k.Type == "OKP" && k.Curve == "Ed25519" && err == nil && len(key) == ed25519.PublicKeySize {
			out[k.ID] = key
		}
	}
	if len(out) == 0 {
		return nil, errors.New("there is no Ed25519 key among them")
	}
	return out, nil
}

// canonical reads base64url that has one form only.
func canonical(text string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err == nil && base64.RawURLEncoding.EncodeToString(b) != text {
		err = errors.New("it has line breaks")
	}
	return b, err
}

func readWhole(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(raw)) > most {
		err = fmt.Errorf("%s: it has more than %d bytes", name, most)
	}
	return raw, errors.Join(err, f.Close())
}

// strict reads one JSON value with known fields only.
func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind its end")
	}
	return nil
}
