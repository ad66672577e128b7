package allowance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

const (
	// longestWait bounds how long a till is kept waiting for other terminals, less what
	// the answer itself takes.
	longestWait = 750 * time.Millisecond
	answerTakes = 50 * time.Millisecond
)

// Authorise answers a till that asks for a one-off right. The same id gets the same
// answer; one that was released before it came is refused. When too little is free and
// other terminals hold rights, these are recalled, and their releases waited for within
// the till's budget.
func (s *Service) Authorise(ctx context.Context, who Lane, r wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
	if r.V < wire.MinVersion || r.V > wire.Version {
		return wire.AuthoriseAnswer{}, problem.Newf(problem.WireVersion, "version %d", r.V)
	}
	if r.Right == uuid.Nil || r.Account == uuid.Nil || r.Unit == "" || r.Amount <= 0 || r.Amount > loyalty.MaxAmount {
		return wire.AuthoriseAnswer{}, problem.New(problem.InvalidField, "a question names a right, an account, a unit and an amount")
	}
	account, err := s.o.Ledger.AccountAt(ctx, r.Account, s.now())
	if err != nil {
		return wire.AuthoriseAnswer{}, err
	}
	policy, err := s.policy(ctx)
	if err != nil {
		return wire.AuthoriseAnswer{}, err
	}
	q := question{who: who, AuthoriseRequest: r, policy: policy}
	q.Account = account
	if q.withheld, err = s.Withheld(ctx); err != nil {
		return wire.AuthoriseAnswer{}, err
	}
	deadline := time.NewTimer(min(time.Duration(r.Budget)*time.Millisecond-answerTakes, longestWait))
	defer deadline.Stop()
	for asked := false; ; {
		changed := s.o.Feed.Changed()
		answer, err := s.answer(ctx, q)
		if err != nil || answer.Refused != string(problem.PointsInsufficient) {
			return answer, err
		}
		if !asked {
			n, err := s.recallFor(ctx, q, r.Amount-answer.Free)
			if err != nil || n == 0 {
				return answer, err
			}
			asked = true
		}
		select {
		case <-changed:
		case <-deadline.C:
			return answer, nil
		case <-ctx.Done():
			return answer, nil
		}
	}
}

// question is what a till asked, with the account that it means.
type question struct {
	wire.AuthoriseRequest
	who      Lane
	policy   loyalty.Policy
	withheld bool
}

// answer decides in one transaction of one shard.
func (s *Service) answer(ctx context.Context, q question) (wire.AuthoriseAnswer, error) {
	var a wire.AuthoriseAnswer
	err := s.o.Ledger.DecideRight(ctx, q.Account, q.Unit, q.Right, func(ctx context.Context, h ledger.Held) (ledger.RightStep, error) {
		a = wire.AuthoriseAnswer{V: wire.Version}
		refused, same := q.judge(h)
		switch {
		case same:
			signed, err := s.signedGrant(ctx, ledger.RightKey{UnitKey: unitKey(q.Account, q.Unit), Right: q.Right})
			a.Grant = signed
			return ledger.RightStep{}, err
		case refused != "":
			a.Refused, a.Free = string(refused), h.Free
			return ledger.RightStep{}, nil
		}
		step, signed, err := s.give(ctx, q.policy, entry.HQGrant{
			Right: q.Right, Account: q.Account, Unit: q.Unit, Amount: q.Amount, Member: q.Member, Asked: true,
			Store: q.who.Store, Terminal: q.who.ID, Epoch: q.who.Epoch,
		}, seconds(q.policy.Rights.OneOffSeconds, defaultOneOff))
		a.Grant = signed
		return step, err
	})
	if problem.CodeOf(err) == problem.NotFound {
		return wire.AuthoriseAnswer{V: wire.Version, Refused: string(problem.MemberUnknown)}, nil
	}
	return a, err
}

// judge says why a question is refused, or that it was answered before.
func (q question) judge(h ledger.Held) (refused problem.Code, same bool) {
	if i := slices.IndexFunc(h.Members, func(m wire.Member) bool { return m.ID == q.Member }); i >= 0 && h.Members[i].Blocked {
		return problem.CodeBlocked, false
	}
	was := h.Right(q.Right)
	switch {
	case was == nil || was.Kind == loyalty.RightUnmade && was.End == loyalty.RightOpen && was.Holder == q.who.ID:
	case was.Holder != q.who.ID || was.Epoch != q.who.Epoch || was.Kind != loyalty.RightUnmade && was.Kind != loyalty.RightAuthorised:
		return problem.Conflict, false
	case was.End != loyalty.RightOpen:
		return problem.RightOver, false
	case was.Amount != q.Amount:
		return problem.Conflict, false
	default:
		return "", true
	}
	switch {
	case q.withheld:
		return problem.RightsWithheld, false
	case h.Free < q.Amount:
		return problem.PointsInsufficient, false
	}
	return "", false
}

func unitKey(account uuid.UUID, unit string) ledger.UnitKey {
	return ledger.UnitKey{AccountKey: ledger.AccountKey{Shard: shard.Of(account), Account: account}, Unit: unit}
}

// give signs a grant that begins now and notes it, in the caller's transaction.
func (s *Service) give(ctx context.Context, p loyalty.Policy, g entry.HQGrant, life int64) (ledger.RightStep, wire.Signed, error) {
	g.GrantedAt, g.Policy = s.now(), p.Version
	g.EndsAt = g.GrantedAt + life
	raw, err := wire.Seal(s.o.Signer, wire.DomainGrant, wire.Grant{
		V: wire.Version, HQ: s.o.HQ, HQEpoch: s.o.HQEpoch, Right: g.Right, Account: g.Account, Unit: g.Unit, Amount: g.Amount, Store: g.Store,
		Terminal: g.Terminal, Epoch: g.Epoch, GrantedAt: g.GrantedAt, EndsAt: g.EndsAt, Policy: g.Policy, Asked: g.Asked, Member: g.Member,
	})
	if err != nil {
		return ledger.RightStep{}, wire.Signed{}, fmt.Errorf("sign grant: %w", err)
	}
	row := Grant{RightKey: ledger.RightKey{UnitKey: unitKey(g.Account, g.Unit), Right: g.Right}, Store: g.Store, Signed: raw, Told: toldGiven}
	if err := s.o.Store.PutGrant(ctx, row); err != nil {
		return ledger.RightStep{}, wire.Signed{}, fmt.Errorf("note grant: %w", err)
	}
	change, err := row.change()
	if err != nil {
		return ledger.RightStep{}, wire.Signed{}, err
	}
	signed, err := wire.Unmarshal[wire.Signed](raw)
	return ledger.RightStep{Grant: &g, Publish: []feed.Change{change}}, signed, err
}

// States of a grant as told.
const (
	toldGiven    = 1
	toldRecalled = 2
	toldClosed   = 3
)

// change is what the store is told of a right. One that is over needs no grant.
func (g Grant) change() (feed.Change, error) {
	item := wire.Allowance{Recalled: g.Told == toldRecalled, Closed: g.Told == toldClosed}
	if len(g.Signed) > 0 && !item.Closed {
		signed, err := wire.Unmarshal[wire.Signed](g.Signed)
		if err != nil {
			return feed.Change{}, fmt.Errorf("read grant %s: %w", g.Right, err)
		}
		item.Grant = signed
	}
	raw, err := wire.Marshal(item)
	return feed.Change{Shard: g.Shard, Scope: g.Store, Item: wire.Item{Kind: wire.ItemAllowance, ID: g.Right, Version: g.Told, Body: raw}}, err
}

func (s *Service) signedGrant(ctx context.Context, key ledger.RightKey) (wire.Signed, error) {
	g, found, err := s.o.Store.Grant(ctx, key)
	if err != nil || !found {
		return wire.Signed{}, fmt.Errorf("read grant %s: %w", key.Right, err)
	}
	return wire.Unmarshal[wire.Signed](g.Signed)
}

// recallFor asks other terminals for rights that may cover what is missing, and returns
// how many it waits for.
func (s *Service) recallFor(ctx context.Context, q question, missing int64) (int, error) {
	key := unitKey(q.Account, q.Unit)
	rows, err := s.o.Store.OpenRights(ctx, []ledger.AccountKey{key.AccountKey})
	if err != nil {
		return 0, fmt.Errorf("read rights: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(r ledger.RightRow) bool {
		return r.Unit != q.Unit || r.Holder == q.who.ID && r.Epoch == q.who.Epoch || r.Left() == 0
	})
	slices.SortFunc(rows, func(a, b ledger.RightRow) int { return int(min(max(b.Left()-a.Left(), -1), 1)) })
	var held int64
	for _, r := range rows {
		held = min(held+r.Left(), loyalty.MaxAmount)
	}
	if held < missing {
		return 0, nil // all of them would not be enough
	}
	waits := 0
	for _, r := range rows {
		if missing <= 0 {
			break
		}
		if err := s.recall(ctx, r, q.Right); err != nil {
			return waits, err
		}
		missing -= r.Left()
		waits++
	}
	return waits, nil
}

// Recall asks terminals for all rights that they hold on an account, and returns how
// many of them are not released yet. None are given on it for a while.
func (s *Service) Recall(ctx context.Context, account uuid.UUID) (int, error) {
	rows, err := s.o.Store.OpenRights(ctx, []ledger.AccountKey{unitKey(account, "").AccountKey})
	if err != nil {
		return 0, fmt.Errorf("read rights: %w", err)
	}
	held := 0
	for _, r := range rows {
		if r.Left() == 0 {
			continue
		}
		if err := s.recall(ctx, r, uuid.Nil); err != nil {
			return held, err
		}
		held++
	}
	return held, nil
}

// recall asks the holder of a right for it, once.
func (s *Service) recall(ctx context.Context, r ledger.RightRow, cause uuid.UUID) error {
	return s.o.Store.InTx(ctx, func(ctx context.Context) error {
		key := ledger.RightKey{UnitKey: r.UnitKey, Right: r.ID}
		g, found, err := s.o.Store.Grant(ctx, key)
		if err != nil {
			return fmt.Errorf("read grant: %w", err)
		}
		if g.Told >= toldRecalled {
			return nil
		}
		if !found {
			g = Grant{RightKey: key, Store: r.Store}
		}
		g.Told, g.RecalledAt = toldRecalled, s.now()
		if err := s.o.Store.PutGrant(ctx, g); err != nil {
			return fmt.Errorf("note recall: %w", err)
		}
		change, err := g.change()
		if err != nil {
			return err
		}
		return s.o.Journal.Append(ctx, hqjournal.Fact{
			Shard: r.Shard, Kind: entry.KindHQRecall, Publish: []feed.Change{change},
			Body: entry.HQRecall{Right: r.ID, Account: r.Account, Unit: r.Unit, At: g.RecalledAt, For: cause},
		})
	})
}
