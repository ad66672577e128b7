package till

import (
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// markOf returns through which of this journal's entries HQ's figure is complete.
func markOf(marks []wire.Mark, w journal.Writer) uint64 {
	for _, m := range marks {
		if m.Terminal == w.ID && m.Epoch == w.Epoch {
			return m.Seq
		}
	}
	return 0
}

// own calls fn with each effect of this terminal on an account or voucher that HQ's
// figure does not hold yet.
func own(l look, subject uuid.UUID, marks []wire.Mark, w journal.Writer, fn func(effect)) error {
	from := idKey(subject, markOf(marks, w)+1)
	return l.scan(TableEffect, subject[:], from, func(_, value []byte) error {
		e, err := decode[effect](TableEffect, value)
		fn(e)
		return err
	})
}

// ownOf is own of a member's account, with what was earned here while nothing else than
// the pass was known of the member: then the member's id stands for the account.
func ownOf(l look, m wire.Member, w journal.Writer, fn func(effect)) error {
	if m.Account != m.ID {
		if err := own(l, m.ID, m.Marks, w, fn); err != nil {
			return err
		}
	}
	return own(l, m.Account, m.Marks, w, fn)
}

// figure is one unit of an account as this terminal reckons it.
type figure struct {
	free, pending int64
	expires       loyalty.Expiry // as HQ said
	since         loyalty.Since  // what this terminal did after that
}

// did notes what an entry did to what expires. One whose release did not say did
// something that is not known.
func did(out map[string]figure, e effect) {
	lots := e.Lots
	if lots == nil {
		for _, a := range slices.Concat(e.Redeemed, e.Earned) {
			lots = append(lots, lotChange{Unit: a.Unit, Back: true})
		}
	}
	for _, c := range lots {
		if c.Unit == "" {
			continue
		}
		f := out[c.Unit]
		f.since.Back = f.since.Back || c.Back
		f.since.Redeemed += c.Redeemed
		if c.EndsAt != 0 && (f.since.EndsAt == 0 || c.EndsAt < f.since.EndsAt) {
			f.since.EndsAt = c.EndsAt
		}
		out[c.Unit] = f
	}
	for unit, f := range out { // activity in one unit keeps alive what rolls in any
		f.since.Active = true
		out[unit] = f
	}
}

// holdings reckons an account: HQ's figures, less what this terminal redeemed
// since, with what it earned as pending. Earnings that a void takes back come off
// the pending ones first and then off what is free, since HQ may count them there.
func holdings(l look, m wire.Member, w journal.Writer, now time.Time) (map[string]figure, error) {
	out := map[string]figure{}
	for _, h := range m.Holdings {
		out[h.Unit] = figure{free: h.Free, pending: h.Pending, expires: h.Expires}
	}
	vested, later := map[string]int64{}, map[string]int64{}
	err := ownOf(l, m, w, func(e effect) {
		did(out, e)
		for _, r := range e.Redeemed {
			f := out[r.Unit]
			f.free -= r.Amount
			out[r.Unit] = f
		}
		for _, earned := range e.Earned {
			if earned.VestsAt <= now.UnixMilli() {
				vested[earned.Unit] += earned.Amount
			} else {
				later[earned.Unit] += earned.Amount
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for unit, n := range later {
		f := out[unit]
		f.pending = max(0, f.pending+n)
		out[unit] = f
	}
	for unit, n := range vested {
		f := out[unit]
		f.pending += max(0, n)
		f.free += min(0, n)
		out[unit] = f
	}
	return out, nil
}

// voucher reckons a voucher: Left is HQ's figure less the uses here since.
func voucher(l look, id uuid.UUID, w journal.Writer) (loyalty.Voucher, bool, error) {
	v, found, err := readItem[wire.VoucherState](l, wire.ItemVoucher, id)
	if err != nil || !found {
		return loyalty.Voucher{}, false, err
	}
	err = own(l, id, v.Marks, w, func(e effect) { v.Voucher.Left -= e.Uses })
	return v.Voucher, err == nil, err
}

// redeemedToday returns the points of unit that a member redeemed here on a
// business date. A void takes back what its sale counted.
func redeemedToday(l look, member uuid.UUID, date entry.Date, unit string) (int64, error) {
	var sum int64
	err := l.scan(TableDay, dayKey(member, date), nil, func(_, value []byte) error {
		points, err := decode[[]amount](TableDay, value)
		for _, p := range points {
			if p.Unit == unit {
				sum += p.Amount
			}
		}
		return err
	})
	return max(0, sum), err
}

// soldUnknown returns how many sales a member made here on a business date while nothing
// but the pass was known here. A voided one counts too.
func soldUnknown(l look, member uuid.UUID, date entry.Date) (int64, error) {
	var n int64
	err := l.scan(TableDay, dayKey(member, date), nil, func(_, value []byte) error {
		points, err := decode[[]amount](TableDay, value)
		if len(points) == 0 {
			n++
		}
		return err
	})
	return n, err
}

// cacheAge returns how old HQ's word is; negative means infinitely.
func (t *Till) cacheAge(now time.Time) time.Duration {
	t.linkMu.Lock()
	defer t.linkMu.Unlock()
	if t.link.Heard == 0 {
		return -1
	}
	return max(0, now.Sub(time.UnixMilli(t.link.Heard)))
}

// ageSeconds is cacheAge as decisions want it.
func ageSeconds(age time.Duration) int64 {
	if age < 0 {
		return math.MaxInt64
	}
	return int64(age / time.Second)
}
