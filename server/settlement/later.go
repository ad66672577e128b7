package settlement

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
)

// waited are facts whose postings may be recorded later than they are: those that undo a
// sale, and sales, with which is posted what had waited for them.
type waited struct{ undo, sold map[SourceKey]bool }

// recordedLater adds the postings of facts that undo sales and waited for them, and of sales
// those that something recorded later undid at once.
func (s *Service) recordedLater(ctx context.Context, shard int, found []ledger.Posting, late waited) ([]ledger.Posting, error) {
	have, wanted := map[uuid.UUID]bool{}, late.undo
	for _, p := range found {
		have[p.ID], wanted[sourceOf(p)] = true, false
	}
	sales, err := s.undoneLater(ctx, shard, found, late.sold)
	if err != nil {
		return nil, err
	}
	for _, key := range sales {
		wanted[key] = true
	}
	accounts := map[ledger.AccountKey]bool{}
	for key, is := range wanted {
		if is {
			accounts[key.AccountKey] = true
		}
	}
	if len(accounts) == 0 {
		return found, nil
	}
	keys := slices.SortedFunc(maps.Keys(accounts), func(a, b ledger.AccountKey) int { return bytes.Compare(a.Account[:], b.Account[:]) })
	more, err := s.env.Store.SettlingPostingsOf(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read postings of what waited: %w", err)
	}
	for _, p := range more {
		if wanted[sourceOf(p)] && !have[p.ID] {
			found = append(found, p)
		}
	}
	return found, nil
}

// undoneLater are those of the sales with postings that a fact undoes which was recorded
// after them: a return of a till whose clock is slow may stand before its sale, and is then
// posted with it. A sale without such postings has none that come later.
func (s *Service) undoneLater(ctx context.Context, shard int, found []ledger.Posting, sold map[SourceKey]bool) (out []SourceKey, err error) {
	moved := map[SourceKey]bool{}
	for _, p := range found {
		if key := sourceOf(p); sold[key] {
			moved[key] = true
		}
	}
	if len(moved) == 0 {
		return nil, nil
	}
	rows, err := s.env.Store.SettlementSources(ctx, slices.Collect(maps.Keys(moved)))
	if err != nil {
		return nil, fmt.Errorf("read sales: %w", err)
	}
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.Subject
	}
	named, err := s.env.Store.SourcesOfSales(ctx, shard, ids)
	if err != nil {
		return nil, fmt.Errorf("read what undoes sales: %w", err)
	}
	type of struct{ account, sale uuid.UUID }
	undone := map[of]int64{} // when it was recorded last
	for _, row := range named {
		if (FactSource{Kind: row.Kind}).undoes() {
			at := of{row.Account, row.Subject}
			undone[at] = max(undone[at], row.RecordedAt)
		}
	}
	for _, row := range rows {
		if undone[of{row.Account, row.Subject}] > row.RecordedAt {
			out = append(out, SourceKey{row.AccountKey, row.Source})
		}
	}
	return out, nil
}
