package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
)

// Exceptions of receipts that are claimed.
const (
	ClaimRepeated ExceptionKind = "claim_repeated" // somebody else had claimed the receipt
	ClaimExpired  ExceptionKind = "claim_expired"  // the receipt's last day was over
	ClaimInvalid  ExceptionKind = "claim_invalid"  // the code was not signed by the sale's terminal, or the claim is not proven
	ClaimUnmet    ExceptionKind = "claim_unmet"    // the receipt's sale has not come
)

// Claim gives an account what a sale without a card earned, in the caller's transaction.
func (l *Ledger) Claim(ctx context.Context, body entry.HQClaimed) error {
	made := func(*account) (hqjournal.Fact, error) {
		return hqjournal.Fact{Kind: entry.KindHQClaimed, Body: body}, nil
	}
	return l.hqFact(ctx, body.Account, made, foldClaimed(body))
}

// UndoClaimed counts a void or a return of a claimed sale for the account that claimed
// it, once.
func (l *Ledger) UndoClaimed(ctx context.Context, e Entry, account, sale uuid.UUID) error {
	f, ok := factOf(e)
	if !ok || !f.undoes() {
		return fmt.Errorf("undo claimed sale: entry %d of %s undoes nothing", e.Seq, e.Terminal)
	}
	stored, err := l.o.Store.EntriesOf(ctx, []EntryKey{{e.Terminal, e.Epoch, e.Seq}})
	if err != nil {
		return fmt.Errorf("read entry: %w", err)
	}
	for _, row := range stored {
		if row.Hash == e.Hash {
			f.Branch = row.Branch // by which a replay finds it
		}
	}
	f.account, f.shard, f.of = account, shardOf(account, e.Terminal), sale
	return l.postRouted(ctx, []fact{f})
}

// claims makes the fact one that makes a sale: of the terminal where it was, then.
func (f *fact) claims(body entry.HQClaimed) {
	f.sale = &entry.Sale{
		ID: body.Sale, Member: body.Member, Account: body.Account, Total: body.Total, RuleSet: body.RuleSet, Lines: body.Lines,
	}
	f.soldAt, f.Store, f.Proven = body.Terminal, body.Store, !body.Unproven
	f.OccurredAt, f.EffectiveAt = body.OccurredAt, body.EffectiveAt
}

// readClaim is claims of a fact whose bytes have been read, if it is one.
func (f *fact) readClaim() error {
	if f.Kind != entry.KindHQClaimed {
		return nil
	}
	env, err := entry.Decode(f.Raw)
	if err != nil {
		return err
	}
	body, err := entry.DecodeBody[entry.HQClaimed](env)
	if err == nil {
		f.claims(body)
	}
	return err
}

// foldClaimed posts the claimed sale, and then what had come back of it by then.
func foldClaimed(body entry.HQClaimed) hqFold {
	return func(s *set, f *fact, _ *account) error {
		f.claims(body)
		for _, e := range given(f, s.rules, body.RuleSet) {
			f.sale.Earned = append(f.sale.Earned, entry.Earning{
				Unit: e.Unit, Amount: e.Amount, Line: e.Line, VestsAt: e.VestsAt, ExpiresAt: e.ExpiresAt,
			})
		}
		if err := s.foldSale(f); err != nil {
			return err
		}
		for _, raw := range body.Undone {
			env, err := entry.Decode(raw)
			if err != nil {
				return err
			}
			back := fact{Entry: f.Entry, shard: f.shard, account: f.account, of: body.Sale}
			back.decode(env)
			back.account = f.account
			back.soldAt = body.Terminal
			if err := s.undo(&back, f); err != nil {
				return err
			}
		}
		return nil
	}
}
