package till

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// Identify reads a code and tells what it is worth here. It changes nothing that
// lasts: a rotating code is used up by the sale that commits it.
func (t *Till) Identify(ctx context.Context, rawCode string) (Scan, error) {
	end, err := t.begin()
	if err != nil {
		return Scan{}, err
	}
	defer end()
	cat := t.catalogue.Load()
	if err := cat.ready(); err != nil {
		return Scan{}, err
	}
	p, err := t.read(ctx, cat, rawCode)
	if err != nil {
		return Scan{}, err
	}
	s := Scan{
		ID: t.cfg.NewID(), Kind: p.pass.Kind, Freshness: p.freshness, Repair: p.repair,
	}
	near, err := t.near(ctx, cat, []presented{p}, Request{})
	if err != nil {
		return Scan{}, err
	}
	err = t.look(ctx, func(l look) error {
		f, err := t.gather(l, cat, []presented{p}, Request{})
		if err != nil {
			return err
		}
		f.meetLanes(near)
		if p.pass.Kind == passtoken.KindVoucher {
			s.Voucher, err = t.describeVoucher(l, cat, f, p.pass.Subject)
			return err
		}
		s.Member, err = t.describe(l, cat, f)
		return err
	})
	if err != nil {
		return Scan{}, err
	}
	t.desk.keepScan(s.ID, p)
	now, _ := t.time.now()
	s.ExpiresAt = now.Add(t.cfg.Limits.ScanLife)
	return s, nil
}

// describe tells what a member has and could redeem at this moment; nil when no
// member's pass was shown.
func (t *Till) describe(l look, cat *catalogue, f facts) (*Member, error) {
	if !f.party.pass {
		return nil, nil
	}
	m := f.party.member
	out := &Member{ID: m.ID, Account: m.Account, Alias: m.Alias}
	var err error
	if out.Holdings, err = t.holdingsOf(l, cat, *m, f.rights, f.now); err != nil {
		return nil, err
	}
	total := t.caps.sums(cat.policy.Unit)
	for _, r := range cat.offers() {
		if inTime(r.ValidFrom, r.ValidTo, f.now) {
			out.Rewards = append(out.Rewards, RewardOffer{
				Reward: r, Refused: f.tryWish(loyalty.Wish{Reward: r.ID, Times: 1}, total),
			})
		}
	}
	out.Vouchers, err = t.vouchersOf(l, cat, f)
	return out, err
}

// holdingsOf is what this terminal reckons a member to have, by unit.
func (t *Till) holdingsOf(l look, cat *catalogue, m wire.Member, rights []right, now time.Time) ([]Holding, error) {
	figures, err := holdings(l, m, t.cfg.Writer, now)
	if err != nil {
		return nil, err
	}
	held := t.desk.held(m.Account)
	here := map[string]int64{}
	for _, r := range usable(cat.policy, rights, now) {
		here[r.Unit] += r.left
		if _, known := figures[r.Unit]; !known && !r.ofUses() {
			figures[r.Unit] = figure{}
		}
	}
	var out []Holding
	soon := now.Add(ExpirySoon).UnixMilli()
	for unit, n := range figures {
		out = append(out, Holding{
			Unit: unit, Free: n.free + here[unit], Allowance: here[unit], Held: held[unit], Pending: n.pending,
			Expires: n.expires.After(n.since, now.UnixMilli(), soon),
		})
	}
	slices.SortFunc(out, func(a, b Holding) int { return strings.Compare(a.Unit, b.Unit) })
	return out, nil
}

func inTime(from, to int64, now time.Time) bool {
	at := now.UnixMilli()
	return from <= at && (to == 0 || at < to)
}

// vouchersOf returns the member's vouchers with uses left that have not ended.
func (t *Till) vouchersOf(l look, cat *catalogue, f facts) ([]Voucher, error) {
	var ids []uuid.UUID
	member := f.party.id
	err := l.scan(TableTies, member[:], nil, func(key, _ []byte) error {
		ids = append(ids, uuid.UUID(key[len(member):]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []Voucher
	for _, id := range ids {
		v, err := t.describeVoucher(l, cat, f, id)
		if err != nil {
			return nil, err
		}
		if v != nil && v.Voucher.Left > 0 && inTime(0, v.Voucher.ValidTo, f.now) {
			out = append(out, *v)
		}
	}
	return out, nil
}

// describeVoucher tells what a voucher is worth at this moment; nil when it is not
// known here.
func (t *Till) describeVoucher(l look, cat *catalogue, f facts, id uuid.UUID) (*Voucher, error) {
	v, found, err := voucher(l, id, t.cfg.Writer)
	if err != nil || !found {
		return nil, err
	}
	out := &Voucher{Voucher: v}
	if r, known := cat.rewards[v.Reward]; known {
		out.Reward = &r
	}
	f.request.Vouchers = map[loyalty.ID]loyalty.Voucher{v.ID: v}
	total := t.caps.sums(cat.policy.Unit)
	out.Refused = f.tryWish(loyalty.Wish{Voucher: v.ID, Times: 1}, total)
	return out, nil
}
