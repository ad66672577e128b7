package auditpack

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Domain is that of the signature over the list of files.
const Domain = "tallystick audit pack v1"

// The files of a pack that have names of their own.
const (
	ListFile      = "pack.json"
	SignatureFile = "pack.sig"
	KeysFile      = "keys.json"
	ReadmeFile    = "README.md"
)

// Store is the storage a pack is read from.
type Store interface {
	CertifiedDays(ctx context.Context, store uuid.UUID, from entry.Date, limit int) ([]storeday.Certified, error)
	MainEntries(ctx context.Context, w journal.Writer, first, last uint64, limit int) ([]ledger.Entry, error)
	CheckpointOver(ctx context.Context, w journal.Writer, branch int, seq uint64) (console.Signed, error)
}

// Env is what packing takes from its surroundings.
type Env struct {
	Store   Store
	Clock   clock.Clock
	HQ      uuid.UUID
	Signer  keys.Signer
	Keys    keys.Set                        // HQ's, of which the published ones are packed
	Told    func(what string, n, of uint64) // progress; may be nil
	MakeDir func(name string) (Dir, error)  // where the pack goes
}

// Dir is a folder being written.
type Dir interface {
	// Create makes a file; folders in its name are made.
	Create(name string) (io.WriteCloser, error)
	// Done puts the folder under its name, Drop removes what there is of it.
	Done() error
	Drop() error
}

// Versions of packs: what a program must know to verify one. A pack says the least that
// will do, so that an older program verifies what it can.
const (
	plainPack  = 1
	forkedPack = 2 // certificates name branches beside the covered one
)

// list is pack.json.
type list struct {
	Version int               `json:"version"`
	HQ      uuid.UUID         `json:"hq"`
	MadeAt  time.Time         `json:"made_at"`
	Stores  []packedStore     `json:"stores"`
	Files   map[string]string `json:"files"` // SHA-256 in hex
}

type packedStore struct {
	ID           uuid.UUID `json:"id"`
	Code         string    `json:"code"`
	Name         string    `json:"name"`
	Certificates string    `json:"certificates"` // the file
	From         string    `json:"from"`
	To           string    `json:"to"`
	Journals     []string  `json:"journals"`
}

// ErrNothing is given when no store has a certified day in the time asked for.
var ErrNothing = errors.New("no day of these stores is certified")

// Write packs all certified days of stores through a date, and everything they rest on:
// the journals from their first entries on, since a void may undo an old sale.
func Write(ctx context.Context, env Env, name string, stores []fleet.Store, to entry.Date) (err error) {
	dir, err := env.MakeDir(name)
	if err != nil {
		return fmt.Errorf("make the pack's folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, dir.Drop())
		}
	}()
	p := &packer{env: env, dir: dir}
	if p.keys, err = env.Keys.JWKS(keys.UseStatement); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	if p.published, err = keys.ParseJWKS(p.keys); err != nil {
		return err
	}
	p.list = list{Version: plainPack, HQ: env.HQ, MadeAt: env.Clock.Now().UTC().Truncate(time.Second), Files: map[string]string{}}
	for _, s := range stores {
		if err := p.store(ctx, s, to); err != nil {
			return fmt.Errorf("pack store %s: %w", s.Code, err)
		}
	}
	if len(p.list.Stores) == 0 {
		return ErrNothing
	}
	if err := p.finish(); err != nil {
		return err
	}
	return dir.Done()
}

type packer struct {
	env       Env
	dir       Dir
	list      list
	keys      []byte
	published map[string]ed25519.PublicKey
}

// file writes one file of the pack and notes its digest.
func (p *packer) file(name string, write func(w io.Writer) error) error {
	f, err := p.dir.Create(name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	sum := sha256.New()
	buffer := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<16)
	err = errors.Join(write(buffer), buffer.Flush(), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	p.list.Files[name] = digest(sum)
	return nil
}

func digest(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// span is what a store's certificates cover of one journal, all together.
type span struct {
	writer journal.Writer
	last   uint64
}

func (p *packer) store(ctx context.Context, s fleet.Store, to entry.Date) error {
	packed := packedStore{ID: s.ID, Code: s.Code, Name: s.Name, Certificates: path.Join("certificates", s.ID.String()+".jwt"), Journals: []string{}}
	spans, err := p.certificates(ctx, &packed, to)
	if err != nil || len(spans) == 0 {
		return err
	}
	for _, span := range spans {
		name := path.Join("journals", fmt.Sprintf("%s-%d.cbor", span.writer.ID, span.writer.Epoch))
		if err := p.journal(ctx, name, span); err != nil {
			return err
		}
		packed.Journals = append(packed.Journals, name)
	}
	p.list.Stores = append(p.list.Stores, packed)
	return nil
}

// mostDays is how many certificates are read at a time.
const mostDays = 200

// certificates writes those of a store and returns what they cover.
func (p *packer) certificates(ctx context.Context, packed *packedStore, to entry.Date) (spans []span, err error) {
	at := map[journal.Writer]int{}
	first, err := p.env.Store.CertifiedDays(ctx, packed.ID, 0, 1)
	if err != nil || len(first) == 0 || first[0].Date > to {
		return nil, err
	}
	packed.From = first[0].Date.String()
	return spans, p.file(packed.Certificates, func(w io.Writer) error {
		for from := first[0].Date; from <= to; {
			days, err := p.env.Store.CertifiedDays(ctx, packed.ID, from, mostDays)
			if err != nil {
				return err
			}
			for _, d := range days {
				if from = d.Date.Next(); d.Date > to {
					return nil
				}
				c, err := storeday.Verify(d.Text, p.published)
				if err != nil {
					return fmt.Errorf("read the certificate of %s: %w", d.Date, err)
				}
				packed.To = c.Date
				for _, j := range c.Journals {
					key := journal.Writer{ID: j.Terminal, Epoch: j.Epoch}
					i, known := at[key]
					if !known {
						i = len(spans)
						at[key], spans = i, append(spans, span{writer: key})
					}
					spans[i].last = max(spans[i].last, j.Last)
					if len(j.Forks) > 0 {
						p.list.Version = forkedPack
					}
				}
				if _, err := io.WriteString(w, d.Text+"\n"); err != nil {
					return err
				}
			}
			if len(days) < mostDays {
				return nil
			}
		}
		return nil
	})
}

// entriesAtOnce is how many entries are in memory at a time.
const entriesAtOnce = 2000

// journal writes the entries of one journal from its first on, through the checkpoint that
// covers the last one, and that checkpoint.
func (p *packer) journal(ctx context.Context, name string, s span) error {
	var signed console.Signed
	last := s.last
	if last > 0 {
		var err error
		if signed, err = p.env.Store.CheckpointOver(ctx, s.writer, 0, s.last); err != nil {
			return fmt.Errorf("find the signature over entry %d of terminal %s: %w", s.last, s.writer.ID, err)
		}
		last = signed.Last
	}
	return p.file(name, func(w io.Writer) error {
		out := newRecords(w)
		if err := out.write(record{Head: &headRecord{Terminal: s.writer.ID[:], Epoch: s.writer.Epoch, Key: signed.PublicKey}}); err != nil {
			return err
		}
		for next := uint64(1); next <= last; {
			entries, err := p.env.Store.MainEntries(ctx, s.writer, next, last, entriesAtOnce)
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				return fmt.Errorf("entry %d is not there", next)
			}
			for _, e := range entries {
				if e.Seq != next {
					return fmt.Errorf("entry %d is not there", next)
				}
				next++
				if err := out.write(record{Entry: e.Raw}); err != nil {
					return err
				}
			}
			if p.env.Told != nil {
				p.env.Told(name, next-1, last)
			}
		}
		if last == 0 {
			return nil
		}
		return out.write(record{Checkpoint: &checkpointRecord{First: signed.First, Last: signed.Last, Head: signed.Head[:], Signature: signed.Signature}})
	})
}

// finish writes keys, note and list, and signs the list.
func (p *packer) finish() error {
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	if err := p.file(KeysFile, write(string(p.keys))); err != nil {
		return err
	}
	if err := p.file(ReadmeFile, write(readme(p.list))); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(p.list, "", "  ")
	if err != nil {
		return fmt.Errorf("write the list of files: %w", err)
	}
	signature := fmt.Sprintf("%s %s\n", p.env.Signer.Public.JWKID(),
		base64.RawURLEncoding.EncodeToString(p.env.Signer.Sign(Domain, raw)))
	for name, text := range map[string]string{ListFile: string(raw), SignatureFile: signature} {
		if err := p.file(name, write(text)); err != nil {
			return err
		}
	}
	return nil
}

func readme(l list) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Certified days of %d stores\n\nHead office %s, packed %s.\n\n", len(l.Stores), l.HQ, l.MadeAt.Format(time.RFC3339))
	for _, s := range l.Stores {
		fmt.Fprintf(&b, "- %s (%s): %s to %s\n", s.Code, s.Name, s.From, s.To)
	}
	b.WriteString(`
Check everything with the program verify, which shares no code with head office. It must know
the version of packs that pack.json states; an older one says so and checks nothing:

    verify --keys KEYS.json THIS_FOLDER

KEYS.json are head office's keys, fetched by you from /.well-known/jwks.json of its address,
or taken from an earlier pack. Without --keys those in this folder are used, which proves
that the pack agrees with itself and with whoever holds these keys.

- pack.json names every file with its SHA-256. pack.sig is head office's signature (Ed25519)
  over "` + Domain + `", a zero byte and the bytes of pack.json.
- certificates/ has a file for each store, a signed certificate (JWT, EdDSA) on each line, one
  for each business day, each naming the SHA-256 of the one before.
- journals/ has a file for each journal of a terminal: every entry from the first on as the
  terminal wrote it, and the terminal's signature over the end of the chain.

The format is written down in docs/audit-pack.md of the project.
`)
	return b.String()
}

// Folder makes packs on disk: beside their place first, and under their name when they are
// whole.
func Folder(name string) (Dir, error) {
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(problem.Newf(problem.StateConflict, "%s is there already", name), err)
	}
	made, err := os.MkdirTemp(filepath.Dir(filepath.Clean(name)), ".audit-pack-")
	if err != nil {
		return nil, err
	}
	return folder{made, name}, nil
}

type folder struct{ made, name string }

func (f folder) Create(name string) (io.WriteCloser, error) {
	full := filepath.Join(f.made, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return nil, err
	}
	return os.Create(full)
}

func (f folder) Done() error {
	if err := os.Chmod(f.made, 0o755); err != nil {
		return err
	}
	return os.Rename(f.made, f.name)
}

func (f folder) Drop() error { return os.RemoveAll(f.made) }
