//go:build linux

package ledger

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/sync/wire"
)

// layout says who shops where: members belong to a store. Shared ones go from lane to
// lane, so that of two sales of a member the earlier one may arrive later; the others
// keep to one lane.
type layout struct {
	stores, lanes, members int // lanes and members of each store
	shared                 bool
}

// Eight terminals push at once: eight full batches are what HQ lets in at a time.
var (
	apart = layout{stores: 8, lanes: 1, members: 500}               // uncontended
	hot   = layout{stores: 1, lanes: 8, members: 800}               // one store, one issuer
	late  = layout{stores: 1, lanes: 8, members: 800, shared: true} // the same, out of order
)

// member is who is served as the n-th at a terminal.
func (fl *field) member(terminal, n int) hqclient.Member {
	l, members := fl.layout, fl.members[terminal/fl.layout.lanes]
	if l.shared {
		return members[n%len(members)]
	}
	share := len(members) / l.lanes
	return members[terminal%l.lanes*share+n%share]
}

// field is a set of terminals with members who have points.
type field struct {
	office    *office
	layout    layout
	terminals []*terminal // lanes of one store stand together
	members   [][]hqclient.Member
}

// enrolAtOnce is how many terminals enrol side by side.
const enrolAtOnce = 4

var stores atomic.Int64

// openField opens the stores, enrols lanes and members, and waits until every
// member's first points are applied.
func openField(t *testing.T, f *office, l layout) *field {
	t.Helper()
	fl := &field{office: f, layout: l, terminals: make([]*terminal, l.stores*l.lanes), members: make([][]hqclient.Member, l.stores)}
	opened := make([]hqclient.Store, l.stores)
	for s := range opened {
		code := fmt.Sprintf("s%d", stores.Add(1))
		var err error
		opened[s], err = f.CreateStore(t.Context(), hqclient.Store{Code: code, Name: code, TimeZone: "Europe/Berlin", Currency: stage.Currency})
		must(t, err)
		fl.members[s], err = f.CreateMembers(t.Context(), make([]hqclient.MemberNew, l.members))
		must(t, err)
	}
	must(t, each(len(fl.terminals), enrolAtOnce, func(i int) (err error) {
		fl.terminals[i], err = enrol(t.Context(), f, opened[i/l.lanes], i%l.lanes)
		return err
	}))
	for s := range opened {
		first := fl.terminals[s*l.lanes]
		for _, m := range fl.members[s] {
			must(t, first.open(m))
		}
		for lane := range l.lanes { // nobody redeems points before they were earned
			fl.terminals[s*l.lanes+lane].at = first.at.Add(time.Duration(lane) * time.Millisecond)
		}
	}
	_, err := fl.drain(t.Context(), wire.MaxBatchEntries)
	must(t, err)
	must(t, f.awaitApplied(t.Context(), seldom))
	return fl
}

// sell has every terminal write n sales, of its members in turns.
func (fl *field) sell(n int) error {
	return each(len(fl.terminals), 2, func(i int) error {
		t := fl.terminals[i]
		for range n {
			if err := t.sell(fl.member(i, t.sales)); err != nil {
				return err
			}
		}
		return nil
	})
}

// drain pushes what all terminals have, at once, in batches of this size, and
// returns how often HQ sent one away.
func (fl *field) drain(ctx context.Context, batch int) (int, error) {
	var refusals atomic.Int64
	err := each(len(fl.terminals), len(fl.terminals), func(i int) error {
		t := fl.terminals[i]
		for len(t.queue) > 0 {
			p, err := t.pack(batch)
			if err != nil {
				return err
			}
			n, err := insist(ctx, func() error { return t.push(ctx, p) })
			refusals.Add(int64(n))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return int(refusals.Load()), err
}

// waiting is all entries that no batch holds yet.
func (fl *field) waiting() [][]byte {
	var all [][]byte
	for _, t := range fl.terminals {
		all = append(all, t.queue...)
	}
	return all
}

// check holds HQ against what was pushed: nothing waits, no exception was raised,
// and the books balance.
func (fl *field) check(t *testing.T) {
	t.Helper()
	status, err := fl.office.Status(t.Context())
	must(t, err)
	if status.Unapplied != 0 || status.OpenExceptions != 0 {
		t.Errorf("HQ has %d entries waiting and %d exceptions", status.Unapplied, status.OpenExceptions)
	}
	var want int64
	for _, one := range fl.terminals {
		want += int64(one.head.Seq)
	}
	if status.Entries < want {
		t.Errorf("HQ has %d entries, %d were pushed", status.Entries, want)
	}
	balance, err := fl.office.TrialBalance(t.Context())
	must(t, err)
	if !balance.Balanced {
		t.Errorf("the trial balance is off: %+v", balance.Lines)
	}
}
