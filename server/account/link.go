package account

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

// MaxHousehold bounds the members that join a household at once.
const MaxHousehold = 20

// Merge makes a member with a second card share the account of another: from now
// on both cards earn and spend there, and what the emptied account had moves. Who has the
// account answers for the vouchers, so that one given away outlives the card. It is
// reversible by [Accounts.End]. Members of one account cannot be merged, so merges
// never make a circle.
func (a *Accounts) Merge(ctx context.Context, by, member, into uuid.UUID, reason uint8) (Link, error) {
	if err := checkReason(reason); err != nil {
		return Link{}, err
	}
	if err := a.recalled(ctx, member); err != nil {
		return Link{}, err
	}
	var l Link
	err := a.env.Store.InTx(ctx, func(ctx context.Context) error {
		to, err := a.env.Store.MemberAccount(ctx, into)
		if err != nil {
			return named(err, "/into")
		}
		l, err = a.begin(ctx, Link{Target: to, Kind: entry.LinkMerged, Member: member, Reason: reason, By: by}, into)
		return err
	})
	if err != nil {
		return Link{}, fmt.Errorf("merge members: %w", err)
	}
	return l, nil
}

// OpenHousehold makes an account that members share, and returns it with one link
// for each member.
func (a *Accounts) OpenHousehold(ctx context.Context, by uuid.UUID, members []uuid.UUID, reason uint8) (uuid.UUID, []Link, error) {
	if err := checkReason(reason); err != nil {
		return uuid.Nil, nil, err
	}
	if len(members) < 1 || len(members) > MaxHousehold {
		return uuid.Nil, nil, invalid("/members", "must be 1 to 20")
	}
	if err := a.recalled(ctx, members...); err != nil {
		return uuid.Nil, nil, err
	}
	household := a.env.NewID()
	var links []Link
	err := a.env.Store.InTx(ctx, func(ctx context.Context) error {
		links = links[:0]
		// Opened now, so that it can be given points before anybody is settled in.
		if err := a.env.Ledger.Adopt(ctx, household, ledger.Owned{}, by); err != nil {
			return err
		}
		for i, m := range members {
			l, err := a.begin(ctx, Link{Target: household, Kind: entry.LinkHousehold, Member: m, Reason: reason, By: by}, uuid.Nil)
			if err != nil {
				return named(err, fmt.Sprintf("/members/%d", i))
			}
			links = append(links, l)
		}
		return nil
	})
	if err != nil {
		return uuid.Nil, nil, fmt.Errorf("open household: %w", err)
	}
	return household, links, nil
}

// JoinHousehold adds a member to a household.
func (a *Accounts) JoinHousehold(ctx context.Context, by, household, member uuid.UUID, reason uint8) (Link, error) {
	if err := checkReason(reason); err != nil {
		return Link{}, err
	}
	if err := a.recalled(ctx, member); err != nil {
		return Link{}, err
	}
	var l Link
	err := a.env.Store.InTx(ctx, func(ctx context.Context) error {
		links, err := a.env.Store.Links(ctx, household)
		if err != nil {
			return err
		}
		if !isHousehold(links, household) {
			return problem.New(problem.NotFound, "no such household")
		}
		l, err = a.begin(ctx, Link{Target: household, Kind: entry.LinkHousehold, Member: member, Reason: reason, By: by}, uuid.Nil)
		return named(err, "/member")
	})
	if err != nil {
		return Link{}, fmt.Errorf("join household: %w", err)
	}
	return l, nil
}

// recalled refuses to link accounts on which terminals hold rights: what they redeem
// would count where the right is not. The rights are asked for, so that trying again
// soon succeeds. It runs before the transaction, which a refusal undoes.
func (a *Accounts) recalled(ctx context.Context, members ...uuid.UUID) error {
	if a.env.Recall == nil {
		return nil
	}
	for _, m := range members {
		account, err := a.env.Store.MemberAccount(ctx, m)
		if problem.CodeOf(err) == problem.NotFound {
			continue // it is refused where it is named
		}
		if err != nil {
			return err
		}
		held, err := a.env.Recall(ctx, account)
		if err != nil {
			return fmt.Errorf("recall rights: %w", err)
		}
		if held > 0 {
			return problem.Newf(problem.StateConflict, "terminals hold %d rights on the account; they have been asked for them, try again in a minute", held)
		}
	}
	return nil
}

func isHousehold(links []Link, account uuid.UUID) bool {
	for _, l := range links {
		if l.Target == account && l.Kind == entry.LinkHousehold {
			return true
		}
	}
	return false
}

// begin makes a link from the account of l.Member, in the caller's transaction.
// into is the member whose account the target is, or the zero id.
func (a *Accounts) begin(ctx context.Context, l Link, into uuid.UUID) (Link, error) {
	var err error
	if l.Account, err = a.env.Store.MemberAccount(ctx, l.Member); err != nil {
		return Link{}, err
	}
	if l.Account == l.Target {
		return Link{}, problem.New(problem.AccountSame, "")
	}
	if err := a.lockBoth(ctx, l.Account, l.Target); err != nil {
		return Link{}, err
	}
	if err := a.unchanged(ctx, l, into); err != nil {
		return Link{}, err
	}
	if l.Owned, err = a.env.Ledger.Release(ctx, l.Account, nil); err != nil {
		return Link{}, err
	}
	l.Owned.Heir = into
	if l.From, err = a.after(ctx, l.Account); err != nil {
		return Link{}, err
	}
	l.ID, l.State = a.env.NewID(), LinkBeginning
	if err := a.env.Store.AddLink(ctx, l); err != nil {
		return Link{}, fmt.Errorf("write link: %w", err)
	}
	return l, a.record(ctx, l, l.Target, l.Reason, l.By)
}

// unchanged looks again once both accounts are locked: another link may have been
// made meanwhile, and one account has one way out.
func (a *Accounts) unchanged(ctx context.Context, l Link, into uuid.UUID) error {
	now, err := a.env.Store.MemberAccount(ctx, l.Member)
	if err != nil {
		return err
	}
	to := l.Target
	if into != uuid.Nil {
		if to, err = a.env.Store.MemberAccount(ctx, into); err != nil {
			return err
		}
	}
	if now != l.Account || to != l.Target {
		return problem.New(problem.Conflict, "an account was linked meanwhile")
	}
	links, err := a.env.Store.Links(ctx, l.Account)
	if err != nil {
		return err
	}
	for _, other := range links {
		switch {
		case other.Account == l.Account && other.Until == 0:
			return problem.New(problem.Conflict, "the account leads to another one")
		case other.Target == l.Account && other.Kind == entry.LinkHousehold && other.Until == 0:
			return problem.New(problem.StateConflict, "the member shares a household; end that first")
		case other.State == LinkBeginning || other.State == LinkEnding:
			return problem.New(problem.StateConflict, "the account's last link is still being carried out")
		}
	}
	return nil
}

// lockBoth locks two accounts, in the one order of all writers.
func (a *Accounts) lockBoth(ctx context.Context, one, other uuid.UUID) error {
	if shardOrder(other, one) < 0 {
		one, other = other, one
	}
	for _, id := range []uuid.UUID{one, other} {
		err := a.env.Ledger.Locked(ctx, id, func(context.Context, ledger.Account) error { return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

func shardOrder(a, b uuid.UUID) int {
	if d := shard.Of(a) - shard.Of(b); d != 0 {
		return d
	}
	return bytes.Compare(a[:], b[:])
}

// always is a time at which the links that nobody has ended hold, and no others.
const always = math.MaxInt64

// after is a time above that of everything recorded of some locked accounts, and of
// their links.
func (a *Accounts) after(ctx context.Context, accounts ...uuid.UUID) (int64, error) {
	at := a.now().UnixMilli()
	for _, id := range accounts {
		last, err := a.env.Store.LastRecorded(ctx, id)
		if err != nil {
			return 0, fmt.Errorf("read last posting: %w", err)
		}
		links, err := a.env.Store.Links(ctx, id)
		if err != nil {
			return 0, err
		}
		for _, l := range links {
			last = max(last, l.From, l.Until)
		}
		at = max(at, last)
	}
	return at + 1, nil
}

// record moves the records of what the link owns to an account, and journals.
func (a *Accounts) record(ctx context.Context, l Link, to uuid.UUID, reason uint8, by uuid.UUID) error {
	members := make([]uuid.UUID, len(l.Owned.Members))
	for i, m := range l.Owned.Members {
		members[i] = m.ID
	}
	if err := a.env.Store.MoveMemberRecords(ctx, members, to); err != nil {
		return fmt.Errorf("move member records: %w", err)
	}
	if err := a.env.Store.MoveVoucherRecords(ctx, l.Owned.Inherited(), to); err != nil {
		return fmt.Errorf("move voucher records: %w", err)
	}
	a.wake(ctx)
	return a.env.Journal.Append(ctx, hqjournal.Fact{
		Shard: shard.Of(l.Account), Kind: entry.KindHQAccountLink,
		Body: entry.HQAccountLink{
			ID: l.ID, Account: l.Account, Target: l.Target, Kind: l.Kind, From: l.From, Until: l.Until,
			Member: l.Member, Reason: reason, By: by,
		},
	})
}

// End ends a link: the members it brought have their own account again, and what
// is left of their points goes back. What they spent is gone, what others earned
// stays. A link that is still being carried out is problem.StateConflict.
func (a *Accounts) End(ctx context.Context, by, id uuid.UUID, reason uint8) (Link, error) {
	if err := checkReason(reason); err != nil {
		return Link{}, err
	}
	var l Link
	err := a.env.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		if l, err = a.env.Store.Link(ctx, id); err != nil {
			return err
		}
		if l.State != LinkInForce {
			return problem.Newf(problem.StateConflict, "the link is %s", l.State)
		}
		holder, err := a.env.Ledger.AccountAt(ctx, l.Target, always)
		if err != nil {
			return err
		}
		if err := a.lockBoth(ctx, l.Account, holder); err != nil {
			return err
		}
		was := l.Owned
		if l.Owned, err = a.env.Ledger.Release(ctx, holder, brought(was)); err != nil {
			return err
		}
		l.Owned.Vouchers = returned(l.Owned.Vouchers, was.Vouchers)
		if l.Until, err = a.after(ctx, l.Account, holder); err != nil {
			return err
		}
		l.State = LinkEnding
		if err := a.env.Store.SetLink(ctx, l, LinkInForce); err != nil {
			return fmt.Errorf("write link: %w", err)
		}
		return a.record(ctx, l, l.Account, reason, by)
	})
	if err != nil {
		return Link{}, fmt.Errorf("end link: %w", err)
	}
	return l, nil
}

// brought are the ids of what came with a link: vouchers too, since another member may
// answer for them by now.
func brought(o ledger.Owned) map[uuid.UUID]bool {
	out := map[uuid.UUID]bool{}
	for _, m := range o.Members {
		out[m.ID] = true
	}
	for _, v := range o.Vouchers {
		out[uuid.UUID(v.ID)] = true
	}
	return out
}

// returned are vouchers as they are now, each with who answered for it before it came.
func returned(now, before []loyalty.Voucher) []loyalty.Voucher {
	was := map[loyalty.ID]loyalty.ID{}
	for _, v := range before {
		was[v.ID] = v.Member
	}
	for i, v := range now {
		if m, came := was[v.ID]; came {
			now[i].Member = m
		}
	}
	return now
}

// Link returns one link.
func (a *Accounts) Link(ctx context.Context, id uuid.UUID) (Link, error) {
	return a.env.Store.Link(ctx, id)
}

// Links lists the links from or to an account.
func (a *Accounts) Links(ctx context.Context, account uuid.UUID) ([]Link, error) {
	return a.env.Store.Links(ctx, account)
}
