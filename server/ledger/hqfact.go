package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// foldEarlier folds what happened before the account was opened, if anything did:
// it waits in suspense.
func (l *Ledger) foldEarlier(ctx context.Context, key AccountKey) error {
	rows, err := l.o.Store.AccountSources(ctx, []AccountKey{key})
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	until, graced, err := l.watermark(ctx)
	if err != nil {
		return err
	}
	_, err = l.passTogether(ctx, []AccountKey{key}, Swept{Until: until, Graced: graced})
	return err
}

// lock locks one account and reads what it has, or answers problem.NotFound.
func (l *Ledger) lock(ctx context.Context, key AccountKey) (*account, error) {
	s := newSet()
	if err := l.loadAccounts(ctx, s, []AccountKey{key}); err != nil {
		return nil, err
	}
	a := s.accounts[key.Account]
	if a == nil {
		return nil, problem.Newf(problem.NotFound, "there is no account %s", key.Account)
	}
	return a, nil
}

// Adjust changes a holding by hand, in the caller's transaction: opening balances
// and corrections. Taking more than is free is problem.PointsInsufficient.
func (l *Ledger) Adjust(ctx context.Context, a entry.HQAdjustment) error {
	if a.Amount == 0 || a.Amount > loyalty.MaxAmount || a.Amount < -loyalty.MaxAmount || !pointsUnit(a.Unit) {
		return problem.New(problem.AmountInvalid, "an adjustment has a unit and an amount that is not zero")
	}
	made := func(acct *account) (hqjournal.Fact, error) {
		// What is free now decides, whatever has the same time.
		h := acct.holding(a.Unit).Clone()
		if _, err := h.Vest(l.o.Clock.Now().UnixMilli()); err != nil {
			return hqjournal.Fact{}, err
		}
		if -a.Amount > h.Free {
			return hqjournal.Fact{}, problem.Newf(problem.PointsInsufficient, "%d are free, %d are to be taken", h.Free, -a.Amount)
		}
		return hqjournal.Fact{Kind: entry.KindHQAdjustment, Body: a}, nil
	}
	return l.hqFact(ctx, a.Account, made, foldAdjustment(a))
}

// IssueVoucher gives an account the uses of a voucher, in the caller's
// transaction. A voucher that has been issued is problem.Conflict.
func (l *Ledger) IssueVoucher(ctx context.Context, v loyalty.Voucher, by uuid.UUID) error {
	if v.Uses <= 0 || v.Uses > loyalty.MaxAmount || v.ID == (loyalty.ID{}) {
		return problem.New(problem.InvalidField, "a voucher has an id and at least one use")
	}
	v.Left = v.Uses
	body, err := wire.Marshal(v)
	if err != nil {
		return err
	}
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		row, err := l.voucher(ctx, uuid.UUID(v.Account), uuid.UUID(v.ID))
		if err != nil {
			return err
		}
		if row != nil {
			return problem.New(problem.Conflict, "the voucher has been issued already")
		}
		key := AccountKey{shard.Of(uuid.UUID(v.Account)), uuid.UUID(v.Account)}
		if err := l.o.Store.PutVoucher(ctx, VoucherRow{key, uuid.UUID(v.ID), body}); err != nil {
			return fmt.Errorf("write voucher: %w", err)
		}
		unit := loyalty.UseUnit(uuid.UUID(v.ID).String())
		made := func(a *account) (hqjournal.Fact, error) {
			return hqjournal.Fact{
				Kind: entry.KindHQVoucher, Body: entry.HQRecord{ID: uuid.UUID(v.ID), Version: a.version, Record: body, By: by},
			}, nil
		}
		return l.hqFact(ctx, uuid.UUID(v.Account), made, func(s *set, f *fact, acct *account) error {
			return s.on(f, acct, unit, 0, func(h *loyalty.Holding) ([]loyalty.Move, error) {
				return h.Earn(newLot(f, acct, v.Uses, v.ValidTo), loyalty.BookIssue, f.EffectiveAt)
			})
		})
	})
}

// BlockVoucher blocks a voucher or lifts the block, in the caller's transaction.
func (l *Ledger) BlockVoucher(ctx context.Context, accountID, voucher uuid.UUID, blocked bool, by uuid.UUID) error {
	return l.changeVoucher(ctx, accountID, voucher, by, func(v *loyalty.Voucher) error {
		v.Blocked = blocked
		return nil
	})
}

// RenewVoucher takes back the code of a voucher: tills refuse it, and take the one of the
// next issue. In the caller's transaction.
func (l *Ledger) RenewVoucher(ctx context.Context, accountID, voucher uuid.UUID, by uuid.UUID) error {
	return l.changeVoucher(ctx, accountID, voucher, by, func(v *loyalty.Voucher) error {
		if v.CodeIssue() == ^uint16(0) {
			return problem.New(problem.StateConflict, "the voucher's code was issued 65535 times")
		}
		v.Issue = v.CodeIssue() + 1
		return nil
	})
}

// changeVoucher changes what is said of a voucher, all but its uses, in the caller's
// transaction.
func (l *Ledger) changeVoucher(ctx context.Context, accountID, voucher, by uuid.UUID, change func(*loyalty.Voucher) error) error {
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		made := func(a *account) (hqjournal.Fact, error) {
			row, err := l.voucher(ctx, accountID, voucher) // under the account's lock: others change it, too
			if err != nil {
				return hqjournal.Fact{}, err
			}
			if row == nil {
				return hqjournal.Fact{}, problem.Newf(problem.NotFound, "the account has no voucher %s", voucher)
			}
			v, err := currentVoucher(a, *row)
			if err != nil {
				return hqjournal.Fact{}, err
			}
			if err := change(&v); err != nil {
				return hqjournal.Fact{}, err
			}
			if row.Body, err = wire.Marshal(v); err != nil {
				return hqjournal.Fact{}, err
			}
			if err := l.o.Store.PutVoucher(ctx, *row); err != nil {
				return hqjournal.Fact{}, fmt.Errorf("write voucher: %w", err)
			}
			body := entry.HQRecord{ID: voucher, Version: a.version, Record: row.Body, By: by, Kept: true}
			return hqjournal.Fact{Kind: entry.KindHQVoucher, Body: body}, nil
		}
		// Nothing moves; the voucher's item is published again as it is now.
		return l.hqFact(ctx, accountID, made, func(_ *set, _ *fact, acct *account) error {
			unit := loyalty.UseUnit(voucher.String())
			acct.holding(unit)
			acct.touched[unit] = true
			return nil
		})
	})
}

func (l *Ledger) voucher(ctx context.Context, accountID, voucher uuid.UUID) (*VoucherRow, error) {
	rows, err := l.o.Store.AccountVouchers(ctx, []AccountKey{{shard.Of(accountID), accountID}})
	if err != nil {
		return nil, fmt.Errorf("read vouchers: %w", err)
	}
	for i := range rows {
		if rows[i].Voucher == voucher {
			return &rows[i], nil
		}
	}
	return nil, nil
}

// onlyLot is the id of the one lot a fact of HQ adds.
func onlyLot(f *fact) loyalty.ID { return loyalty.ID(derivedID(f.Hash, "lot/0")) }

// newLot makes the one lot a fact of HQ adds.
func newLot(f *fact, a *account, amount, expiresAt int64) loyalty.Lot {
	lot := loyalty.Lot{ID: onlyLot(f), Amount: amount, EarnedAt: f.EffectiveAt, ExpiresAt: expiresAt}
	a.lotSource[lot.ID] = f.Hash
	return lot
}

// behind is when a fact of HQ stands behind all that its account has seen, and so by
// which it was decided: after the time of the last, unless that is HQ's too.
func (l *Ledger) behind(a *account) int64 {
	if len(a.place) < 24 {
		return 0
	}
	at := int64(binary.BigEndian.Uint64(a.place) ^ 1<<63)
	if writer := hqjournal.WriterOf(l.o.HQ, a.Shard, 0).ID; bytes.Equal(writer[:], a.place[8:24]) {
		return at
	}
	return at + 1
}

// hqFact writes the fact that made gives for the locked account into HQ's journal
// and posts it in the same transaction, under the same keys as a terminal's.
func (l *Ledger) hqFact(ctx context.Context, accountID uuid.UUID, made func(*account) (hqjournal.Fact, error), fold hqFold) error {
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		key := AccountKey{shard.Of(accountID), accountID}
		s := newSet()
		if err := l.loadAccounts(ctx, s, []AccountKey{key}); err != nil {
			return err
		}
		a := s.accounts[accountID]
		if a == nil {
			return problem.Newf(problem.NotFound, "there is no account %s", accountID)
		}
		hf, err := made(a)
		if err != nil {
			return err
		}
		return l.postHQ(ctx, s, []*account{a}, []hqjournal.Fact{hf}, fold)
	})
}

// postHQ writes facts into HQ's journal, one for each of these locked accounts of a set,
// and posts them.
func (l *Ledger) postHQ(ctx context.Context, s *set, accounts []*account, made []hqjournal.Fact, fold hqFold) error {
	for i, a := range accounts {
		made[i].Shard, made[i].NotBefore = a.Shard, l.behind(a)
	}
	written, err := l.o.Journal.Write(ctx, made...)
	if err != nil {
		return err
	}
	facts := make([]fact, len(made))
	for i, a := range accounts {
		facts[i] = factAt(a, made[i], written[i], fold)
		if body, ok := made[i].Body.(entry.HQClaimed); ok {
			facts[i].claims(body)
			if err := l.needRules(ctx, s, &facts[i]); err != nil {
				return err
			}
		}
	}
	if _, err := l.fresh(ctx, facts); err != nil {
		return err
	}
	if err := l.foldSet(ctx, s, facts); err != nil {
		return err
	}
	if err := l.tie(ctx, s, facts); err != nil {
		return err
	}
	if err := l.save(ctx, s); err != nil {
		return err
	}
	return l.record(ctx, s, facts)
}

// factAt is a fact of HQ as its journal has it.
func factAt(a *account, made hqjournal.Fact, at hqjournal.Written, fold hqFold) fact {
	effective := at.RecordedAt
	switch body := made.Body.(type) {
	case entry.HQExpiry:
		effective = body.Until
	case entry.HQDecision:
		effective = body.At
	case entry.HQGrant:
		effective = grantedAt(body, effective)
	}
	return fact{hq: fold, shard: a.Shard, account: a.Account, named: rightOf(made.Body), Entry: Entry{
		Terminal: at.Writer.ID, Epoch: at.Writer.Epoch, Seq: at.Head.Seq, Hash: at.Head.Hash, Kind: made.Kind,
		State: Accepted, Proven: true, OccurredAt: at.RecordedAt, EffectiveAt: effective, RecordedAt: at.RecordedAt,
	}}
}
