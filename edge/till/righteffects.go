package till

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// deriveAllowance works out what a step in the life of a right means here. A loan given
// counts like a redemption for a terminal without a witness: it may be spent elsewhere.
func deriveAllowance(seq uint64, at int64, c entry.AllowanceChange) (derived, error) {
	var d derived
	switch c.Op {
	case entry.AllowanceReceived:
		row := rightRow{
			Unit: c.Unit, Amount: c.Amount, EndsAt: c.EndsAt, Source: sourceOf(c), Member: c.Member, Proof: c.Proof,
		}
		return d, d.keepRights(c.Account, c.Right, []rightRow{row})
	case entry.AllowanceReleased:
		return d, d.put(TableUse, idKey(c.Right, seq), []used{{Unit: c.Unit, Released: true, Account: c.Account, At: at}})
	case entry.AllowanceLent:
		errs := []error{
			d.put(TableUse, idKey(c.Parent, seq), []used{{Unit: c.Unit, Amount: c.Amount, LentTill: c.EndsAt, Loan: c.Right, Account: c.Account, At: at}}),
			d.put(TableLoan, c.Right[:], seq),
			d.put(TableSpend, seqKey(seq), spend{All: c.Amount}),
		}
		return d, errors.Join(errs...)
	}
	return d, nil // a newer release wrote it
}

// sourceOf tells a loan by its lender, and what HQ gave for one sale by the grant.
func sourceOf(c entry.AllowanceChange) source {
	if c.From != uuid.Nil {
		return fromLane
	}
	signed, err := wire.Unmarshal[wire.Signed](c.Proof)
	if err != nil {
		return fromGrant
	}
	if g, err := wire.Unmarshal[wire.Grant](signed.Payload); err == nil && g.Asked {
		return fromAsking
	}
	return fromGrant
}

// keepRights adds what this terminal holds under one id, and when to look at it again.
func (d *derived) keepRights(account, id uuid.UUID, rows []rightRow) error {
	errs := []error{d.put(TableRight, key(account[:], id[:]), rows)}
	at := map[int64][]due{}
	for _, row := range rows {
		at[row.EndsAt] = append(at[row.EndsAt], due{account, row.Unit, row.Amount})
	}
	for end, list := range at {
		errs = append(errs, d.put(TableDue, dueKey(end, id), list))
	}
	return errors.Join(errs...)
}

// rights adds what a sale took of rights, and the one it keeps; sign −1 gives back what
// it took.
func (d *derived) rights(seq uint64, at int64, sale entry.Sale, sign int64) error {
	var errs []error
	taken := map[uuid.UUID][]used{}
	for _, r := range sale.Redeemed {
		if r.Right != uuid.Nil {
			taken[r.Right] = append(taken[r.Right], used{Unit: unitOf(r), Amount: sign * r.Amount, Account: sale.Account, At: at})
		}
	}
	for id, uses := range taken {
		errs = append(errs, d.put(TableUse, idKey(id, seq), uses))
	}
	if sign > 0 && len(sale.Kept) > 0 {
		var rows []rightRow
		for _, k := range sale.Kept {
			rows = append(rows, rightRow{Unit: k.Unit, Amount: k.Amount, EndsAt: k.EndsAt, Source: fromSale, Member: sale.Member})
		}
		errs = append(errs, d.keepRights(sale.Account, sale.ID, rows))
	}
	return errors.Join(errs...)
}

// keptOf is what a sale kept of its earnings, by unit. It is part of what the account
// may spend, and no longer of what is on its way to free.
func keptOf(sale entry.Sale) map[string]int64 {
	out := map[string]int64{}
	for _, k := range sale.Kept {
		out[k.Unit] += k.Amount
	}
	return out
}

// releaseKept gives back what is left of the right a sale kept, before its goods come
// back or it is voided: what it earned goes with them. The caller holds the account.
func (t *Till) releaseKept(ctx context.Context, sale entry.Sale) error {
	if len(sale.Kept) == 0 {
		return nil
	}
	return t.releaseUnused(ctx, sale.Account, func(r right) bool { return r.id == sale.ID })
}

// releaseOneOff gives back the rights that were got for a sale that is void now: nobody
// here will need them, and elsewhere they may be missed. The caller holds the account.
func (t *Till) releaseOneOff(ctx context.Context, sale entry.Sale) error {
	cited := map[uuid.UUID]bool{}
	for _, r := range sale.Redeemed {
		if r.Right != uuid.Nil {
			cited[r.Right] = true
		}
	}
	if len(cited) == 0 {
		return nil
	}
	return t.releaseUnused(ctx, sale.Account, func(r right) bool {
		return cited[r.id] && (r.Source == fromAsking || r.Source == fromLane)
	})
}

// releaseUnused releases those rights on an account that nobody here will use any more.
func (t *Till) releaseUnused(ctx context.Context, account uuid.UUID, which func(right) bool) error {
	var rights []right
	err := t.look(ctx, func(l look) (err error) {
		rights, err = t.held(l, account)
		return err
	})
	if err != nil {
		return fmt.Errorf("look for rights to release: %w", err)
	}
	for _, r := range rights {
		if !which(r) {
			continue
		}
		if err := t.release(ctx, r, entry.ReleaseUnused); err != nil {
			return err
		}
	}
	return nil
}

// release journals that a right will not be used any more. The caller holds its account.
func (t *Till) release(ctx context.Context, r right, why entry.ReleaseReason) error {
	left := int64(0)
	if r.received {
		left = max(0, r.left)
	}
	change := r.change(entry.AllowanceReleased, left)
	change.Reason = why
	now, _ := t.time.now()
	if _, err := t.append(ctx, now, entry.KindAllowanceChange, change); err != nil {
		return fmt.Errorf("release right %s: %w", r.id, err)
	}
	return nil
}
