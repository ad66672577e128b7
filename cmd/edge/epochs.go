package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/sync/journal"
)

// Files of one epoch, by its tag: they stay when the terminal enrols again.
func keyFileOf(tag string) string       { return "terminal-" + tag + ".key" }
func journalDirOf(tag string) string    { return "journal-" + tag }
func enrolmentFileOf(tag string) string { return "enrolment-" + tag + ".cbor" }

// witnessFile holds how far HQ's own journal had come, in HQ's own words.
const witnessFile = "hq-heads.cbor"

// tag names the files of the identity's epoch.
func (id identity) tag() string { return strings.TrimPrefix(id.JournalDir, "journal-") }

// pastIdentities lists the earlier epochs of the terminal whose journals and keys are
// still in the data directory, the latest first.
func pastIdentities(data string, id identity) ([]identity, error) {
	name := id.Terminal.String()[:8]
	dirs, err := filepath.Glob(filepath.Join(data, journalDirOf(name+"-*")))
	if err != nil {
		return nil, fmt.Errorf("list journals: %w", err)
	}
	var out []identity
	for _, dir := range dirs {
		tag := strings.TrimPrefix(filepath.Base(dir), "journal-")
		epoch, err := strconv.ParseUint(strings.TrimPrefix(tag, name+"-"), 10, 32)
		if err != nil || uint32(epoch) == id.Epoch {
			continue
		}
		if _, err := os.Stat(filepath.Join(data, keyFileOf(tag))); err != nil {
			continue // without its key nothing of it can be signed
		}
		past := id
		past.Epoch, past.KeyFile, past.JournalDir = uint32(epoch), keyFileOf(tag), journalDirOf(tag)
		out = append(out, past)
	}
	slices.SortFunc(out, func(a, b identity) int { return int(int64(b.Epoch) - int64(a.Epoch)) })
	return out, nil
}

// pastEpochs opens the earlier epochs for reading. What cannot be opened is left out
// and named in the error.
func pastEpochs(ctx context.Context, data string, id identity) ([]syncer.Past, error) {
	ids, err := pastIdentities(data, id)
	if err != nil {
		return nil, err
	}
	var out []syncer.Past
	var errs []error
	for _, past := range ids {
		p, err := openPast(ctx, data, past)
		if err != nil {
			errs = append(errs, fmt.Errorf("epoch %d: %w", past.Epoch, err))
			continue
		}
		out = append(out, p)
	}
	return out, errors.Join(errs...)
}

func openPast(ctx context.Context, data string, id identity) (syncer.Past, error) {
	j, err := journal.OpenReadOnly(ctx, filepath.Join(data, id.JournalDir))
	if err != nil {
		return syncer.Past{}, err
	}
	if j.Writer() != id.writer() {
		return syncer.Past{}, fmt.Errorf("the journal is of %s, not of %s", j.Writer(), id.writer())
	}
	signer, err := readSigner(filepath.Join(data, id.KeyFile))
	if err != nil {
		return syncer.Past{}, err
	}
	enrolment, err := readEnrolment(data, id)
	return syncer.Past{Journal: j, Signer: signer, Enrolment: enrolment}, err
}

// readEnrolment returns HQ's word on an epoch, empty when the terminal enrolled at an
// HQ that gave none.
func readEnrolment(data string, id identity) ([]byte, error) {
	return readIfThere(filepath.Join(data, enrolmentFileOf(id.tag())))
}

func readIfThere(name string) ([]byte, error) {
	raw, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(name), err)
	}
	return raw, nil
}
