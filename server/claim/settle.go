package claim

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// maxUndone bounds the entries of voids and returns that go into one of HQ's, in bytes.
const maxUndone = 24 << 10

// Round looks at the receipts that are due: whose sale has not come, or whose claimer HQ
// did not know.
func (s *Service) Round(ctx context.Context) error {
	due, err := s.o.Store.ClaimsDue(ctx, s.now(), dueAtOnce)
	if err != nil {
		return fmt.Errorf("read receipts that are due: %w", err)
	}
	for _, id := range due {
		err := s.o.Store.InTx(ctx, func(ctx context.Context) error {
			row, found, err := s.o.Store.LockClaim(ctx, id)
			if err != nil || !found {
				return err
			}
			return s.settle(ctx, row)
		})
		if ledger.Broken(err) {
			err = s.o.Store.InTx(ctx, func(ctx context.Context) error {
				row, _, err := s.o.Store.LockClaim(ctx, id)
				if err != nil {
					return err
				}
				return s.postpone(ctx, row)
			})
		}
		if err != nil {
			return fmt.Errorf("settle receipt %s: %w", id, err)
		}
	}
	return nil
}

// settle does what follows from the facts of a locked receipt.
func (s *Service) settle(ctx context.Context, row Row) error {
	facts, err := s.o.Store.ClaimFacts(ctx, row.Claim)
	if err != nil {
		return fmt.Errorf("read facts of receipt: %w", err)
	}
	if row.State == Waiting {
		return s.wait(ctx, row, facts)
	}
	row.DueAt = 0
	for _, f := range facts {
		if f.Kind != Attempt || f.Done {
			continue
		}
		if err := s.judge(ctx, &row, f, facts); err != nil {
			return err
		}
	}
	if row.State == Claimed {
		if facts, err = s.o.Store.ClaimFacts(ctx, row.Claim); err != nil {
			return fmt.Errorf("read facts of receipt: %w", err)
		}
		for _, f := range facts {
			if f.Kind != Undoing || f.Done {
				continue
			}
			if err := s.o.Ledger.UndoClaimed(ctx, f.undoing(), row.Account, row.SaleID); err != nil {
				return err
			}
			if err := s.o.Store.ClaimFactDone(ctx, f); err != nil {
				return err
			}
		}
	}
	return s.o.Store.SetClaim(ctx, row)
}

// undoing is the entry of a void or return as it was stored.
func (f Fact) undoing() ledger.Entry {
	e := f.Entry
	e.Raw, e.State = f.Token, ledger.Accepted
	if env, err := entry.Decode(f.Token); err == nil {
		e.Kind = env.Kind
	}
	return e
}

// wait raises exceptions when the sale of a receipt is too long in coming. The claims go
// on waiting.
func (s *Service) wait(ctx context.Context, row Row, facts []Fact) error {
	if row.DueAt == 0 || s.now() < row.DueAt {
		return nil
	}
	for _, f := range facts {
		if f.Kind != Attempt || f.Done {
			continue
		}
		if err := s.raise(ctx, f, ledger.ClaimUnmet, "the sale of the receipt has not come"); err != nil {
			return err
		}
	}
	row.DueAt = 0
	return s.o.Store.SetClaim(ctx, row)
}

// judge decides about one claim of a receipt whose sale is there.
func (s *Service) judge(ctx context.Context, row *Row, f Fact, facts []Fact) error {
	kind, why, err := s.refusal(ctx, *row, f)
	if err != nil {
		return err
	}
	if kind == "" {
		account, err := s.claimer(ctx, f.Member)
		if err != nil {
			return err
		}
		if account == uuid.Nil { // enrolled at a till that was not heard yet
			row.DueAt = s.now() + againAfter.Milliseconds()
			return nil
		}
		if err := s.give(ctx, row, f, account, facts); err != nil {
			return err
		}
		row.State, row.Member, row.Account = Claimed, f.Member, account
	} else if row.Member != f.Member { // who shows a receipt twice does no harm
		if err := s.raise(ctx, f, kind, why); err != nil {
			return err
		}
	}
	return s.o.Store.ClaimFactDone(ctx, f)
}

// refusal says why a claim gives nothing; an empty kind is a good one.
func (s *Service) refusal(ctx context.Context, row Row, f Fact) (ledger.ExceptionKind, string, error) {
	var token passtoken.Token
	key, err := s.o.Store.TerminalKey(ctx, row.Sale.Terminal, row.Sale.Epoch)
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return "", "", err
	}
	if copy(token[:], f.Token); len(f.Token) != len(token) || token.Pass().Subject != row.Claim || !token.ClaimBy(key) {
		return ledger.ClaimInvalid, "the code was not signed by the terminal that made the sale", nil
	}
	if !f.Entry.Proven {
		return ledger.ClaimInvalid, "claimed at a terminal that was revoked or quarantined", nil
	}
	if row.State == Claimed {
		return ledger.ClaimRepeated, "the receipt had been claimed before", nil
	}
	last, err := s.lastMoment(ctx, row, token)
	if err != nil {
		return "", "", err
	}
	if f.Entry.EffectiveAt >= last {
		return ledger.ClaimExpired, "the receipt could not be claimed any more", nil
	}
	return "", "", nil
}

// lastMoment is when a receipt ends: on the day its code says, no later than the policy
// that the sale cites allows.
func (s *Service) lastMoment(ctx context.Context, row Row, token passtoken.Token) (int64, error) {
	env, err := entry.Decode(row.Sale.Raw)
	if err != nil {
		return 0, err
	}
	sale, err := entry.DecodeBody[entry.Sale](env)
	if err != nil {
		return 0, err
	}
	p, err := s.o.Policies.PolicyOf(ctx, sale.Policy)
	if problem.CodeOf(err) == problem.NotFound {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read policy: %w", err)
	}
	if p.ClaimDays <= 0 {
		return 0, nil
	}
	day, err := passtoken.DayOf(time.UnixMilli(row.Sale.EffectiveAt).AddDate(0, 0, int(p.ClaimDays)))
	if err != nil {
		return 0, nil
	}
	return min(day.End().UnixMilli(), token.Pass().ExpiresOn.End().UnixMilli()), nil
}

// claimer is the account of a member, or nobody's.
func (s *Service) claimer(ctx context.Context, member uuid.UUID) (uuid.UUID, error) {
	accounts, err := s.o.Store.AccountsOfMembers(ctx, []uuid.UUID{member})
	if err != nil {
		return uuid.Nil, fmt.Errorf("find account of member: %w", err)
	}
	if accounts[member] == uuid.Nil {
		return uuid.Nil, nil
	}
	return s.o.Ledger.AccountAt(ctx, accounts[member], s.now())
}

// give lets the account have what the sale earned, less what has come back.
func (s *Service) give(ctx context.Context, row *Row, f Fact, account uuid.UUID, facts []Fact) error {
	env, err := entry.Decode(row.Sale.Raw)
	if err != nil {
		return err
	}
	sale, err := entry.DecodeBody[entry.Sale](env)
	if err != nil {
		return err
	}
	body := entry.HQClaimed{
		Claim: row.Claim, Account: account, Member: f.Member, Sale: sale.ID, Terminal: row.Sale.Terminal, Epoch: row.Sale.Epoch, Seq: row.Sale.Seq,
		Store: row.Sale.Store, Total: sale.Total, RuleSet: sale.RuleSet, OccurredAt: row.Sale.OccurredAt, EffectiveAt: row.Sale.EffectiveAt,
		Unproven: !row.Sale.Proven, By: f.By, Source: f.Source[:],
	}
	for _, line := range sale.Lines {
		line.SKU = ""
		body.Lines = append(body.Lines, line)
	}
	size := 0
	for _, back := range facts {
		if back.Kind != Undoing || back.Done || !back.Entry.Proven || size+len(back.Token) > maxUndone {
			continue
		}
		size += len(back.Token)
		body.Undone = append(body.Undone, back.Token)
		if err := s.o.Store.ClaimFactDone(ctx, back); err != nil {
			return err
		}
	}
	return s.o.Ledger.Claim(ctx, body)
}

func (s *Service) raise(ctx context.Context, f Fact, kind ledger.ExceptionKind, cause string) error {
	e := f.Entry
	return s.o.Store.AddExceptions(ctx, []ledger.Exception{{
		ID: uuid.NewSHA1(uuid.Nil, append(f.Source[:], kind...)), Shard: shard.Of(e.Terminal), Kind: kind, State: ledger.ExceptionOpen, Liable: "store", Cause: cause,
		Source: f.Source, Terminal: e.Terminal, Epoch: e.Epoch, Seq: e.Seq, Store: e.Store, Member: f.Member, OccurredAt: e.OccurredAt, RecordedAt: e.RecordedAt,
	}})
}
