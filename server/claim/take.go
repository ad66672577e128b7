package claim

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// Kinds implements ledger.Beside. Of sales and voids it is handed those without account.
func (s *Service) Kinds() []entry.Kind {
	return []entry.Kind{entry.KindSale, entry.KindVoid, entry.KindClaim}
}

// Take implements ledger.Beside. Taking an entry again changes nothing.
func (s *Service) Take(ctx context.Context, entries []ledger.Entry) error {
	for _, e := range entries {
		err := s.take(ctx, e, s.settle)
		if ledger.Broken(err) { // the account that claims cannot be folded; nobody else waits for that
			err = s.take(ctx, e, s.postpone)
		}
		if err != nil {
			return fmt.Errorf("take in entry %d of %s: %w", e.Seq, e.Terminal, err)
		}
	}
	return nil
}

// then is what is done about a receipt of which there is news.
type then func(ctx context.Context, row Row) error

// postpone has a receipt looked at again later.
func (s *Service) postpone(ctx context.Context, row Row) error {
	row.DueAt = s.now() + againAfter.Milliseconds()
	return s.o.Store.SetClaim(ctx, row)
}

func (s *Service) take(ctx context.Context, e ledger.Entry, then then) error {
	env, err := entry.Decode(e.Raw)
	if err != nil {
		return nil // changed since it came; verification names that
	}
	switch e.Kind {
	case entry.KindSale:
		sale, err := entry.DecodeBody[entry.Sale](env)
		if err != nil || !claimable(sale) {
			return nil
		}
		return s.sold(ctx, e, sale, then)
	case entry.KindVoid:
		void, err := entry.DecodeBody[entry.Void](env)
		if err != nil {
			return nil
		}
		return s.undone(ctx, e, void.Sale, then)
	case entry.KindClaim:
		c, err := entry.DecodeBody[entry.Claim](env)
		if err != nil {
			return nil
		}
		return s.add(ctx, Fact{Claim: c.Claim, Kind: Attempt, Source: e.Hash, Member: c.Member, Token: c.Token, Entry: e}, true, then)
	}
	return nil
}

// claimable says whether a sale's receipt may be claimed at all.
func claimable(sale entry.Sale) bool {
	return sale.Claim != uuid.Nil && sale.Claim == entry.ClaimOf(sale.ID) && sale.Account == uuid.Nil && sale.Member == uuid.Nil && len(sale.Redeemed) == 0
}

// sold notes the sale of a receipt.
func (s *Service) sold(ctx context.Context, e ledger.Entry, sale entry.Sale, then then) error {
	return s.o.Store.InTx(ctx, func(ctx context.Context) error {
		row, found, err := s.o.Store.LockClaim(ctx, sale.Claim)
		if err != nil || found && row.State != Waiting {
			return err // of two entries with one sale id the first one counts
		}
		was := row
		row = Row{Claim: sale.Claim, State: Open, SaleID: sale.ID, Sale: e}
		if !found {
			return s.o.Store.AddClaim(ctx, row)
		}
		row.DueAt = was.DueAt
		if err := s.o.Store.SetClaim(ctx, row); err != nil {
			return err
		}
		return then(ctx, row)
	})
}

// Undone implements ledger.Beside: a void or return of a sale without account.
func (s *Service) Undone(ctx context.Context, e ledger.Entry, sale uuid.UUID) error {
	return s.undone(ctx, e, sale, s.settle)
}

func (s *Service) undone(ctx context.Context, e ledger.Entry, sale uuid.UUID, then then) error {
	return s.add(ctx, Fact{Claim: entry.ClaimOf(sale), Kind: Undoing, Source: e.Hash, Token: e.Raw, Entry: e}, false, then)
}

// add notes a fact of a receipt, and settles it or not. What undoes a sale that cannot be
// claimed is nothing to note.
func (s *Service) add(ctx context.Context, f Fact, make bool, then then) error {
	return s.o.Store.InTx(ctx, func(ctx context.Context) error {
		row, found, err := s.o.Store.LockClaim(ctx, f.Claim)
		if err != nil || !found && !make {
			return err
		}
		if !found {
			row = Row{Claim: f.Claim, State: Waiting, DueAt: s.now() + waitFor.Milliseconds()}
			if err := s.o.Store.AddClaim(ctx, row); err != nil {
				return err
			}
		}
		if err := s.o.Store.AddClaimFact(ctx, f); err != nil {
			return err
		}
		return then(ctx, row)
	})
}

// ByHand claims a receipt for a member at HQ, by its code. It says how the receipt stands
// then; problem.Conflict means that somebody else has claimed it. Claiming again for the
// same member changes nothing.
func (s *Service) ByHand(ctx context.Context, by, member uuid.UUID, code string) (Row, error) {
	token, _, err := passtoken.ReadClaim(code, s.o.Clock.Now(), nil)
	if err != nil {
		return Row{}, err
	}
	id := token.Pass().Subject
	source := journal.Hash(sha256.Sum256(append(append([]byte("tallystick claim by hand v1\x00"), token[:]...), member[:]...)))
	now := s.now()
	var row Row
	err = s.o.Store.InTx(ctx, func(ctx context.Context) error {
		known, err := s.o.Store.AccountsOfMembers(ctx, []uuid.UUID{member})
		if err != nil {
			return err
		}
		if known[member] == uuid.Nil {
			return problem.New(problem.NotFound, "there is no such member")
		}
		e := ledger.Entry{Hash: source, Proven: true, OccurredAt: now, EffectiveAt: now, RecordedAt: now}
		if err := s.add(ctx, Fact{Claim: id, Kind: Attempt, Source: source, Member: member, By: by, Token: token[:], Entry: e}, true, s.settle); err != nil {
			return err
		}
		row, _, err = s.o.Store.LockClaim(ctx, id)
		return err
	})
	if err != nil {
		return Row{}, fmt.Errorf("claim receipt: %w", err)
	}
	return row, nil
}
