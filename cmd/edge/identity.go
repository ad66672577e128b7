package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
)

// Files of the data directory. The identity is written last at an enrolment: with
// it, all that it names is there; without it, nothing counts.
const (
	identityFile = "identity.json"
	tokenFile    = "token"
	cacheDir     = "cache"
	// pendingKeyFile holds the key of an enrolment under way, so that asking HQ again
	// for a lost answer asks with the same key.
	pendingKeyFile = "enrolling.key"
	progressFile   = "progress.json"
	exportedFile   = "exported.json"
)

// identity is who this terminal is, and whom it believes.
type identity struct {
	Version    int       `json:"version"`
	Address    string    `json:"hq_address"`
	HQ         uuid.UUID `json:"hq"`
	Terminal   uuid.UUID `json:"terminal"`
	Epoch      uint32    `json:"epoch"`
	Store      uuid.UUID `json:"store"`
	Name       string    `json:"name"`
	Keys       keys.Set  `json:"keys"`
	EnrolledAt time.Time `json:"enrolled_at"` // HQ's time
	KeyFile    string    `json:"key_file"`    // in the data directory
	JournalDir string    `json:"journal_dir"` // in the data directory
}

func (id identity) writer() journal.Writer { return journal.Writer{ID: id.Terminal, Epoch: id.Epoch} }

// readIdentity returns problem.NotEnrolled when there is none.
func readIdentity(data string) (identity, error) {
	var id identity
	raw, err := os.ReadFile(filepath.Join(data, identityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return id, problem.Newf(problem.NotEnrolled, "%s has no %s; run: edge enroll", data, identityFile)
	}
	if err != nil {
		return id, fmt.Errorf("read identity: %w", err)
	}
	if err := json.Unmarshal(raw, &id); err != nil {
		return id, fmt.Errorf("read %s: %w", identityFile, err)
	}
	if id.Version != 1 || id.KeyFile != filepath.Base(id.KeyFile) || id.JournalDir != filepath.Base(id.JournalDir) {
		return id, fmt.Errorf("read %s: it is of another version or damaged", identityFile)
	}
	return id, nil
}

func writeIdentity(data string, id identity) error {
	raw, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	return writeAtomically(filepath.Join(data, identityFile), append(raw, '\n'))
}

// readSigner reads a private key file.
func readSigner(name string) (keys.Signer, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return keys.Signer{}, fmt.Errorf("read terminal key: %w", err)
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil {
		return keys.Signer{}, fmt.Errorf("read terminal key %s: not base64", name)
	}
	return keys.NewSigner(keys.Public{}, seed)
}

func writeSigner(name string, s keys.Signer) error {
	return writeAtomically(name, []byte(base64.StdEncoding.EncodeToString(s.Seed())+"\n"))
}

// readOrMakeSigner returns the key in the file, made now when there is none.
func readOrMakeSigner(name string) (keys.Signer, error) {
	s, err := readSigner(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	seed, err := keys.GenerateSeed(rand.Reader)
	if err != nil {
		return s, err
	}
	if s, err = keys.NewSigner(keys.Public{}, seed); err != nil {
		return s, err
	}
	return s, writeSigner(name, s)
}

// readToken returns the local API's token.
func readToken(data string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(data, tokenFile))
	if err != nil {
		return "", fmt.Errorf("read local token: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if len(token) < 40 {
		return "", fmt.Errorf("read local token: %s is damaged", tokenFile)
	}
	return token, nil
}

// ensureToken makes the local API's token, when there is none: 32 random bytes. A
// new enrolment keeps it, so that the till software need not be set up again.
func ensureToken(data string) error {
	_, err := readToken(data)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return fmt.Errorf("make local token: %w", err)
	}
	return writeAtomically(filepath.Join(data, tokenFile), []byte(base64.RawURLEncoding.EncodeToString(raw)+"\n"))
}

// progress is what is worth knowing of the sync without opening the cache: for
// exports from a moved disk, and the names for the screen. It may be behind.
type progress struct {
	Epoch        uint32       `json:"epoch"`
	Acked        journal.Head `json:"acked"`
	StoreName    string       `json:"store_name,omitempty"`
	TerminalName string       `json:"terminal_name,omitempty"`
}

// readProgress returns the zero value when there is none that can be read: then
// everything counts as unsynced.
func readProgress(data string, id identity) progress {
	var p progress
	raw, err := os.ReadFile(filepath.Join(data, progressFile))
	if err != nil || json.Unmarshal(raw, &p) != nil || p.Epoch != id.Epoch {
		return progress{Epoch: id.Epoch}
	}
	return p
}

func writeProgress(data string, p progress) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode progress: %w", err)
	}
	return writeAtomically(filepath.Join(data, progressFile), append(raw, '\n'))
}

// exported says up to where an export file holds the journal.
type exported struct {
	Terminal uuid.UUID    `json:"terminal"`
	Epoch    uint32       `json:"epoch"`
	Head     journal.Head `json:"head"`
}
