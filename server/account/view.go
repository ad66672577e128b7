package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Source is where the entry behind a posting stands.
type Source struct {
	Writer uuid.UUID
	Epoch  uint32
	Seq    uint64
	Kind   entry.Kind
}

// viewStore is what looking at one member needs.
type viewStore interface {
	Sources(ctx context.Context, account uuid.UUID, sources []journal.Hash) (map[journal.Hash]Source, error)
}

// View is what one member has. Source says from which entry each lot came.
type View struct {
	Account  uuid.UUID
	Holdings []loyalty.Holding // without uses of vouchers
	Source   map[loyalty.ID]journal.Hash
	Links    []Link
}

// View returns what a member has, lot by lot.
func (a *Accounts) View(ctx context.Context, member uuid.UUID) (View, error) {
	var v View
	var err error
	if v.Account, err = a.env.Store.MemberAccount(ctx, member); err != nil {
		return View{}, err
	}
	has, err := a.env.Ledger.Account(ctx, v.Account)
	if err != nil {
		return View{}, err
	}
	for _, h := range has.Holdings {
		if !strings.HasPrefix(h.Unit, loyalty.UseUnit("")) {
			v.Holdings = append(v.Holdings, h)
		}
	}
	if v.Source, err = a.env.Ledger.LotSources(ctx, v.Account); err != nil {
		return View{}, err
	}
	v.Links, err = a.env.Store.Links(ctx, v.Account)
	return v, err
}

// NextExpiry is when points of a holding expire next and how many; zero for never.
func NextExpiry(h loyalty.Holding) (at, amount int64) {
	for _, l := range h.Lots {
		switch {
		case l.Left == 0 || l.ExpiresAt == 0:
		case at == 0 || l.ExpiresAt < at:
			at, amount = l.ExpiresAt, l.Left
		case l.ExpiresAt == at:
			amount += l.Left
		}
	}
	return at, amount
}

// At returns what a member had at a time in Unix milliseconds, on the account they
// had then: as the books said at that time (known), or as it really was by what is
// known now.
func (a *Accounts) At(ctx context.Context, member uuid.UUID, at int64, known bool) (uuid.UUID, []loyalty.Holding, error) {
	account, err := a.accountThen(ctx, member, at)
	if err != nil {
		return uuid.Nil, nil, err
	}
	read := a.env.Ledger.BalanceAsOf
	if known {
		read = a.env.Ledger.BalanceAsKnown
	}
	all, err := read(ctx, account, at)
	if err != nil {
		return uuid.Nil, nil, err
	}
	points := slices.DeleteFunc(all, func(h loyalty.Holding) bool { return strings.HasPrefix(h.Unit, loyalty.UseUnit("")) })
	return account, points, nil
}

// accountThen walks back over the links in force to the member's own account and
// from there to where it led at a time.
func (a *Accounts) accountThen(ctx context.Context, member uuid.UUID, at int64) (uuid.UUID, error) {
	account, err := a.env.Store.MemberAccount(ctx, member)
	if err != nil {
		return uuid.Nil, err
	}
	for back := true; back; {
		links, err := a.env.Store.Links(ctx, account)
		if err != nil {
			return uuid.Nil, err
		}
		back = false
		for _, l := range links {
			if l.Target == account && l.Until == 0 && l.brought(member) {
				account, back = l.Account, true
				break
			}
		}
	}
	return a.env.Ledger.AccountAt(ctx, account, at)
}

func (l Link) brought(member uuid.UUID) bool {
	for _, m := range l.Owned.Members {
		if m.ID == member {
			return true
		}
	}
	return false
}

// Sources finds where the entries behind postings of one account stand.
func (a *Accounts) Sources(ctx context.Context, account uuid.UUID, postings []ledger.Posting) (map[journal.Hash]Source, error) {
	found, err := a.env.Store.Sources(ctx, account, sourcesOf(postings))
	if err != nil {
		return nil, fmt.Errorf("find entries of postings: %w", err)
	}
	return found, nil
}
