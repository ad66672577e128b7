package quarter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tallystick/tallystick/server/auditpack"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/entry"
)

// Auditor is where packs are written, and the program that verifies them; with no program
// no packs are looked at. Flips is how many bytes of each file are changed, one at a time.
type Auditor struct {
	Verify, Dir string
	Stores      int
	Flips       int
}

// checkPack writes the pack of some stores, those of the first planted stories among them,
// has it verified, and then changes one byte after another.
func (w *world) checkPack(ctx context.Context, a Auditor, r *Report) error {
	var stores []fleet.Store
	for _, s := range w.shops[:min(a.Stores, len(w.shops))] {
		one, err := w.hq.fleet.Store(ctx, s.id)
		if err != nil {
			return err
		}
		stores = append(stores, one)
	}
	dir := filepath.Join(a.Dir, "pack")
	err := auditpack.Write(ctx, auditpack.Env{
		Store: w.hq.db, Clock: w.hq.clock, HQ: w.hq.id, Signer: w.hq.statement, Keys: w.hq.keys, MakeDir: auditpack.Folder,
	}, dir, stores, entry.DateOf(w.size.day(w.size.Days)))
	if err != nil {
		return fmt.Errorf("write audit pack: %w", err)
	}
	r.Packs.Written++
	code, said, err := a.verify(ctx, dir)
	if err != nil {
		return err
	}
	if code != 0 {
		r.wrong("the pack of %d stores is refused: %s", len(stores), said)
		return nil
	}
	r.Packs.Accepted++
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return w.tamper(ctx, a, dir, name, r)
	})
	if err == nil && r.Packs.Refused == r.Packs.Tampered {
		r.equal("a pack of %d stores is accepted (%s), and refused with the file named after each of %d changes of one byte",
			len(stores), strings.TrimSpace(said[strings.LastIndex(said, "all good"):]), r.Packs.Tampered)
	}
	return err
}

// tamper changes bytes of one file, each by itself.
func (w *world) tamper(ctx context.Context, a Auditor, dir, name string, r *Report) error {
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	short, err := filepath.Rel(dir, name)
	if err != nil {
		return err
	}
	for range a.Flips {
		changed, at := bytes.Clone(raw), w.dice.below(len(raw))
		changed[at] ^= 1 << w.dice.below(8)
		if err := os.WriteFile(name, changed, 0o600); err != nil {
			return err
		}
		code, said, err := a.verify(ctx, dir)
		if err != nil {
			return err
		}
		r.Packs.Tampered++
		if code == 1 && strings.Contains(said, "NOT GOOD: ") && names(said, filepath.ToSlash(short)) {
			r.Packs.Refused++
		} else {
			r.wrong("byte %d of %s was changed, and the verifier ended with %d: %s", at, short, code, said)
		}
	}
	return os.WriteFile(name, raw, 0o600)
}

// names says whether the verifier named the file. Of the list and its signature either one
// may be at fault.
func names(said, file string) bool {
	if file == auditpack.ListFile || file == auditpack.SignatureFile {
		return strings.Contains(said, auditpack.ListFile) || strings.Contains(said, auditpack.SignatureFile)
	}
	return strings.Contains(said, file)
}

func (a Auditor) verify(ctx context.Context, dir string) (code int, said string, err error) {
	out, err := exec.CommandContext(ctx, a.Verify, dir).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out), nil
	case err != nil:
		return 0, "", fmt.Errorf("run the verifier: %w", err)
	}
	return 0, string(out), nil
}
