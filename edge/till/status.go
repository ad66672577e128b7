package till

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Status tells how the terminal stands.
func (t *Till) Status(ctx context.Context) (Status, error) {
	end, err := t.begin()
	if err != nil {
		return Status{}, err
	}
	defer end()
	cat := t.catalogue.Load()
	now, trusted := t.time.now()
	s := Status{
		Writer: t.cfg.Writer, Store: t.cfg.Store, Online: t.online.Load(), Head: t.cfg.Journal.Head(),
		CacheAge: t.cacheAge(now), ClockTrusted: trusted, Now: now,
		Policy: cat.policy.Version, KeySet: cat.keys.Version,
		ReceiptNeeded: cat.tillRules.ReceiptNeeded, CardPage: cat.public.CardPage,
		Unit: cat.policy.Unit, Caps: t.capsNow(cat, now, trusted), Witness: t.witness.state(), Drift: t.time.driftNow(),
	}
	if cat.rules != nil {
		s.RuleSet, s.Currency = cat.rules.Version, cat.rules.Currency
	}
	share := cat.policy.TerminalShare(cat.shareGiven())
	s.CapPoints, s.CapUses = share.Points, share.Uses
	total := t.caps.sums(cat.policy.Unit)
	s.SpentPoints, s.SpentUses = total.points[cat.policy.Unit], total.uses
	if s.Rights, err = t.sumRights(ctx, now); err != nil {
		return Status{}, err
	}
	s.Exposure = exposure(cat, s.Rights)
	t.linkMu.Lock()
	s.Acked, s.Applied = t.link.Acked.Seq, t.link.counted()
	if t.link.HQTime != 0 {
		s.Contact = time.UnixMilli(t.link.HQTime).UTC()
	}
	t.linkMu.Unlock()
	s.Queue = s.Head.Seq - min(s.Acked, s.Head.Seq)
	s.Oldest, err = t.occurredAt(ctx, s.Acked+1, s.Head)
	return s, err
}

// occurredAt returns the time of entry seq, zero when there is none (any more).
func (t *Till) occurredAt(ctx context.Context, seq uint64, head journal.Head) (time.Time, error) {
	if seq > head.Seq {
		return time.Time{}, nil
	}
	run, err := t.cfg.Journal.Read(ctx, seq, 1, entry.MaxSize)
	if errors.Is(err, journal.ErrPruned) {
		return time.Time{}, nil
	}
	if err != nil || len(run.Entries) == 0 {
		return time.Time{}, fmt.Errorf("read entry %d: %w", seq, err)
	}
	e, err := entry.Decode(run.Entries[0])
	if err != nil {
		return time.Time{}, fmt.Errorf("read entry %d: %w", seq, err)
	}
	return e.At(), nil
}

// SetOnline tells whether HQ is in reach, as the syncer sees it.
func (t *Till) SetOnline(online bool) { t.online.Store(online) }

// ObserveClock looks for a jump of the wall clock and journals it. Call it every
// second or so; each sale does so too.
func (t *Till) ObserveClock(ctx context.Context) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	return t.observeClock(ctx)
}

func (t *Till) observeClock(ctx context.Context) error {
	jump, jumped := t.time.observe()
	if !jumped {
		return nil
	}
	now, _ := t.time.now()
	_, err := t.append(ctx, now, entry.KindClock, jump)
	return err
}

// Record journals an entry of the caller (a witness, a note) and returns when it is
// durable. Everything journalled goes through the till. Sales and voids have their
// own calls.
func (t *Till) Record(ctx context.Context, kind entry.Kind, body any) (journal.Position, error) {
	end, err := t.begin()
	if err != nil {
		return journal.Position{}, err
	}
	defer end()
	if kind != entry.KindWitness && kind != entry.KindNote {
		return journal.Position{}, problem.Newf(problem.InvalidField, "an entry of kind %s is not recorded as such", kind)
	}
	now, _ := t.time.now()
	return t.append(ctx, now, kind, body)
}
