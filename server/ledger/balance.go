package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
)

// BalanceAsKnown returns what head office knew at a time (Unix milliseconds) that
// an account had: everything recorded by then. The holdings are without lots.
// The error is problem.NotFound when there is no such account.
func (l *Ledger) BalanceAsKnown(ctx context.Context, accountID uuid.UUID, at int64) ([]loyalty.Holding, error) {
	a, err := l.readAccount(ctx, accountID)
	if err != nil {
		return nil, err
	}
	postings, err := l.o.Store.AccountPostings(ctx, []AccountKey{a.AccountKey})
	if err != nil {
		return nil, fmt.Errorf("read postings: %w", err)
	}
	held := map[string]*loyalty.Holding{}
	for _, p := range postings {
		if p.RecordedAt > at {
			continue
		}
		if held[p.Unit] == nil {
			held[p.Unit] = &loyalty.Holding{Unit: p.Unit}
		}
		count(held[p.Unit], p.From, -p.Amount)
		count(held[p.Unit], p.To, p.Amount)
	}
	return listed(held), nil
}

// count adds an amount to one book of a holding.
func count(h *loyalty.Holding, book loyalty.Book, amount int64) {
	switch book {
	case loyalty.BookFree:
		h.Free += amount
	case loyalty.BookAllowance:
		h.Allowance += amount
	case loyalty.BookPending:
		h.Pending += amount
	case loyalty.BookOverdraft:
		h.Overdraft -= amount
	}
}

// BalanceAsOf returns what an account really had at a time (Unix milliseconds), by
// all that is known now, with its lots. The error is problem.NotFound when there is
// no such account.
func (l *Ledger) BalanceAsOf(ctx context.Context, accountID uuid.UUID, at int64) ([]loyalty.Holding, error) {
	a, err := l.readAccount(ctx, accountID)
	if err != nil {
		return nil, err
	}
	s := newSet()
	s.accounts[accountID] = a
	histories, err := l.histories(ctx, s, []AccountKey{a.AccountKey})
	if err != nil {
		return nil, err
	}
	var facts []fact
	for _, f := range histories[a.AccountKey].facts {
		if f.EffectiveAt <= at {
			facts = append(facts, f)
		}
	}
	r, err := s.foldAll(a.AccountKey, facts, snapshots{})
	if err != nil {
		return nil, problem.Wrap(problem.Internal, err, "the account could not be folded")
	}
	held := r.accounts[accountID].holdings
	for _, h := range held {
		if _, err := h.Advance(at); err != nil {
			return nil, fmt.Errorf("let time pass: %w", err)
		}
	}
	return listed(held), nil
}

func listed(held map[string]*loyalty.Holding) []loyalty.Holding {
	out := make([]loyalty.Holding, 0, len(held))
	for _, unit := range sortedKeys(held) {
		out = append(out, *held[unit])
	}
	return out
}
