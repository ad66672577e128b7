package pass

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

const (
	// mostVouchers and mostExpiring bound the lists of a face.
	mostVouchers = 20
	mostExpiring = 10
	pageSize     = 200
	day          = 24 * time.Hour
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
}

// FaceOf is what a member's card says on a channel, with its code, as HQ knows it. AsOf
// is honest: up to then all that terminals had delivered is applied. A blocked member's
// card is voided and says nothing else; it has no code.
func (s *Service) FaceOf(ctx context.Context, member uuid.UUID, ch Channel) (face.Face, error) {
	return s.faceOf(ctx, Pass{Key: KeyOf(member, uuid.Nil), Member: member, Channel: ch, State: Issued})
}

// VoucherFace is the same of a voucher that stands for itself.
func (s *Service) VoucherFace(ctx context.Context, voucher uuid.UUID, ch Channel) (face.Face, error) {
	v, err := s.o.Programme.Voucher(ctx, voucher)
	if err != nil {
		return face.Face{}, fmt.Errorf("show voucher: %w", err)
	}
	return s.faceOf(ctx, Pass{Key: KeyOf(v.Member, uuid.Nil), Member: v.Member, Voucher: v.ID, Channel: ch, State: Issued})
}

func (s *Service) faceOf(ctx context.Context, p Pass) (face.Face, error) {
	cat, err := s.catalogue(ctx)
	if err != nil {
		return face.Face{}, err
	}
	drafts, err := s.drafts(ctx, cat, []Pass{p})
	if err != nil {
		return face.Face{}, err
	}
	if drafts[0].member.ID == uuid.Nil {
		return face.Face{}, problem.New(problem.NotFound, "no such member")
	}
	return s.finish(drafts[0])
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

// draft is a face without its code, which only a phone needs. Its digest stands for the
// whole face: the code follows from what is in it.
type draft struct {
	pass   Pass
	member programme.Member
	face   face.Face
	digest [32]byte
}

// drafts makes the faces of many passes with a handful of queries.
func (s *Service) drafts(ctx context.Context, cat *catalogue, passes []Pass) ([]draft, error) {
	ids := map[uuid.UUID]bool{}
	for _, p := range passes {
		ids[p.Member] = true
	}
	unique := sortedIDs(ids)
	members, err := s.o.Programme.MembersOf(ctx, unique)
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	of := make(map[uuid.UUID]programme.Member, len(members))
	for _, m := range members {
		of[m.ID] = m
	}
	books, err := s.accounts(ctx, members)
	if err != nil {
		return nil, err
	}
	locales, err := s.o.Books.Locales(ctx, unique)
	if err != nil {
		return nil, fmt.Errorf("read languages: %w", err)
	}
	out := make([]draft, len(passes))
	for i, p := range passes {
		m := of[p.Member]
		d := draft{pass: p, member: m, face: cat.draft(p, m, books[m.Account], cmp.Or(locales[p.Member], "en"))}
		if d.digest, err = d.face.Digest(); err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, nil
}

// books are what an account has.
type books struct {
	account  ledger.Account
	vouchers []loyalty.Voucher
}

// find returns where a voucher is, or -1. Nobody has none.
func (b *books) find(voucher uuid.UUID) int {
	if b == nil {
		return -1
	}
	return slices.IndexFunc(b.vouchers, func(v loyalty.Voucher) bool { return uuid.UUID(v.ID) == voucher })
}

// accounts reads the accounts of members.
func (s *Service) accounts(ctx context.Context, members []programme.Member) (map[uuid.UUID]*books, error) {
	out := make(map[uuid.UUID]*books, len(members))
	for _, m := range members {
		out[m.Account] = &books{account: ledger.Account{ID: m.Account}}
	}
	keys := make([]ledger.AccountKey, 0, len(out))
	for _, id := range sortedIDs(out) {
		keys = append(keys, ledger.AccountKey{Shard: shard.Of(id), Account: id})
	}
	holdings, err := s.o.Books.AccountHoldings(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read holdings: %w", err)
	}
	type place struct {
		account uuid.UUID
		unit    string
	}
	at := make(map[place]int, len(holdings))
	for _, h := range holdings {
		b := out[h.Account]
		at[place{h.Account, h.Unit}] = len(b.account.Holdings)
		b.account.Holdings = append(b.account.Holdings, h.Holding)
	}
	lots, err := s.o.Books.OpenLots(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read lots: %w", err)
	}
	for _, l := range lots {
		if i, ok := at[place{l.Account, l.Unit}]; ok {
			h := &out[l.Account].account.Holdings[i]
			h.Lots = append(h.Lots, l.Lot)
		}
	}
	vouchers, err := s.o.Books.AccountVouchers(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read vouchers: %w", err)
	}
	for _, row := range vouchers {
		v, err := wire.Unmarshal[loyalty.Voucher](row.Body)
		if err != nil {
			return nil, fmt.Errorf("read voucher %s: %w", row.Voucher, err)
		}
		v.Left = 0
		if i, ok := at[place{row.Account, loyalty.UseUnit(row.Voucher.String())}]; ok {
			v.Left = out[row.Account].account.Holdings[i].Free
		}
		out[row.Account].vouchers = append(out[row.Account].vouchers, v)
	}
	return out, nil
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
	f.Name = m.Alias
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
	f.Voucher, f.Issue = &v, 1
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

// end is when a voucher ends, by its own date or its reward's; zero when it does not.
func (cat *catalogue) end(v loyalty.Voucher) time.Time {
	ms := v.ValidTo
	if ms == 0 {
		ms = cat.rewards[uuid.UUID(v.Reward)].ValidTo
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

// finish signs the code of a draft.
func (s *Service) finish(d draft) (face.Face, error) {
	f := d.face
	if f.Voided {
		return f, nil
	}
	var code programme.Code
	var err error
	if f.Kind == face.KindVoucher {
		code, err = s.o.Programme.VoucherCode(f.Subject, f.ExpiresOn)
	} else {
		code, err = s.o.Programme.CodeOf(d.member)
	}
	if err != nil {
		return face.Face{}, fmt.Errorf("issue code: %w", err)
	}
	f.Code, f.ExpiresOn = code.Text, code.ExpiresOn
	if len(f.Rotating) > 0 {
		f.Rotating = nil
		for _, k := range code.Keys {
			f.Rotating = append(f.Rotating, face.RotatingKey{Epoch: k.Epoch, Key: k.Key, NotBefore: k.NotBefore, NotAfter: k.NotAfter})
		}
	}
	return f, nil
}

// sortedIDs are the keys of a map in their order.
func sortedIDs[V any](m map[uuid.UUID]V) []uuid.UUID {
	out := make([]uuid.UUID, 0, len(m))
	for id := range m {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b uuid.UUID) int { return strings.Compare(string(a[:]), string(b[:])) })
	return out
}
