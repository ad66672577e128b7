package allowance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

const (
	// atOnce bounds how many rights one step of a round changes.
	atOnce = 200
	// shardsAtOnce is in how many shards a round looks for accounts to give rights to.
	shardsAtOnce = 32
)

// quietAfter is how long, in milliseconds, an account is given no rights ahead of need
// after one was recalled: somebody wanted the points.
const quietAfter = 15 * 60 * 1000

// place is an account in a shard.
type place struct {
	shard   int
	account uuid.UUID
}

// left is what a round could not do for accounts that cannot be folded.
type left []error

// out returns an error unless it is about one account only: the others go on, and it is
// named when the round is over.
func (l *left) out(err error) error {
	if ledger.Broken(err) {
		*l = append(*l, err)
		return nil
	}
	return err
}

// Round does once all that HQ does by itself about rights and shares. What it could not
// do for single accounts is its error at the end.
func (s *Service) Round(ctx context.Context) error {
	s.left = nil
	policy, err := s.policy(ctx)
	if err != nil {
		return err
	}
	lanes, err := s.o.Store.Lanes(ctx)
	if err != nil {
		return fmt.Errorf("read terminals: %w", err)
	}
	for _, step := range []struct {
		name string
		do   func(ctx context.Context, p loyalty.Policy, lanes []Lane) error
	}{
		{"split shares", s.splitShares},
		{"hear of shares", s.acknowledge},
		{"take back", s.takeBack},
		{"close", s.tellClosed},
		{"recall", s.recallMany},
		{"give", s.giveMany},
		{"sample", s.sample},
	} {
		if err := step.do(ctx, policy, lanes); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return errors.Join(s.left...)
}

// takeBack takes rights back whose time is over and whose journal HQ knows past it, or
// did not hear of within the grace, and those of terminals that are out.
func (s *Service) takeBack(ctx context.Context, p loyalty.Policy, lanes []Lane) error {
	heard, err := s.heard(ctx, lanes)
	if err != nil {
		return err
	}
	over, err := s.o.Store.RightsOver(ctx, s.now(), atOnce)
	if err != nil {
		return fmt.Errorf("read rights: %w", err)
	}
	holders, err := s.o.Store.Holders(ctx)
	if err != nil {
		return fmt.Errorf("read holders: %w", err)
	}
	for _, h := range holders {
		if of := heard.of(h.ID, h.Epoch); !of.Out && !of.Lost {
			continue
		}
		more, err := s.o.Store.RightsOf(ctx, h.ID, h.Epoch, atOnce)
		if err != nil {
			return fmt.Errorf("read rights: %w", err)
		}
		over = append(over, more...)
	}
	for _, r := range over {
		of := heard.of(r.Holder, r.Epoch)
		if cause, ok := Close(p.Rights, r.HeldRight, of, s.now()); ok {
			if err := s.left.out(s.TakeBack(ctx, r, cause, of.LostBy)); err != nil {
				return err
			}
		}
	}
	return s.resolve(ctx, heard)
}

// known is how far HQ knows every journal, which terminals may hold rights, and which
// are lost.
type known struct {
	journals map[Lane]Heard
	lanes    map[Lane]bool
	lost     map[Lane]uuid.UUID
}

func (s *Service) heard(ctx context.Context, lanes []Lane) (known, error) {
	k := known{journals: map[Lane]Heard{}, lanes: map[Lane]bool{}}
	progress, err := s.o.Ledger.Progress(ctx)
	if err != nil {
		return k, fmt.Errorf("read progress: %w", err)
	}
	for _, p := range progress {
		key := Lane{ID: p.Terminal, Epoch: p.Epoch}
		h, found := k.journals[key]
		complete := p.Watermark >= p.Head.Seq
		if found {
			complete = complete && h.Complete
		}
		k.journals[key] = Heard{Complete: complete, Forked: found || p.Branch > 0, At: p.EffectiveAt}
	}
	retiring, err := s.o.Store.Retiring(ctx)
	if err != nil {
		return k, fmt.Errorf("read terminals: %w", err)
	}
	for _, l := range slices.Concat(lanes, retiring) {
		k.lanes[Lane{ID: l.ID, Epoch: l.Epoch}] = true
	}
	if k.lost, err = s.o.Store.LostLanes(ctx); err != nil {
		return k, fmt.Errorf("read lost terminals: %w", err)
	}
	return k, nil
}

// of is what is known of one epoch of a terminal. One that never wrote has told all.
func (k known) of(terminal uuid.UUID, epoch uint32) Heard {
	key := Lane{ID: terminal, Epoch: epoch}
	h, found := k.journals[key]
	if !found {
		h.Complete = true
	}
	h.Out = !k.lanes[key]
	h.LostBy, h.Lost = k.lost[key]
	return h
}

// TakeBack closes a right that its holder did not release. What was left of it counts as
// exposure while the holder may have used it.
func (s *Service) TakeBack(ctx context.Context, r ledger.RightRow, cause entry.TakeBackCause, by uuid.UUID) error {
	key := ledger.RightKey{UnitKey: r.UnitKey, Right: r.ID}
	err := s.o.Ledger.DecideRight(ctx, r.Account, r.Unit, r.ID, func(ctx context.Context, h ledger.Held) (ledger.RightStep, error) {
		now := h.Right(r.ID)
		if now == nil || now.End != loyalty.RightOpen {
			return ledger.RightStep{}, nil
		}
		if cause.Flagged() && now.Left() > 0 {
			err := s.o.Store.PutTakenBack(ctx, TakenBack{RightKey: key, Lane: Lane{ID: r.Holder, Epoch: r.Epoch, Store: r.Store}, Amount: now.Left(), EndsAt: r.EndsAt})
			if err != nil {
				return ledger.RightStep{}, fmt.Errorf("note what was taken back: %w", err)
			}
		}
		g := Grant{RightKey: key, Store: r.Store, Told: toldClosed}
		change, err := s.tell(ctx, g)
		return ledger.RightStep{
			TakeBack: &entry.HQTakeBack{Right: r.ID, Account: r.Account, Unit: r.Unit, Cause: cause, At: s.now(), By: by},
			Publish:  []feed.Change{change},
		}, err
	})
	if err != nil {
		return fmt.Errorf("take back right %s: %w", uuid.UUID(r.ID), err)
	}
	return nil
}

// tell notes what a store is told of a right from now on.
func (s *Service) tell(ctx context.Context, g Grant) (feed.Change, error) {
	was, found, err := s.o.Store.Grant(ctx, g.RightKey)
	if err != nil {
		return feed.Change{}, fmt.Errorf("read grant: %w", err)
	}
	if found {
		g.Signed, g.Store, g.RecalledAt = was.Signed, was.Store, was.RecalledAt
	}
	if err := s.o.Store.PutGrant(ctx, g); err != nil {
		return feed.Change{}, fmt.Errorf("note grant: %w", err)
	}
	return g.change()
}

// resolve ends the exposure of rights that were taken back, once the journal of their
// holder past their end is known.
func (s *Service) resolve(ctx context.Context, heard known) error {
	all, err := s.o.Store.TakenBack(ctx)
	if err != nil {
		return fmt.Errorf("read what was taken back: %w", err)
	}
	for _, t := range all {
		if h := heard.of(t.ID, t.Epoch); h.Forked || !h.Complete || h.At <= t.EndsAt {
			continue
		}
		if err := s.o.Store.DropTakenBack(ctx, t.RightKey); err != nil {
			return fmt.Errorf("resolve what was taken back: %w", err)
		}
	}
	return nil
}

// tellClosed tells stores of rights that were released.
func (s *Service) tellClosed(ctx context.Context, _ loyalty.Policy, _ []Lane) error {
	for in := range shard.Count {
		grants, err := s.o.Store.GrantsOver(ctx, in, atOnce)
		if err != nil {
			return fmt.Errorf("read grants: %w", err)
		}
		for _, g := range grants {
			err := s.o.Store.InTx(ctx, func(ctx context.Context) error {
				g.Told = toldClosed
				change, err := s.tell(ctx, g)
				if err != nil {
					return err
				}
				return s.o.Feed.Publish(ctx, change)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// recallMany recalls rights for which there are no lots, and those beyond the policy.
func (s *Service) recallMany(ctx context.Context, p loyalty.Policy, _ []Lane) error {
	most := p.Rights.Cap
	if p.Rights.SharePercent <= 0 {
		most = 0
	}
	rows, err := s.o.Store.RightsAbove(ctx, most, atOnce)
	if err != nil {
		return fmt.Errorf("read rights: %w", err)
	}
	bare, err := s.o.Store.RightsUncovered(ctx, atOnce)
	if err != nil {
		return fmt.Errorf("read uncovered rights: %w", err)
	}
	for _, key := range bare {
		open, err := s.o.Store.OpenRights(ctx, []ledger.AccountKey{key.AccountKey})
		if err != nil {
			return fmt.Errorf("read rights: %w", err)
		}
		for _, r := range open {
			// Points kept where they were earned may wait until they vest, if policy says so.
			if r.Unit == key.Unit && r.Left() > 0 && r.Kind != loyalty.RightEarned {
				rows = append(rows, r)
			}
		}
	}
	leaving, err := s.ofRetiring(ctx)
	if err != nil {
		return err
	}
	for _, r := range append(rows, leaving...) {
		if err := s.recall(ctx, r, uuid.Nil); err != nil {
			return err
		}
	}
	return nil
}

// ofRetiring are rights of terminals that are being taken out of service. What they gave
// back is given to other lanes like anything that is free.
func (s *Service) ofRetiring(ctx context.Context) ([]ledger.RightRow, error) {
	lanes, err := s.o.Store.Retiring(ctx)
	if err != nil {
		return nil, fmt.Errorf("read terminals: %w", err)
	}
	var out []ledger.RightRow
	for _, l := range lanes {
		rights, err := s.o.Store.RightsOf(ctx, l.ID, l.Epoch, atOnce)
		if err != nil {
			return nil, fmt.Errorf("read rights: %w", err)
		}
		out = append(out, rights...)
	}
	return out, nil
}

// giveMany gives rights to the accounts of the next shards.
func (s *Service) giveMany(ctx context.Context, p loyalty.Policy, lanes []Lane) error {
	withheld, err := s.Withheld(ctx)
	if err != nil || withheld || p.Rights.SharePercent <= 0 || p.Rights.Cap <= 0 {
		return err
	}
	stores := map[uuid.UUID][]Lane{}
	for _, l := range lanes {
		stores[l.Store] = append(stores[l.Store], l)
	}
	for range shardsAtOnce {
		rows, err := s.o.Store.Rich(ctx, s.at.shard, s.at.account, p.Unit, max(p.Rights.Min, 1), p.Rights.VoucherUses, atOnce)
		if err != nil {
			return fmt.Errorf("read holdings: %w", err)
		}
		for _, row := range rows {
			if err := s.left.out(s.giveAhead(ctx, p, row, stores)); err != nil {
				return err
			}
			s.at.account = row.Account
		}
		if len(rows) == atOnce {
			return nil
		}
		s.at = place{shard: (s.at.shard + 1) % shard.Count}
	}
	return nil
}

// giveAhead gives rights on one holding to the stores where its account shops.
func (s *Service) giveAhead(ctx context.Context, p loyalty.Policy, row ledger.HoldingRow, stores map[uuid.UUID][]Lane) error {
	shops, err := s.o.Store.Shops(ctx, row.AccountKey, shopsMost)
	if err != nil || len(shops) == 0 {
		return err
	}
	recalled, err := s.o.Store.RecalledSince(ctx, row.AccountKey, s.now()-quietAfter)
	if err != nil || recalled {
		return err
	}
	open, err := s.o.Store.OpenRights(ctx, []ledger.AccountKey{row.AccountKey})
	if err != nil {
		return fmt.Errorf("read rights: %w", err)
	}
	life := seconds(p.Rights.LifeSeconds, defaultLife)
	has := map[uuid.UUID]int64{}
	for _, r := range open {
		// One that ends soon is renewed, which is another right beside it.
		if r.Unit == row.Unit && (r.EndsAt == 0 || r.EndsAt-s.now() > life/4) {
			has[r.Store] += r.Left()
		}
	}
	rights := p.Rights
	if row.Unit != p.Unit { // a use is not cut in parts
		rights.SharePercent, rights.Min = 100, 1
	}
	for _, want := range Plan(rights, row.Free, row.Allowance, shops, has) {
		lane, ok := Holder(row.Account, stores[want.Store])
		if !ok {
			continue
		}
		right := s.o.NewID()
		err := s.o.Ledger.DecideRight(ctx, row.Account, row.Unit, right, func(ctx context.Context, h ledger.Held) (ledger.RightStep, error) {
			if h.Free < want.Amount {
				return ledger.RightStep{}, nil // spent meanwhile
			}
			step, _, err := s.give(ctx, p, entry.HQGrant{
				Right: right, Account: row.Account, Unit: row.Unit, Amount: want.Amount, Store: lane.Store, Terminal: lane.ID, Epoch: lane.Epoch,
			}, life)
			return step, err
		})
		if err != nil {
			return fmt.Errorf("give right: %w", err)
		}
	}
	return nil
}
