package main

import (
	"context"
	"log/slog"
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
}

func newFollower(t *till.Till, data string, id identity, log *slog.Logger) *follower {
	p := readProgress(data, id)
	return &follower{Till: t, data: data, id: id, log: log, news: make(chan struct{}, 1), progress: p, kept: p}
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
	now := f.progress
	f.mu.Unlock()
	if now == f.kept {
		return
	}
	if err := writeProgress(f.data, now); err != nil {
		f.log.Warn("progress file not written", "error", err)
		return
	}
	f.kept = now
}
