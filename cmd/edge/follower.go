package main

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"

	"github.com/tallystick/tallystick/edge/api"
	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/sync/wire"
)

// follower stands between syncer and till. It notes names and how far HQ has
// acknowledged, which belong on the screen and in the progress file, not in a
// decision. It is safe for concurrent use.
type follower struct {
	*till.Till
	data string
	id   identity
	log  *slog.Logger
	// news has something in it after anything changed.
	news chan struct{}

	mu       sync.Mutex
	progress progress
	last     syncer.State
	kept     progress

	// What HQ sealed, to be shown to it again; stored is what is on disk.
	sealed map[string][]byte
	stored map[string][]byte
}

func newFollower(t *till.Till, data string, id identity, log *slog.Logger) *follower {
	p := readProgress(data, id)
	f := &follower{
		Till: t, data: data, id: id, log: log, news: make(chan struct{}, 1), progress: p, kept: p,
		sealed: map[string][]byte{}, stored: map[string][]byte{},
	}
	for _, name := range []string{enrolmentFileOf(id.tag()), witnessFile} {
		raw, err := readIfThere(filepath.Join(data, name))
		if err != nil {
			log.Warn("what HQ gave to keep cannot be read", "error", err)
		}
		f.sealed[name], f.stored[name] = raw, raw
	}
	return f
}

// Enrolment, Witness and Keep implement syncer.Keepsakes.
func (f *follower) Enrolment() []byte { return f.keepsake(enrolmentFileOf(f.id.tag())) }

// Witness is how far HQ's own journal had come.
func (f *follower) Witness() []byte { return f.keepsake(witnessFile) }

func (f *follower) keepsake(name string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sealed[name]
}

// Keep takes what HQ gave to keep; it is on disk after the next look.
func (f *follower) Keep(enrolment, witness []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, raw := range map[string][]byte{enrolmentFileOf(f.id.tag()): enrolment, witnessFile: witness} {
		if len(raw) > 0 {
			f.sealed[name] = raw
		}
	}
}

// ApplyFeed hands the page to the till and notes the names in it.
func (f *follower) ApplyFeed(ctx context.Context, page wire.FeedPage) error {
	if err := f.Till.ApplyFeed(ctx, page); err != nil {
		return err
	}
	for _, item := range page.Items {
		f.note(item)
	}
	if len(page.Items) > 0 {
		f.tell()
	}
	return nil
}

// note takes the name out of a store or terminal item. One that cannot be read has
// been judged by the till already.
func (f *follower) note(item wire.Item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case item.Kind == wire.ItemStore && item.ID == f.id.Store:
		if store, err := wire.Unmarshal[wire.Store](item.Body); err == nil {
			f.progress.StoreName = store.Name
		}
	case item.Kind == wire.ItemTerminal && item.ID == f.id.Terminal:
		if terminal, err := wire.Unmarshal[wire.Terminal](item.Body); err == nil {
			f.progress.TerminalName = terminal.Name
		}
	}
}

// ApplyReceipt hands the receipt to the till and notes how far it reaches.
func (f *follower) ApplyReceipt(ctx context.Context, r wire.Receipt) error {
	if err := f.Till.ApplyReceipt(ctx, r); err != nil {
		return err
	}
	f.noteAcked()
	return nil
}

// ApplyWelcome hands the welcome to the till; it may lower what is acknowledged.
func (f *follower) ApplyWelcome(ctx context.Context, w wire.Welcome) error {
	if err := f.Till.ApplyWelcome(ctx, w); err != nil {
		return err
	}
	f.noteAcked()
	return nil
}

func (f *follower) noteAcked() {
	acked, _ := f.Acked()
	f.mu.Lock()
	f.progress.Acked = acked
	f.mu.Unlock()
	f.tell()
}

// changed is told by the syncer how it stands. Only how it stands is worth a line
// in the log, not every receipt.
func (f *follower) changed(s syncer.State) {
	f.mu.Lock()
	last := f.last
	f.last = s
	f.mu.Unlock()
	if last.Mode != s.Mode || last.Online != s.Online || last.Code != s.Code {
		f.log.Info("sync", "mode", s.Mode, "online", s.Online, "code", s.Code, "acked", s.AckedSeq)
	}
	f.tell()
}

func (f *follower) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// names returns what people call the terminal and its store.
func (f *follower) names() api.Names {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := api.Names{Terminal: f.progress.TerminalName, Store: f.progress.StoreName}
	if names.Terminal == "" {
		names.Terminal = f.id.Name
	}
	return names
}

// keep writes the progress file when it is behind. One goroutine calls it. The file
// only saves an export from sending too much, so a full disk must not end the agent
// over it.
func (f *follower) keep() {
	f.mu.Lock()
	now, sealed := f.progress, maps.Clone(f.sealed)
	f.mu.Unlock()
	f.keepSealed(sealed)
	if now == f.kept {
		return
	}
	if err := writeProgress(f.data, now); err != nil {
		f.log.Warn("progress file not written", "error", err)
		return
	}
	f.kept = now
}

// keepSealed writes what HQ gave to keep and is not on disk yet.
func (f *follower) keepSealed(sealed map[string][]byte) {
	for name, raw := range sealed {
		if bytes.Equal(raw, f.stored[name]) {
			continue
		}
		if err := writeAtomically(filepath.Join(f.data, name), raw); err != nil {
			f.log.Warn("what HQ gave to keep was not written", "file", name, "error", err)
			continue
		}
		f.stored[name] = raw
	}
}
