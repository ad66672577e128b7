package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// firstHQKind is the first kind that HQ writes.
const firstHQKind = entry.KindHQStore

// histories reads all there is of accounts, and the rule sets their sales cite.
func (l *Ledger) histories(ctx context.Context, s *set, keys []AccountKey) (map[AccountKey]history, error) {
	out := map[AccountKey]history{}
	if err := l.historyFacts(ctx, s, keys, out); err != nil {
		return nil, err
	}
	postings, err := l.o.Store.AccountPostings(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read postings: %w", err)
	}
	for _, p := range postings {
		h := out[AccountKey{p.Shard, p.Account}]
		h.postings = append(h.postings, p)
		out[AccountKey{p.Shard, p.Account}] = h
	}
	lots, err := l.o.Store.AccountLots(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read lots: %w", err)
	}
	for _, row := range lots {
		h := out[row.AccountKey]
		h.lots = append(h.lots, row)
		out[row.AccountKey] = h
	}
	exceptions, err := l.o.Store.AccountExceptions(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	for _, e := range exceptions {
		h := out[AccountKey{e.Shard, e.Account}]
		h.exceptions = append(h.exceptions, e)
		out[AccountKey{e.Shard, e.Account}] = h
	}
	return out, nil
}

// historyFacts reads the facts of accounts that are not fresh in this set.
func (l *Ledger) historyFacts(ctx context.Context, s *set, keys []AccountKey, out map[AccountKey]history) error {
	rows, err := l.o.Store.AccountSources(ctx, keys)
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	return l.readFacts(ctx, s, rows, out)
}

// readFacts reads the facts of sources that are not fresh in this set.
func (l *Ledger) readFacts(ctx context.Context, s *set, rows []SourceRow, out map[AccountKey]history) error {
	known := slices.DeleteFunc(rows, func(row SourceRow) bool { return s.fresh[countedKey{row.Account, row.Source}] })
	facts, err := l.sourceFacts(ctx, s, known)
	if err != nil {
		return err
	}
	for key, list := range facts {
		h := out[key]
		h.facts = list
		out[key] = h
	}
	return nil
}

// sourceFacts reads the facts of sources, and the rule sets they cite.
func (l *Ledger) sourceFacts(ctx context.Context, s *set, rows []SourceRow) (map[AccountKey][]fact, error) {
	var till, hq []SourceRow
	for _, row := range rows {
		switch {
		case row.Kind >= firstHQKind:
			hq = append(hq, row)
		default:
			till = append(till, row)
		}
	}
	entries, err := l.o.Store.SourceEntries(ctx, till)
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	raws, err := l.o.Store.SourceHQ(ctx, hq)
	if err != nil {
		return nil, fmt.Errorf("read entries of HQ: %w", err)
	}
	byHash := make(map[journal.Hash]Entry, len(entries))
	for _, e := range entries {
		byHash[e.Hash] = e
	}
	out := map[AccountKey][]fact{}
	for _, row := range append(till, hq...) {
		f, err := row.fact(byHash, raws)
		if err != nil {
			return nil, err
		}
		if err := l.needRules(ctx, s, &f); err != nil {
			return nil, err
		}
		out[row.AccountKey] = append(out[row.AccountKey], f)
	}
	return out, nil
}

// fact is the fact of a source whose bytes have been read.
func (r SourceRow) fact(entries map[journal.Hash]Entry, raws map[journal.Hash][]byte) (fact, error) {
	if r.Kind >= firstHQKind {
		f := fact{shard: r.Shard, account: r.Account, Entry: Entry{
			Terminal: r.Writer, Epoch: r.Epoch, Seq: r.Seq, Hash: r.Source, Kind: r.Kind, State: Accepted, Proven: true,
			OccurredAt: r.RecordedAt, EffectiveAt: r.EffectiveAt, RecordedAt: r.RecordedAt, Raw: raws[r.Source],
		}}
		fold, err := foldOf(r.Kind, raws[r.Source])
		if err != nil {
			return f, fmt.Errorf("read fact %s of HQ: %w", r.Source.Short(), err)
		}
		f.hq = tolerant(fold)
		return f, f.readClaim()
	}
	e, ok := entries[r.Source]
	if !ok {
		return fact{}, fmt.Errorf("the entry of source %s is missing", r.Source.Short())
	}
	f, _ := factOf(e)
	f.Entry, f.shard, f.account = e, r.Shard, r.Account
	f.EffectiveAt = r.EffectiveAt
	if f.ret != nil {
		f.of = r.Subject
	}
	return f, nil
}

// needRules reads the rule set that a sale cites, unless the set has it.
func (l *Ledger) needRules(ctx context.Context, s *set, f *fact) error {
	if f.sale == nil || f.Kind != entry.KindHQClaimed && len(f.sale.Earned) == 0 && len(f.sale.Redeemed) == 0 {
		return l.needDecided(ctx, s, f)
	}
	return l.needRuleSet(ctx, s, f.sale.RuleSet)
}

func (l *Ledger) needRuleSet(ctx context.Context, s *set, version uint64) error {
	if _, ok := s.rules[version]; ok {
		return nil
	}
	rules, ok, err := l.ruleSet(ctx, version)
	if err != nil {
		return fmt.Errorf("read rule set %d: %w", version, err)
	}
	if ok {
		s.rules[version] = rules
	}
	return nil
}
