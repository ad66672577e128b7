package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
)

// keyFile is the file in the data directory that holds HQ's secrets.
const keyFile = "keys.json"

// keyLife is how long the first keys are valid. Passes must end before theirs.
const keyLife = 10 * 365 * 24 * time.Hour

// secrets is the content of the key file. Everything else of HQ can be rebuilt or
// restored; this cannot.
type secrets struct {
	HQ    uuid.UUID `json:"hq"`
	Epoch uint32    `json:"epoch"` // of HQ; a restore starts the next
	// Version grows with every change of keys or groups.
	Version uint64          `json:"version"`
	Signers []secretKey     `json:"signers"`
	Groups  []keys.GroupKey `json:"groups"`
	// Root is what session tokens, nonces and sealed answers are keyed from.
	Root []byte `json:"root"`
	// FeedTies says that a store is told only of members with ties to it. It is decided
	// when HQ is made: tills would keep what they were told before.
	FeedTies bool `json:"feed_ties,omitempty"`
}

type secretKey struct {
	keys.Public
	Seed []byte `json:"seed"`
}

// newSecrets makes the secrets of a new HQ.
func newSecrets(random io.Reader, hq uuid.UUID, now time.Time) (secrets, error) {
	now = now.UTC().Truncate(time.Second)
	// A little earlier, for terminals whose clocks are a little behind.
	from, until := now.Add(-24*time.Hour), now.Add(keyLife)
	s := secrets{HQ: hq, Epoch: 1, Version: 1, Root: make([]byte, 32)}
	for _, use := range []keys.Use{keys.UseStatement, keys.UsePass} {
		seed, err := keys.GenerateSeed(random)
		if err != nil {
			return secrets{}, err
		}
		signer, err := keys.NewSigner(keys.Public{ID: 1, Use: use, NotBefore: from, NotAfter: until}, seed)
		if err != nil {
			return secrets{}, err
		}
		s.Signers = append(s.Signers, secretKey{Public: signer.Public, Seed: seed})
	}
	group := keys.GroupKey{Epoch: 1, Secret: make([]byte, 32), NotBefore: from, NotAfter: until}
	for _, secret := range [][]byte{s.Root, group.Secret} {
		if _, err := io.ReadFull(random, secret); err != nil {
			return secrets{}, fmt.Errorf("read random secret: %w", err)
		}
	}
	s.Groups = []keys.GroupKey{group}
	return s, nil
}

// set is the public half of the signing keys.
func (s secrets) set() keys.Set {
	out := keys.Set{Version: s.Version}
	for _, k := range s.Signers {
		out.Keys = append(out.Keys, k.Public)
	}
	return out
}

// signer returns the newest key of a use that signs at now.
func (s secrets) signer(use keys.Use, now time.Time) (keys.Signer, error) {
	found := -1
	for i, k := range s.Signers {
		if k.Use == use && k.ValidAt(now) == nil && (found < 0 || k.NotBefore.After(s.Signers[found].NotBefore)) {
			found = i
		}
	}
	if found < 0 {
		return keys.Signer{}, fmt.Errorf("no %s key is valid now", use)
	}
	return keys.NewSigner(s.Signers[found].Public, s.Signers[found].Seed)
}

// derive returns 32 secret bytes for one purpose.
func (s secrets) derive(purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, s.Root, nil, "tallystick hq "+purpose+" v1", 32)
}

func (s secrets) sessionKey() (ed25519.PrivateKey, error) {
	seed, err := s.derive("session tokens")
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

var errNoHQ = errors.New("there is no HQ in this directory; hq init makes one")

// readSecrets reads the key file of a data directory. It refuses one that others
// than the owner may read.
func readSecrets(dir string) (secrets, error) {
	s, err := readKeyFile(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return secrets{}, fmt.Errorf("%s: %w", dir, errNoHQ)
	}
	return s, err
}

// readKeyFile reads a key file under any name.
func readKeyFile(path string) (secrets, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return secrets{}, fmt.Errorf("read keys: %w", err)
	case openToOthers(info):
		return secrets{}, fmt.Errorf("read keys: %s may be read by others (%s); chmod 600 it", path, info.Mode().Perm())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return secrets{}, fmt.Errorf("read keys: %w", err)
	}
	var s secrets
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return secrets{}, fmt.Errorf("read keys: %s: %w", path, err)
	}
	if s.HQ == uuid.Nil || s.Epoch == 0 || len(s.Root) != 32 {
		return secrets{}, fmt.Errorf("read keys: %s is incomplete", path)
	}
	return s, nil
}

// writeSecrets writes the secrets durably into a file beside the key file, readable
// by the owner only, and returns its name. The caller removes it in any case.
func writeSecrets(dir string, s secrets) (temporary string, err error) {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return "", fmt.Errorf("write keys: %w", err)
	}
	f, err := os.CreateTemp(dir, keyFile+".*")
	if err != nil {
		return "", fmt.Errorf("write keys: %w", err)
	}
	_, werr := f.Write(append(raw, '\n'))
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write keys: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// keepSecrets gives the written secrets the name of the key file: by a link, which
// unlike a rename refuses a name that is there.
func keepSecrets(dir, temporary string) error {
	if err := os.Link(temporary, filepath.Join(dir, keyFile)); err != nil {
		return fmt.Errorf("keep keys: %w", err)
	}
	return syncDir(dir)
}
