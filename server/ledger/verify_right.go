package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// rights reads the rights of a shard, so that its holdings can be held against them.
func (a *audit) rights(ctx context.Context, in int, b *shardBooks) error {
	rows, err := a.store.AuditRights(ctx, in)
	if err != nil {
		return err
	}
	a.count("rights", int64(len(rows)))
	a.rightsNow = map[AccountKey][]RightRow{}
	for _, r := range rows {
		a.rightsNow[r.AccountKey] = append(a.rightsNow[r.AccountKey], r)
		if !b.accounts[r.AccountKey] {
			a.fail(fmt.Sprintf("%s, right %s", b.where, uuid.UUID(r.ID)), "its account has no facts")
		}
	}
	return nil
}

// sameRights checks that the rights of an account are what its facts give.
func (a *audit) sameRights(where string, folded *account, stored []RightRow) {
	rights := map[RightKey]RightRow{}
	for unit, h := range folded.holdings {
		for _, r := range h.Rights {
			row := RightRow{UnitKey{folded.AccountKey, unit}, r}
			rights[row.key()] = row
		}
	}
	for _, row := range stored {
		// What folding from nothing forgot may be there until a fact touches it.
		if folded, ok := rights[row.key()]; folded != row && (ok || row.End == 0) {
			a.fail(where, "right %s is not what its facts give", uuid.UUID(row.ID))
		}
		delete(rights, row.key())
	}
	if len(rights) > 0 {
		a.fail(where, "%d rights are missing", len(rights))
	}
}
