package ledger

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/sync/wire"
)

// items are the feed items of the set's accounts: each member with all holdings,
// and each voucher whose uses changed.
func (l *Ledger) items(ctx context.Context, s *set) ([]feed.Change, error) {
	accounts := s.sorted()
	if len(accounts) == 0 {
		return nil, nil
	}
	keys := make([]AccountKey, len(accounts))
	uses := false
	for i, a := range accounts {
		keys[i] = a.AccountKey
		for unit := range a.touched {
			uses = uses || strings.HasPrefix(unit, loyalty.UseUnit(""))
		}
	}
	members, err := l.o.Store.AccountMembers(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	var out []feed.Change
	for _, row := range members {
		item, err := memberItem(s.accounts[row.Account], row)
		if err != nil {
			return nil, err
		}
		out = append(out, feed.Change{Shard: row.Shard, Item: item})
	}
	if !uses {
		return out, nil
	}
	vouchers, err := l.o.Store.AccountVouchers(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read vouchers: %w", err)
	}
	for _, row := range vouchers {
		a := s.accounts[row.Account]
		if !a.touched[loyalty.UseUnit(row.Voucher.String())] {
			continue
		}
		item, err := voucherItem(a, row)
		if err != nil {
			return nil, err
		}
		out = append(out, feed.Change{Shard: row.Shard, Item: item})
	}
	return out, nil
}

// memberItem is what edges are told of a member: the profile, what the account
// has, and through which entries of which terminals.
func memberItem(a *account, row MemberRow) (wire.Item, error) {
	m, err := wire.Unmarshal[wire.Member](row.Profile)
	if err != nil {
		return wire.Item{}, fmt.Errorf("read profile of member %s: %w", row.Member, err)
	}
	m.Holdings = nil
	for _, unit := range sortedKeys(a.holdings) {
		h := a.holdings[unit]
		if strings.HasPrefix(unit, loyalty.UseUnit("")) {
			continue
		}
		m.Holdings = append(m.Holdings, wire.Holding{
			Unit: unit, Free: h.Free, Pending: h.Pending, Overdraft: h.Overdraft, Allowance: h.Allowance,
			Expires: h.FirstExpiry(),
		})
	}
	m.Marks = a.marks
	return itemOf(wire.ItemMember, m.ID, a.version, m)
}

func voucherItem(a *account, row VoucherRow) (wire.Item, error) {
	v, err := currentVoucher(a, row)
	if err != nil {
		return wire.Item{}, err
	}
	return itemOf(wire.ItemVoucher, row.Voucher, a.version, wire.VoucherState{Voucher: v, Marks: a.marks})
}

// currentVoucher is a voucher with the uses its holding has left.
func currentVoucher(a *account, row VoucherRow) (loyalty.Voucher, error) {
	v, err := wire.Unmarshal[loyalty.Voucher](row.Body)
	if err != nil {
		return v, fmt.Errorf("read voucher %s: %w", row.Voucher, err)
	}
	v.Left = 0
	if h := a.holdings[loyalty.UseUnit(row.Voucher.String())]; h != nil {
		v.Left = h.Free
	}
	return v, nil
}

func itemOf(kind wire.ItemKind, id uuid.UUID, version uint64, body any) (wire.Item, error) {
	raw, err := wire.Marshal(body)
	return wire.Item{Kind: kind, ID: id, Version: version, Body: raw}, err
}
