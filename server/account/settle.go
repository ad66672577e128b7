package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// atOnce bounds what one call of Settle takes from each list.
const atOnce = 100

// lookRarely is how often Settle looks for what nothing tells it of: what another
// process left on linked accounts, and units that the catalogue has by now.
const lookRarely = time.Minute

// rare remembers when Settle looked last for what is there rarely.
type rare struct {
	mu     sync.Mutex
	links  time.Time
	units  time.Time
	left   uint64 // what the ledger's count was then
	looked bool   // twice since it was that
}

// Settle carries out what has been decided and is not done: it makes points in the
// clearing book arrive, finishes links, sends on what late facts left on linked
// accounts, books lists, and releases what waits for a unit that is known by now. It returns how many things it did; zero means that
// nothing waits. Any number of processes may call it at once. What fails does not
// keep the rest from being done.
func (a *Accounts) Settle(ctx context.Context) (int, error) {
	done, err := a.settleMoves(ctx)
	for _, step := range []func(context.Context) (int, error){a.settleLinks, a.sweep, a.settleBatches, a.releaseUnits} {
		n, serr := step(ctx)
		done += n
		err = errors.Join(err, serr)
	}
	return done, err
}

func (a *Accounts) settleMoves(ctx context.Context) (int, error) {
	waiting, err := a.env.Store.MovesWaiting(ctx, atOnce)
	if err != nil {
		return 0, fmt.Errorf("find moves: %w", err)
	}
	done := 0
	for _, m := range waiting {
		merr := a.arrive(ctx, m)
		err = errors.Join(err, merr)
		if merr == nil {
			done++
		}
	}
	return done, err
}

func (a *Accounts) settleLinks(ctx context.Context) (int, error) {
	waiting, err := a.env.Store.LinksWaiting(ctx, atOnce)
	if err != nil {
		return 0, fmt.Errorf("find links: %w", err)
	}
	done := 0
	for _, l := range waiting {
		lerr := a.settleLink(ctx, l)
		if problem.CodeOf(lerr) == problem.Conflict {
			continue // another process did it
		}
		err = errors.Join(err, lerr)
		if lerr == nil {
			done++
		}
	}
	return done, err
}

// settleLink tells the stores whose account the members have now, moves the
// points, and closes the step. Each of its parts may be repeated.
func (a *Accounts) settleLink(ctx context.Context, l Link) error {
	owner, was := l.Target, l.State
	if was == LinkEnding {
		owner = l.Account
	}
	if err := a.env.Ledger.Adopt(ctx, owner, l.Owned, l.By); err != nil {
		return fmt.Errorf("link %s: %w", l.ID, err)
	}
	if was == LinkBeginning {
		if _, err := a.empty(ctx, l); err != nil {
			return err
		}
		l.State = LinkInForce
	} else {
		if err := a.giveBack(ctx, l); err != nil {
			return err
		}
		l.State = LinkEnded
	}
	return a.env.Store.SetLink(ctx, l, was)
}

// leftBehind tells whether to look for what is left on linked accounts: after the
// ledger posted there, twice, since it counts before it commits; else rarely.
func (a *Accounts) leftBehind() bool {
	a.rare.mu.Lock()
	defer a.rare.mu.Unlock()
	now, left := a.now(), a.env.Ledger.Left()
	switch {
	case left != a.rare.left:
		a.rare.left, a.rare.looked = left, false
	case !a.rare.looked && !a.rare.links.IsZero():
		a.rare.looked = true
	case now.Sub(a.rare.links) < lookRarely:
		return false
	}
	a.rare.links = now
	return true
}

// releaseUnits releases, now and then, what waits in suspense for a unit that the
// catalogue has by now.
func (a *Accounts) releaseUnits(ctx context.Context) (int, error) {
	a.rare.mu.Lock()
	now := a.now()
	due := now.Sub(a.rare.units) >= lookRarely
	if due {
		a.rare.units = now
	}
	a.rare.mu.Unlock()
	if !due {
		return 0, nil
	}
	rules, err := a.env.Units.CurrentRuleSet(ctx)
	if problem.CodeOf(err) == problem.NotFound {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read catalogue of units: %w", err)
	}
	return a.env.Ledger.ReleaseUnits(ctx, rules)
}

// sweep sends on what facts from before a link, arriving late, left on its account.
func (a *Accounts) sweep(ctx context.Context) (int, error) {
	if !a.leftBehind() {
		return 0, nil
	}
	links, err := a.env.Store.LinksWithLeft(ctx, atOnce)
	if err != nil {
		return 0, fmt.Errorf("find what is left on linked accounts: %w", err)
	}
	done := 0
	for _, l := range links {
		n, lerr := a.empty(ctx, l)
		done += n
		err = errors.Join(err, lerr)
	}
	return done, err
}

// empty moves all a linked account has, member by member, to where the link leads.
func (a *Accounts) empty(ctx context.Context, l Link) (int, error) {
	to, err := a.env.Ledger.AccountAt(ctx, l.Account, always)
	if err != nil {
		return 0, err
	}
	owners, err := a.owners(ctx, l.Account, l.Member)
	if err != nil {
		return 0, err
	}
	legs := 0
	for _, member := range owners.members {
		// Debts go with the link's own member, who comes last.
		own := member == l.Member
		n, err := a.moveAll(ctx, entry.HQTransfer{
			Account: l.Account, Other: to, Member: member, Cause: entry.MoveLink, Link: l.ID, Reason: l.Reason, By: l.By,
		}, ledger.Those(own, func(h journal.Hash) bool { return own || owners.of[h] == member }))
		legs += n
		if err != nil {
			return legs, fmt.Errorf("link %s: %w", l.ID, err)
		}
	}
	return legs, nil
}

// giveBack moves what is left of the points of a link's members to their account.
func (a *Accounts) giveBack(ctx context.Context, l Link) error {
	holder, err := a.env.Ledger.AccountAt(ctx, l.Target, always)
	if err != nil {
		return err
	}
	owners, err := a.owners(ctx, holder, uuid.Nil)
	if err != nil {
		return err
	}
	for _, m := range l.Owned.Members {
		_, err := a.moveAll(ctx, entry.HQTransfer{
			Account: holder, Other: l.Account, Member: m.ID, Cause: entry.MoveUnlink, Link: l.ID, Reason: l.Reason, By: l.By,
		}, ledger.Those(false, func(h journal.Hash) bool { return owners.of[h] == m.ID }))
		if err != nil {
			return fmt.Errorf("end of link %s: %w", l.ID, err)
		}
	}
	return nil
}

// moveAll repeats a move until there is nothing left to choose.
func (a *Accounts) moveAll(ctx context.Context, t entry.HQTransfer, pick ledger.Pick) (int, error) {
	for legs := 0; ; legs++ {
		t.ID = a.env.NewID()
		m, moved, err := a.depart(ctx, t, pick)
		if err != nil || !moved {
			return legs, err
		}
		if a.between != nil {
			if err := a.between(); err != nil {
				return legs, err
			}
		}
		if err := a.arrive(ctx, m); err != nil {
			return legs, err
		}
	}
}

// ownership says which member each source of an account's open lots is of. Members
// end with the one who gets what nobody is named for.
type ownership struct {
	of      map[journal.Hash]uuid.UUID
	members []uuid.UUID
}

func (a *Accounts) owners(ctx context.Context, account, otherwise uuid.UUID) (ownership, error) {
	lots, err := a.env.Ledger.LotSources(ctx, account)
	if err != nil {
		return ownership{}, err
	}
	sources := slices.SortedFunc(maps.Values(lots), func(a, b journal.Hash) int { return bytes.Compare(a[:], b[:]) })
	sources = slices.Compact(sources)
	o := ownership{}
	if o.of, err = a.env.Store.SourceMembers(ctx, account, sources); err != nil {
		return ownership{}, fmt.Errorf("find whose points they are: %w", err)
	}
	seen := map[uuid.UUID]bool{otherwise: true}
	for _, h := range sources {
		if m := o.of[h]; m != uuid.Nil && !seen[m] {
			seen[m] = true
			o.members = append(o.members, m)
		}
	}
	o.members = append(o.members, otherwise)
	return o, nil
}
