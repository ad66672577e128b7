package settlement

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

// mostJourneys bounds how often points may have moved between accounts.
const mostJourneys = 1000

// issuers says who issued lots. A lot that came from another account has the issuer it had
// there; what HQ gave, the programme issued.
func (s *Service) issuers(ctx context.Context, lots []ledger.LotKey) (map[ledger.LotKey]issue, error) {
	out := map[ledger.LotKey]issue{}
	asked := map[ledger.LotKey][]ledger.LotKey{} // a lot, and those that came of it
	for _, lot := range lots {
		asked[lot] = []ledger.LotKey{lot}
	}
	for range mostJourneys {
		if len(asked) == 0 {
			return out, nil
		}
		keys := make([]ledger.LotKey, 0, len(asked))
		for lot := range asked {
			keys = append(keys, lot)
		}
		facts, err := s.lotFacts(ctx, keys)
		if err != nil {
			return nil, err
		}
		known, before, err := s.issuedBy(ctx, facts)
		if err != nil {
			return nil, err
		}
		next := map[ledger.LotKey][]ledger.LotKey{}
		for lot, came := range asked {
			if from, moved := before[lot]; moved {
				next[from] = append(next[from], came...)
				continue
			}
			for _, c := range came {
				out[c] = known[lot] // the programme when nothing is known
			}
		}
		asked = next
	}
	return nil, fmt.Errorf("find issuers of lots: points moved more than %d times", mostJourneys)
}

// lotFacts says from which fact lots came. One that the account never had, as is known
// now, is not among its lots: the postings that made it are.
func (s *Service) lotFacts(ctx context.Context, keys []ledger.LotKey) (map[ledger.LotKey]ledger.SourceRow, error) {
	facts, err := s.env.Store.LotFacts(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read lots: %w", err)
	}
	gone := map[ledger.LotKey]bool{}
	accounts := map[ledger.AccountKey]bool{}
	for _, k := range keys {
		if _, ok := facts[k]; !ok {
			gone[k], accounts[k.AccountKey] = true, true
		}
	}
	if len(gone) == 0 {
		return facts, nil
	}
	list := make([]ledger.AccountKey, 0, len(accounts))
	for a := range accounts {
		list = append(list, a)
	}
	postings, err := s.env.Store.IssuedLots(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("read how lots were issued: %w", err)
	}
	var sources []SourceKey
	of := map[SourceKey][]ledger.LotKey{}
	for _, p := range postings {
		if lot := lotOf(p); gone[lot] {
			sources = append(sources, subjectOf(p))
			of[subjectOf(p)] = append(of[subjectOf(p)], lot)
		}
	}
	rows, err := s.env.Store.SettlementSources(ctx, sources)
	if err != nil {
		return nil, fmt.Errorf("read how lots were issued: %w", err)
	}
	for _, row := range rows {
		for _, lot := range of[SourceKey{row.AccountKey, row.Source}] {
			facts[lot] = row
		}
	}
	return facts, nil
}

// issuedBy says who issued lots by the facts they came from, and of those that came from
// another account which lot they were there.
func (s *Service) issuedBy(ctx context.Context, facts map[ledger.LotKey]ledger.SourceRow) (map[ledger.LotKey]issue, map[ledger.LotKey]ledger.LotKey, error) {
	var tills, hq []ledger.SourceRow
	for _, f := range facts {
		switch f.Kind {
		case entry.KindSale:
			tills = append(tills, f)
		case entry.KindHQClaimed, entry.KindHQTransferIn:
			hq = append(hq, f)
		}
	}
	stores, err := s.env.Store.EntryStores(ctx, tills)
	if err != nil {
		return nil, nil, fmt.Errorf("read where points were earned: %w", err)
	}
	raw, err := s.env.Store.SourceHQ(ctx, hq)
	if err != nil {
		return nil, nil, fmt.Errorf("read where points came from: %w", err)
	}
	known, before := map[ledger.LotKey]issue{}, map[ledger.LotKey]ledger.LotKey{}
	for lot, f := range facts {
		switch f.Kind {
		case entry.KindSale:
			known[lot] = issue{stores[f.Source], f.EffectiveAt}
		case entry.KindHQClaimed:
			body, err := bodyOf[entry.HQClaimed](raw[f.Source])
			if err != nil {
				return nil, nil, err
			}
			known[lot] = issue{body.Store, f.EffectiveAt}
		case entry.KindHQTransferIn:
			body, err := bodyOf[entry.HQTransfer](raw[f.Source])
			if err != nil {
				return nil, nil, err
			}
			if from, ok := lotBefore(lot, f, body); ok {
				before[lot] = from
			}
		default:
			known[lot] = issue{clearing.Programme, f.EffectiveAt}
		}
	}
	return known, before, nil
}

// lotBefore is the lot that a lot was in the account it came from.
func lotBefore(lot ledger.LotKey, f ledger.SourceRow, t entry.HQTransfer) (ledger.LotKey, bool) {
	n := 0
	for _, u := range t.Units {
		for _, l := range u.Lots {
			if ledger.MovedLotID(f.Source, n) == lot.Lot {
				from := ledger.AccountKey{Shard: shard.Of(t.Other), Account: t.Other}
				return ledger.LotKey{UnitKey: ledger.UnitKey{AccountKey: from, Unit: u.Unit}, Lot: uuid.UUID(l.Lot)}, true
			}
			n++
		}
	}
	return ledger.LotKey{}, false
}

// bodyOf reads the body of an entry.
func bodyOf[T any](raw []byte) (body T, err error) {
	env, err := entry.Decode(raw)
	if err == nil {
		body, err = entry.DecodeBody[T](env)
	}
	if err != nil {
		return body, fmt.Errorf("read entry: %w", err)
	}
	return body, nil
}
