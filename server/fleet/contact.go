package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// NotedEvery is how exactly HQ knows when it last heard from a terminal: a contact so
// soon after one that was written down is not written down.
const NotedEvery = 30 * time.Second

// Contact is what HQ last heard from a terminal: HeadSeq is the newest entry it
// said it has, AckedSeq the newest HQ has taken, both of the epoch. They are as exact
// as [NotedEvery], but whether a queue waited is always right.
type Contact struct {
	LastContactAt time.Time
	HeadSeq       uint64
	AckedSeq      uint64
}

// Queue is how many entries were not yet at HQ.
func (c Contact) Queue() uint64 {
	if c.HeadSeq <= c.AckedSeq {
		return 0
	}
	return c.HeadSeq - c.AckedSeq
}

// EpochContact is a contact in one epoch of a terminal.
type EpochContact struct {
	Terminal uuid.UUID
	Epoch    uint32
	Contact
}

// and is a contact with a later one of the same epoch.
func (c Contact) and(later Contact) Contact {
	return Contact{
		LastContactAt: later.LastContactAt,
		HeadSeq:       max(c.HeadSeq, later.HeadSeq), AckedSeq: max(c.AckedSeq, later.AckedSeq),
	}
}

// noted remembers what this process heard and what of it is written down.
type noted struct {
	mu    sync.Mutex
	heard map[uuid.UUID]heard
}

type heard struct {
	EpochContact
	writtenAt time.Time
	queued    bool // as written
}

// hear takes a contact in and returns what to write, if it is time to.
func (n *noted) hear(c EpochContact) (EpochContact, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	last, known := n.heard[c.Terminal]
	if known = known && last.Epoch == c.Epoch; known {
		c.Contact = last.Contact.and(c.Contact)
	}
	last.EpochContact = c
	write := !known || c.LastContactAt.Sub(last.writtenAt) >= NotedEvery || (c.Queue() > 0) != last.queued
	if write {
		last.writtenAt, last.queued = c.LastContactAt, c.Queue() > 0
	}
	n.heard[c.Terminal] = last
	return c, write
}

// forget has the next contact written.
func (n *noted) forget(terminal uuid.UUID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.heard, terminal)
}

// Heard notes that a terminal was in contact now. A number of zero says nothing.
func (f *Fleet) Heard(ctx context.Context, id uuid.UUID, epoch uint32, headSeq, ackedSeq uint64) error {
	contact := EpochContact{id, epoch, Contact{LastContactAt: f.now(), HeadSeq: headSeq, AckedSeq: ackedSeq}}
	contact, write := f.noted.hear(contact)
	if !write {
		return nil
	}
	if err := f.env.Keeper.Heard(ctx, contact); err != nil {
		f.noted.forget(id)
		return fmt.Errorf("note contact: %w", err)
	}
	return nil
}

// clockMost bounds what is noted of a clock: a year.
const clockMost = 366 * 24 * time.Hour

// ClockSeen notes how a terminal's clock stands against HQ's; wall is what it says it is,
// Unix milliseconds. The way it took here counts as an error.
func (f *Fleet) ClockSeen(ctx context.Context, id uuid.UUID, wall int64) error {
	now := f.now()
	ahead := max(-clockMost, min(clockMost, time.UnixMilli(wall).Sub(now)))
	if err := f.env.Keeper.NoteClock(ctx, id, ahead.Milliseconds(), now.UnixMilli()); err != nil {
		return fmt.Errorf("note clock: %w", err)
	}
	return nil
}

// withContact fills in when each terminal was last heard of in its present epoch.
func (f *Fleet) withContact(ctx context.Context, all []Terminal) ([]Terminal, error) {
	ids := make([]uuid.UUID, len(all))
	for i, t := range all {
		ids[i] = t.ID
	}
	contacts, err := f.env.Keeper.Contacts(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	for i := range all {
		if c, ok := contacts[all[i].ID]; ok && c.Epoch == all[i].Epoch && !c.LastContactAt.Before(all[i].LastContactAt) {
			all[i].Contact = all[i].Contact.and(c.Contact)
		}
	}
	return all, nil
}
