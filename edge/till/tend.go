package till

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// maxDue bounds the rights that one Tend looks at.
const maxDue = 200

// Tend does what is due between sales: it looks at the clock, releases rights that HQ
// wants back or that have ended, all of them when HQ takes the terminal out of service,
// acknowledges a new policy, closes a day that is over, and forgets rights that are long
// over. Call it every second or so, and after each page of the feed.
func (t *Till) Tend(ctx context.Context) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	if b := t.witness.contradicted(); b != nil && t.cfg.Journal.Head().Seq < b.Seq {
		return nil // nothing can be journalled
	}
	t.tending.Lock()
	defer t.tending.Unlock()
	if err := t.observeClock(ctx); err != nil {
		return err
	}
	if err := t.acknowledgePolicy(ctx); err != nil {
		return err
	}
	list, err := t.rightsDue(ctx)
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := t.settle(ctx, d); err != nil {
			return err
		}
	}
	if err := t.tendDay(ctx); err != nil {
		return err
	}
	return t.prune(ctx)
}

// retiring reports whether HQ is taking this terminal out of service.
func (t *Till) retiring() bool {
	return t.catalogue.Load().lanes[t.cfg.Writer.ID].State == retiring
}

// retiring is the state of a lane that gives back what it holds, in the roster.
const retiring = "retiring"

// dueRight is an entry of TableDue.
type dueRight struct {
	key     []byte
	id      uuid.UUID
	account uuid.UUID
	retire  bool
}

// rightsDue returns the rights whose time has come: the clock bound before their end, as
// this terminal believes. For a terminal that is taken out of service it has come for all.
func (t *Till) rightsDue(ctx context.Context) ([]dueRight, error) {
	now, _ := t.time.now()
	bound := time.Duration(t.catalogue.Load().policy.Rights.ClockBoundSeconds) * time.Second
	until, leaves := now.Add(bound).UnixMilli(), t.retiring()
	if leaves {
		until = -1
	}
	var out []dueRight
	err := t.look(ctx, func(l look) (err error) {
		out, err = dueUntil(l, until, maxDue)
		return err
	})
	for i := range out {
		out[i].retire = leaves
	}
	if err != nil {
		return nil, fmt.Errorf("look for rights that are due: %w", err)
	}
	return out, nil
}

// dueUntil returns rights due at a moment or earlier, at most limit; a negative moment
// is the end of time.
func dueUntil(l look, until int64, limit int) ([]dueRight, error) {
	var last []byte
	if until >= 0 {
		last = dueKey(until+1, uuid.Nil)
	}
	var out []dueRight
	err := l.scanUntil(TableDue, nil, nil, last, func(key, value []byte) error {
		if len(out) >= limit {
			return errBeyond
		}
		list, err := decode[[]due](TableDue, value)
		if err == nil && len(list) > 0 {
			out = append(out, dueRight{key: bytes.Clone(key), id: uuid.UUID(key[8:]), account: list[0].Account})
		}
		return err
	})
	if errors.Is(err, errBeyond) {
		err = nil
	}
	return out, err
}

// settle looks at one right that is due, while nothing can spend it.
func (t *Till) settle(ctx context.Context, d dueRight) error {
	unlock, err := t.locks.lock(ctx, lockSubject(d.account))
	if err != nil {
		return fmt.Errorf("settle right: %w", err)
	}
	defer unlock()
	var rights []right
	err = t.look(ctx, func(l look) (err error) {
		rights, err = t.rightsOf(l, d.account)
		return err
	})
	if err != nil {
		return fmt.Errorf("settle right: %w", err)
	}
	keep := false
	for _, r := range rights {
		if r.id != d.id || r.released || r.closed {
			continue
		}
		waits, err := t.settleOne(ctx, r, d.retire)
		if err != nil {
			return err
		}
		keep = keep || waits
	}
	if keep {
		return nil
	}
	t.rights.changed.Store(true)
	t.feed.Lock() // what the feed says of rights goes the same way
	defer t.feed.Unlock()
	if err := t.cfg.State.Apply(context.WithoutCancel(ctx), []Change{{TableDue, d.key, nil}}); err != nil {
		t.fail(err)
		return fmt.Errorf("forget what was due: %w", err)
	}
	return nil
}

// settleOne releases a right when it must be, and reports whether to look again later.
//
// One that ended without ever being used needs no entry of its own: HQ takes it back when
// any entry after its end is applied. When there is none, a release is that entry.
func (t *Till) settleOne(ctx context.Context, r right, retire bool) (later bool, err error) {
	policy := t.catalogue.Load().policy
	now, _ := t.time.now()
	switch {
	case r.recalled:
		return false, t.release(ctx, r, entry.ReleaseRecalled)
	case retire:
		return false, t.release(ctx, r, entry.ReleaseRetired)
	case policy.Usable(r.domain(), now.UnixMilli()):
		return true, nil // the clock went back, or the bound was made smaller
	case r.received || r.touched:
		if r.left <= 0 {
			return false, nil // all of it was spent
		}
		return false, t.release(ctx, r, entry.ReleaseEnded)
	case now.UnixMilli() <= r.EndsAt:
		return true, nil
	}
	last, err := t.occurredAt(ctx, t.cfg.Journal.Head().Seq, t.cfg.Journal.Head())
	if err != nil || last.UnixMilli() > r.EndsAt {
		return false, err
	}
	return false, t.release(ctx, r, entry.ReleaseEnded)
}

// acknowledgePolicy journals once under which policy and share everything later was
// decided, so that HQ stops counting the larger share of before.
func (t *Till) acknowledgePolicy(ctx context.Context) error {
	t.deciding.Lock()
	defer t.deciding.Unlock()
	cat := t.catalogue.Load()
	if cat.policy.Version == 0 {
		return nil
	}
	share := cat.policy.TerminalShare(cat.shareGiven())
	now := noted{Policy: cat.policy.Version, Points: share.Points, Uses: share.Uses}
	var before noted
	err := t.look(ctx, func(l look) (err error) {
		before, _, err = get[noted](l, TableMeta, keyPolicy)
		return err
	})
	if err != nil || before == now {
		return err
	}
	return t.note(ctx, entry.NotePolicy, int64(now.Policy), now.Points, now.Uses)
}
