package till

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/wire"
)

// A right is forgotten when the latest time HQ signed is this much after its end. That time
// never falls, and a right that ended before it is dead whatever the clocks say and whoever
// shows its grant again: so nothing need be kept to know that it must not be spent twice.
const (
	rightKept = 90 * 24 * time.Hour
	// What has no end of its own (a release of a right that never came, HQ's word about one
	// that is not here) is kept for longer by the longest life that a policy can give.
	endlessKept = rightKept + 366*24*time.Hour
	// pruneEvery is how much later, by HQ's time, the state store is gone through again,
	// pruneStep how many records one Tend looks at.
	pruneEvery = 24 * time.Hour
	pruneStep  = 128
)

// prunes is how far the present round through the state store has come.
type prunes struct {
	table Table // zero: no round is under way
	from  []byte
	done  int64 // HQ's time at the last whole round, Unix milliseconds
}

// over returns the time before whose end no right is alive, Unix milliseconds; zero until
// HQ was heard.
func (t *Till) over() int64 { return max(0, t.linkNow().HQTime-rightKept.Milliseconds()) }

// isOver says whether a right that ends at a time was over long ago. One without an end
// never is.
func isOver(endsAt, over int64) bool { return endsAt != 0 && endsAt <= over }

// prune looks at a few records and forgets rights that are long over and whose last entry
// HQ has applied. The caller holds tending.
func (t *Till) prune(ctx context.Context) error {
	p, hq := &t.prunes, t.linkNow().HQTime
	switch {
	case t.over() == 0, p.table == 0 && hq-p.done < pruneEvery.Milliseconds():
		return nil
	case p.table == 0:
		p.table, p.from = TableRight, nil
	}
	t.feed.Lock() // nothing comes in between the look and the change
	defer t.feed.Unlock()
	r := pruning{Till: t, hq: hq, over: t.over(), applied: t.linkNow().counted()}
	err := t.look(ctx, func(l look) error {
		r.look = l
		return r.step(p.table, p.from)
	})
	if err != nil {
		return fmt.Errorf("look for rights that are long over: %w", err)
	}
	if err := t.applyInParts(ctx, r.changes); err != nil {
		return err
	}
	if p.from = r.next; p.from != nil {
		return nil
	}
	switch p.table {
	case TableRight:
		p.table = TableItem
	case TableItem:
		p.table = TableUse
	default:
		p.table, p.done = 0, hq
	}
	return nil
}

// pruning is one step.
type pruning struct {
	*Till
	look     look
	hq, over int64
	applied  uint64
	changes  []Change
	seen     int
	next     []byte    // where the step ended; nil: at the end of the table
	lastUsed uuid.UUID // the right whose uses were looked at last
}

// step goes on in one table, as far as it is in the store.
func (p *pruning) step(table Table, from []byte) error {
	var prefix []byte
	visit := p.right
	switch table {
	case TableItem:
		prefix, visit = []byte{byte(wire.ItemAllowance)}, p.item
	case TableUse:
		visit = p.use
	}
	err := p.look.view.Scan(table, prefix, from, func(k, value []byte) error {
		if p.seen++; p.seen > pruneStep {
			p.next = bytes.Clone(k)
			return errBeyond
		}
		return visit(k, value)
	})
	if errors.Is(err, errBeyond) {
		return nil
	}
	return err
}

// right looks at a row of TableRight.
func (p *pruning) right(k, value []byte) error {
	rows, err := decode[[]rightRow](TableRight, value)
	if err != nil {
		return err
	}
	account, id := uuid.UUID(k[:16]), uuid.UUID(k[16:])
	for _, row := range rows {
		if !isOver(row.EndsAt, p.over) {
			return nil
		}
		if waits, err := p.isDue(row.EndsAt, id); err != nil || waits {
			return err
		}
	}
	return p.drop(account, id, Change{TableRight, bytes.Clone(k), nil})
}

// item looks at what HQ said last of a right that this journal never received.
func (p *pruning) item(k, value []byte) error {
	it, err := decode[item](TableItem, value)
	if err != nil {
		return err
	}
	id := uuid.UUID(k[1:])
	_, g, err := readAllowance(it.Body)
	if err != nil {
		return err
	}
	if g.Right == uuid.Nil {
		return p.bare(k, it)
	}
	if !isOver(g.EndsAt, p.over) {
		return nil
	}
	if _, received, err := get[[]rightRow](p.look, TableRight, key(g.Account[:], id[:])); err != nil || received {
		return err // it goes with that
	}
	if waits, err := p.isDue(g.EndsAt, id); err != nil || waits {
		return err
	}
	return p.drop(g.Account, id)
}

// bare looks at HQ's word about a right whose grant is not here. An older release has
// written no time to it: it counts from now on.
func (p *pruning) bare(k []byte, it item) error {
	k = bytes.Clone(k)
	if it.At == 0 {
		it.At = p.hq
		c, err := put(TableItem, k, it)
		p.changes = append(p.changes, c)
		return err
	}
	if it.At <= p.hq-endlessKept.Milliseconds() {
		p.changes = append(p.changes, Change{TableItem, k, nil})
	}
	return nil
}

// use looks at what entries took of a right when nothing else is known of it (any more): it
// was given up, or a sale was voided long after.
func (p *pruning) use(k, _ []byte) error {
	id := uuid.UUID(k[:16])
	if id == p.lastUsed {
		return nil
	}
	p.lastUsed = id
	var account uuid.UUID
	old := true
	err := p.uses(id, func(_ []byte, u used) {
		account = u.Account
		old = old && u.Account != uuid.Nil && u.At <= p.hq-endlessKept.Milliseconds()
	})
	if err != nil || !old {
		return err
	}
	_, received, err := get[[]rightRow](p.look, TableRight, key(account[:], id[:]))
	if err != nil || received {
		return err
	}
	if _, said, err := get[item](p.look, TableItem, itemKey(wire.ItemAllowance, id)); err != nil || said {
		return err
	}
	return p.drop(account, id)
}

// uses calls fn with all that entries took of a right, also those on their way into the
// store: one of these keeps the right until HQ has applied it.
func (p *pruning) uses(id uuid.UUID, fn func(k []byte, u used)) error {
	return p.look.scan(TableUse, id[:], nil, func(k, value []byte) error {
		list, err := decode[[]used](TableUse, value)
		for _, u := range list {
			fn(k, u)
		}
		return err
	})
}

// isDue says whether a right still waits to be looked at and released.
func (p *pruning) isDue(endsAt int64, id uuid.UUID) (bool, error) {
	for _, at := range []int64{0, endsAt} {
		if _, waits, err := get[[]due](p.look, TableDue, dueKey(at, id)); err != nil || waits {
			return waits, err
		}
	}
	return false, nil
}

// drop forgets all about a right, once HQ has applied the last entry about it.
func (p *pruning) drop(account, id uuid.UUID, more ...Change) error {
	changes, last := more, uint64(0)
	err := p.uses(id, func(k []byte, u used) {
		changes, last = append(changes, Change{TableUse, bytes.Clone(k), nil}), max(last, seqOf(k))
		if u.Loan != uuid.Nil {
			changes = append(changes, Change{TableLoan, u.Loan[:], nil})
		}
	})
	if err != nil || last > p.applied {
		return err
	}
	p.changes = append(append(p.changes, changes...),
		Change{TableItem, itemKey(wire.ItemAllowance, id), nil}, Change{TableGrant, key(account[:], id[:]), nil})
	return nil
}
