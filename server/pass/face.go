package pass

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/face"
)

const (
	// mostVouchers and mostExpiring bound the lists of a face.
	mostVouchers = 20
	mostExpiring = 10
	pageSize     = 200
	day          = 24 * time.Hour
)

// draft is a face without its code, which only a phone needs. Its digest stands for the
// whole face: the code follows from what is in it.
type draft struct {
	pass   Pass
	member programme.Member
	face   face.Face
	digest [32]byte
	// moving says that its voucher is on the way to another account, and for so long
	// nobody knows what it says. The feed tells when it is there.
	moving bool
	// next is when the face changes by itself before the day is over; zero for never.
	next time.Time
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
	if err := s.seen(ctx, members, books); err != nil {
		return nil, err
	}
	if err := s.standings(ctx, cat, passes, of, books); err != nil {
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
		d.moving = p.Voucher != uuid.Nil && p.State != Voided && m.ID != uuid.Nil && !m.Blocked && books[m.Account].find(p.Voucher) < 0
		d.next = cat.nextEnd(p, d.face, books[m.Account])
		if d.digest, err = d.face.Digest(); err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, nil
}

// standings notes where the accounts of members' cards stand among the tiers. A voucher
// that stands for itself says nothing of them.
func (s *Service) standings(ctx context.Context, cat *catalogue, passes []Pass, of map[uuid.UUID]programme.Member, all map[uuid.UUID]*books) error {
	wanted := map[uuid.UUID]bool{}
	for _, p := range passes {
		if m, known := of[p.Member]; known && p.Voucher == uuid.Nil && p.State != Voided {
			wanted[m.Account] = true
		}
	}
	standings, err := s.o.Tiers.Standings(ctx, cat.tiers, sortedIDs(wanted))
	if err != nil {
		return fmt.Errorf("work out tiers: %w", err)
	}
	for account, standing := range standings {
		all[account].standing = &standing
	}
	return nil
}

// books are what an account has. Standing is nil without tiers.
type books struct {
	account  ledger.Account
	vouchers []loyalty.Voucher
	standing *loyalty.Standing
	visits   map[uuid.UUID][]Visit // of each of its members
}

// seen reads where members were seen, into their books.
func (s *Service) seen(ctx context.Context, members []programme.Member, of map[uuid.UUID]*books) error {
	visits, err := s.o.Books.Visits(ctx, members)
	if err != nil {
		return fmt.Errorf("read visits: %w", err)
	}
	by := make(map[uuid.UUID][]Visit, len(members))
	for _, v := range visits {
		by[v.Member] = append(by[v.Member], v)
	}
	for _, m := range members {
		b := of[m.Account]
		if b.visits == nil {
			b.visits = map[uuid.UUID][]Visit{}
		}
		b.visits[m.ID] = by[m.ID]
	}
	return nil
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

// finish signs the code of a draft.
func (s *Service) finish(d draft) (face.Face, error) {
	f := d.face
	if f.Voided {
		return f, nil
	}
	var code programme.Code
	var err error
	if f.Kind == face.KindVoucher {
		code, err = s.o.Programme.VoucherCode(f.Subject, f.Issue, f.ExpiresOn)
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
