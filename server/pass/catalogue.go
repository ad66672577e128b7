package pass

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/tier"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// catalogue is what all faces have in common.
type catalogue struct {
	rewards map[uuid.UUID]programme.Reward
	onSale  []programme.Reward // for points, the cheapest first
	units   loyalty.RuleSet
	terms   programme.CodeTerms
	now     time.Time
	// notice is the end of the days whose expiries are shown: it moves at midnight, so
	// that a face does not change through the day.
	notice time.Time
	asOf   time.Time
	atlas  *atlas
	tiers  tier.Ladder
}

// catalogue reads what all faces have in common.
func (s *Service) catalogue(ctx context.Context) (*catalogue, error) {
	cat := &catalogue{rewards: map[uuid.UUID]programme.Reward{}, now: s.now()}
	cat.asOf, cat.notice = cat.now, cat.now.Truncate(day).Add(s.o.Settings.Notice+day)
	waiting, err := s.o.Books.OldestWaiting(ctx)
	if err != nil {
		return nil, fmt.Errorf("read oldest waiting entry: %w", err)
	}
	if !waiting.IsZero() && waiting.Before(cat.asOf) {
		cat.asOf = waiting
	}
	if cat.terms, err = s.o.Programme.CodeTerms(); err != nil {
		return nil, err
	}
	if cat.units, err = s.o.Programme.CurrentRuleSet(ctx); err != nil && problem.CodeOf(err) != problem.NotFound {
		return nil, fmt.Errorf("read units: %w", err)
	}
	stores, err := s.o.Books.Places(ctx, mostStores)
	if err != nil {
		return nil, fmt.Errorf("read places of stores: %w", err)
	}
	cat.atlas = newAtlas(stores)
	if cat.tiers, err = s.o.Tiers.Ladder(ctx); err != nil {
		return nil, err
	}
	for after := uuid.Nil; ; {
		page, err := s.o.Programme.Rewards(ctx, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read rewards: %w", err)
		}
		for _, r := range page {
			after, cat.rewards[r.ID] = r.ID, r
			if r.OnSale(cat.now) {
				cat.onSale = append(cat.onSale, r)
			}
		}
		if len(page) < pageSize {
			break
		}
	}
	slices.SortStableFunc(cat.onSale, func(a, b programme.Reward) int { return cmp.Compare(a.Cost, b.Cost) })
	return cat, nil
}

// draft makes one face.
func (cat *catalogue) draft(p Pass, m programme.Member, b *books, locale string) face.Face {
	f := face.Face{Kind: face.KindMember, Subject: p.Member, Locale: locale, AsOf: cat.asOf}
	if p.Voucher != uuid.Nil {
		f.Kind, f.Subject = face.KindVoucher, p.Voucher
	}
	if p.State == Voided || m.ID == uuid.Nil || m.Blocked {
		return cat.voided(f, b)
	}
	f.Name, f.Stores = m.Alias, cat.atlas.of(b.visits[p.Member])
	f.Code, f.ExpiresOn = fmt.Sprint("key ", cat.terms.KeyID), cat.terms.ExpiresOn
	if f.Kind == face.KindVoucher {
		cat.single(&f, p.Voucher, b)
		return f
	}
	f.Issue, f.Number = m.Issue, passtoken.CardNumberOf(m.ID).String()
	if !p.Channel.Static() {
		for _, e := range cat.terms.Epochs {
			f.Rotating = append(f.Rotating, face.RotatingKey{Epoch: e.Epoch, NotBefore: e.NotBefore, NotAfter: e.NotAfter})
		}
	}
	units := b.account.Units(cat.now)
	f.Next = cat.next(units)
	f.Balances, f.Expiring = cat.amounts(units, f.Next)
	f.Vouchers = cat.vouchers(b.vouchers)
	if b.standing != nil {
		f.Tier = cat.tier(*b.standing)
	}
	return f
}

// single is a voucher for itself. One that is used up or over is voided.
func (cat *catalogue) single(f *face.Face, voucher uuid.UUID, b *books) {
	i := b.find(voucher)
	if i < 0 || !cat.good(b.vouchers[i]) {
		*f = cat.voided(*f, b)
		return
	}
	v := cat.voucher(b.vouchers[i])
	f.Voucher, f.Issue = &v, b.vouchers[i].CodeIssue()
	if !v.ValidTo.IsZero() && v.ValidTo.Before(f.ExpiresOn) {
		f.ExpiresOn = v.ValidTo.Truncate(day)
	}
}

// voided says nothing but that, and of a voucher which reward it was for.
func (cat *catalogue) voided(f face.Face, b *books) face.Face {
	out := face.Face{Kind: f.Kind, Subject: f.Subject, Locale: f.Locale, AsOf: f.AsOf, Voided: true}
	if f.Kind == face.KindVoucher {
		out.Voucher = &face.Voucher{ID: f.Subject}
		if i := b.find(f.Subject); i >= 0 {
			v := cat.voucher(b.vouchers[i])
			out.Voucher = &face.Voucher{ID: v.ID, Name: v.Name, Discount: v.Discount, Currency: v.Currency}
		}
	}
	return out
}

// end is when a voucher ends, by its own date or its reward's, whichever is first; zero
// when it does not.
func (cat *catalogue) end(v loyalty.Voucher) time.Time {
	ms := cat.rewards[uuid.UUID(v.Reward)].ValidTo
	if ms == 0 || v.ValidTo != 0 && v.ValidTo < ms {
		ms = v.ValidTo
	}
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (cat *catalogue) good(v loyalty.Voucher) bool {
	end := cat.end(v)
	return v.Left > 0 && !v.Blocked && (end.IsZero() || end.After(cat.now))
}

// nextEnd is when the first of the vouchers ends that a face may show; zero when none does.
func (cat *catalogue) nextEnd(p Pass, f face.Face, b *books) (next time.Time) {
	if f.Voided || b == nil {
		return time.Time{}
	}
	for _, v := range b.vouchers {
		end := cat.end(v)
		if p.Voucher != uuid.Nil && p.Voucher != uuid.UUID(v.ID) || end.IsZero() || !cat.good(v) {
			continue
		}
		if next.IsZero() || end.Before(next) {
			next = end
		}
	}
	return next
}

func (cat *catalogue) voucher(v loyalty.Voucher) face.Voucher {
	r := cat.rewards[uuid.UUID(v.Reward)]
	return face.Voucher{ID: uuid.UUID(v.ID), Name: r.Name, Discount: r.Discount, Currency: r.Currency, Left: v.Left, ValidTo: cat.end(v)}
}

// vouchers are those that can be used, what ends first first.
func (cat *catalogue) vouchers(all []loyalty.Voucher) []face.Voucher {
	var out []face.Voucher
	for _, v := range all {
		if cat.good(v) {
			out = append(out, cat.voucher(v))
		}
	}
	slices.SortFunc(out, func(a, b face.Voucher) int {
		return cmp.Or(cmp.Compare(never(a.ValidTo), never(b.ValidTo)), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out[:min(len(out), mostVouchers)]
}

func never(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return t.UnixMilli()
}

// next is the cheapest reward that is not reached, or the dearest of all when all are.
func (cat *catalogue) next(units []ledger.Units) *face.Next {
	have := map[string]int64{}
	for _, u := range units {
		have[u.Unit] = u.Spendable
	}
	var out *face.Next
	for _, r := range cat.onSale {
		out = &face.Next{Name: r.Name, Unit: r.Unit, Have: cat.whole(r.Unit, have[r.Unit]), Cost: cat.whole(r.Unit, r.Cost)}
		if have[r.Unit] < r.Cost {
			break
		}
	}
	return out
}

// amounts are the balances, the unit of the next reward first, and what expires soon.
func (cat *catalogue) amounts(units []ledger.Units, next *face.Next) (balances []face.Balance, expiring []face.Expiring) {
	for _, u := range units {
		currency := cat.currency(u.Unit)
		balances = append(balances, face.Balance{
			Unit: u.Unit, Amount: cat.whole(u.Unit, u.Spendable-u.Overdraft), Currency: currency, Pending: cat.whole(u.Unit, u.Pending),
		})
		for _, e := range u.Expiring {
			if e.At.Before(cat.notice) {
				expiring = append(expiring, face.Expiring{Unit: u.Unit, Amount: cat.whole(u.Unit, e.Amount), Currency: currency, At: e.At})
			}
		}
	}
	slices.SortStableFunc(balances, func(a, b face.Balance) int {
		return cmp.Compare(rank(a.Unit, next), rank(b.Unit, next))
	})
	slices.SortStableFunc(expiring, func(a, b face.Expiring) int { return a.At.Compare(b.At) })
	return balances, expiring[:min(len(expiring), mostExpiring)]
}

func rank(unit string, next *face.Next) int {
	if next != nil && next.Unit == unit {
		return 0
	}
	return 1
}

// whole is an amount in whole units, rounded down; of money in its minor units.
func (cat *catalogue) whole(unit string, amount int64) int64 {
	u, _ := cat.units.Unit(unit)
	if u.Kind == loyalty.UnitCredit {
		return amount
	}
	for range u.Decimals {
		if amount < 0 {
			amount -= 9
		}
		amount /= 10
	}
	return amount
}

func (cat *catalogue) currency(unit string) string {
	if u, known := cat.units.Unit(unit); known && u.Kind == loyalty.UnitCredit {
		return cat.units.Currency
	}
	return ""
}

// tier is where a member stands among the tiers.
func (cat *catalogue) tier(s loyalty.Standing) *face.Tier {
	out := face.Tier{Unit: cat.tiers.Unit, Currency: cat.currency(cat.tiers.Unit)}
	if s.Level >= 0 {
		l := cat.tiers.Levels[s.Level]
		out.Key, out.Names, out.Colour = l.Key, l.Names, l.Colour
		if s.KeptUntil != 0 {
			out.KeptUntil = s.KeptUntil.Date()
		}
	}
	if s.Next >= 0 {
		l := cat.tiers.Levels[s.Next]
		out.NextKey, out.NextNames, out.Missing = l.Key, l.Names, -cat.whole(out.Unit, -s.Missing)
	}
	return &out
}
