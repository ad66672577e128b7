package settlement

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// setsAtOnce is how many applied sets one transaction follows. A set is at most what one
// run of apply folds in a shard.
const setsAtOnce = 64

// mostTogether bounds how many shards are followed side by side: each waits for the
// database about as long as it adds up.
const mostTogether = 8

// Follow takes in what was applied since it was last called, some shards side by side, and
// returns how many sets that were. One that cannot be followed holds up no other. The moves
// of a run of sets and the cursor behind them are one transaction, so that a posting counts
// once whoever else follows.
func (s *Service) Follow(ctx context.Context) (int, error) {
	behind, err := s.env.Store.SettlementBehind(ctx)
	if err != nil {
		return 0, fmt.Errorf("find what settlement has not followed: %w", err)
	}
	if len(behind) > 0 {
		if err := s.loadPlaces(ctx); err != nil {
			return 0, err
		}
	}
	var all sync.WaitGroup
	var next, done atomic.Int64
	errs := make([]error, len(behind))
	for range min(len(behind), 2*runtime.GOMAXPROCS(0), mostTogether) {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(behind) || ctx.Err() != nil {
					return
				}
				n, err := s.followAll(ctx, behind[i])
				done.Add(int64(n))
				errs[i] = err
			}
		})
	}
	all.Wait()
	return int(done.Load()), errors.Join(append(errs, ctx.Err())...)
}

// followAll follows one shard to its end.
func (s *Service) followAll(ctx context.Context, shard int) (done int, err error) {
	for {
		n, err := s.followShard(ctx, shard)
		if problem.CodeOf(err) == problem.Conflict {
			return done, nil // another process follows it
		}
		if err != nil {
			return done, fmt.Errorf("follow shard %d: %w", shard, err)
		}
		done += n
		if n < setsAtOnce {
			return done, nil
		}
	}
}

func (s *Service) followShard(ctx context.Context, shard int) (followed int, err error) {
	err = s.env.Store.InTx(ctx, func(ctx context.Context) error {
		followed = 0
		at, err := s.env.Store.SettlementCursor(ctx, shard)
		if err != nil {
			return fmt.Errorf("read cursor: %w", err)
		}
		sets, err := s.env.Store.AppliedSets(ctx, shard, at.Pos, setsAtOnce)
		if err != nil || len(sets) == 0 {
			return err
		}
		cuts, err := s.env.Store.SettlementCuts(ctx, shard)
		if err != nil {
			return fmt.Errorf("read cuts: %w", err)
		}
		moves, err := s.movesOf(ctx, shard, sets)
		if err != nil {
			return err
		}
		for i := range moves {
			moves[i].Month = clearing.Period(moves[i].Day, openAt(cuts, moves[i].Pos))
		}
		if err := s.env.Store.AddSettlementMoves(ctx, moves); err != nil {
			return fmt.Errorf("keep moves: %w", err)
		}
		to := at
		to.Pos, followed = sets[len(sets)-1].Pos, len(sets)
		return s.env.Store.MoveSettlementCursor(ctx, at, to)
	})
	return followed, err
}

// openAt is the first month that takes what was applied with a set.
func openAt(cuts []Cut, pos uint64) Month {
	for _, c := range cuts {
		if pos <= c.Pos {
			return c.Month
		}
	}
	if len(cuts) == 0 {
		return 0
	}
	return cuts[len(cuts)-1].Month.Next()
}

// movesOf are the moves that the facts of sets made.
func (s *Service) movesOf(ctx context.Context, shard int, sets []ledger.AppliedSet) ([]clearing.Move, error) {
	facts, err := factsOf(sets)
	if err != nil {
		return nil, err
	}
	sources, err := s.env.Store.FactSources(ctx, shard, facts)
	if err != nil {
		return nil, fmt.Errorf("read applied facts: %w", err)
	}
	where := map[SourceKey]uint64{}
	var keys []Recording
	late := waited{undo: map[SourceKey]bool{}, sold: map[SourceKey]bool{}}
	for i, f := range facts {
		key := SourceKey{ledger.AccountKey{Shard: shard, Account: f.Account}, sources[i].Hash}
		if key.Source == (journal.Hash{}) {
			continue
		}
		if _, known := where[key]; !known {
			where[key] = f.Pos
			keys = append(keys, Recording{key.AccountKey, sources[i].RecordedAt})
			late.undo[key], late.sold[key] = sources[i].undoes(), sources[i].Kind == entry.KindSale
		}
	}
	slices.SortFunc(keys, compareRecordings)
	found, err := s.env.Store.SettlingPostings(ctx, slices.Compact(keys))
	if err != nil {
		return nil, fmt.Errorf("read postings: %w", err)
	}
	found = slices.DeleteFunc(found, func(p ledger.Posting) bool {
		_, ok := where[sourceOf(p)]
		return !ok
	})
	if found, err = s.recordedLater(ctx, shard, found, late); err != nil || len(found) == 0 {
		return nil, err
	}
	r := reading{s: s, shard: shard, postings: found}
	moves, err := r.moves(ctx)
	for i := range moves {
		moves[i].Pos = where[sourceOf(*r.of[i])]
	}
	return moves, err
}

func sourceOf(p ledger.Posting) SourceKey {
	return SourceKey{ledger.AccountKey{Shard: p.Shard, Account: p.Account}, p.Source}
}

// subjectOf is the fact whose effect a posting is.
func subjectOf(p ledger.Posting) SourceKey {
	key := sourceOf(p)
	if p.Corrects != (journal.Hash{}) {
		key.Source = p.Corrects
	}
	return key
}

func compareRecordings(a, b Recording) int {
	return cmp.Or(bytes.Compare(a.Account[:], b.Account[:]), cmp.Compare(a.RecordedAt, b.RecordedAt))
}

// factsOf are the facts of sets that counted for an account.
func factsOf(sets []ledger.AppliedSet) ([]AppliedFact, error) {
	var out []AppliedFact
	for _, set := range sets {
		steps, err := wire.Unmarshal[[]ledger.Step](set.Facts)
		if err != nil {
			return nil, fmt.Errorf("read applied set %d: %w", set.Pos, err)
		}
		for _, step := range steps {
			if len(step.Account) != 16 {
				continue // it posted nothing that belongs to anybody
			}
			f := AppliedFact{Pos: set.Pos, Account: uuid.UUID(step.Account), Epoch: step.Epoch, Seq: step.Seq, Branch: step.Branch}
			copy(f.Writer[:], step.Writer)
			out = append(out, f)
		}
	}
	return out, nil
}

// reading turns postings of one shard into moves.
type reading struct {
	s        *Service
	shard    int
	postings []ledger.Posting
	subjects map[SourceKey]ledger.SourceRow
	sold     map[SourceKey]ledger.SourceRow // the sale that a void or return undoes
	issued   map[ledger.LotKey]issue
	of       []*ledger.Posting // of each move
}

// issue is who issued a lot, and when.
type issue struct {
	store uuid.UUID // zero: the programme
	at    int64
}

func (r *reading) moves(ctx context.Context) ([]clearing.Move, error) {
	if err := r.readSubjects(ctx); err != nil {
		return nil, err
	}
	flows := make([]*clearing.Flow, len(r.postings))
	var lots []ledger.LotKey
	for i, p := range r.postings {
		flow, ok := clearing.FlowOf(clearing.Posting{
			From: p.From, To: p.To, Amount: p.Amount, Lot: p.Lot, Corrects: p.Corrects != (journal.Hash{}),
			Arrival: r.subjects[subjectOf(p)].Kind == entry.KindHQTransferIn,
		})
		if !ok {
			continue
		}
		flows[i] = &flow
		if !flow.Bears {
			lots = append(lots, lotOf(p))
		}
	}
	var err error
	if r.issued, err = r.s.issuers(ctx, lots); err != nil {
		return nil, err
	}
	stores := map[uuid.UUID]bool{}
	for _, p := range r.postings {
		stores[p.Store], stores[r.issued[lotOf(p)].store] = true, true
	}
	if err := r.s.know(ctx, stores); err != nil {
		return nil, err
	}
	var out []clearing.Move
	for i, p := range r.postings {
		if flows[i] == nil {
			continue
		}
		if m, counts := r.move(p, *flows[i]); counts {
			out, r.of = append(out, m), append(r.of, &r.postings[i])
		}
	}
	return out, nil
}

func lotOf(p ledger.Posting) ledger.LotKey {
	return ledger.LotKey{UnitKey: ledger.UnitKey{AccountKey: ledger.AccountKey{Shard: p.Shard, Account: p.Account}, Unit: p.Unit}, Lot: p.Lot}
}

// move is what a posting means; it does not count when both ends are the programme.
func (r *reading) move(p ledger.Posting, flow clearing.Flow) (clearing.Move, bool) {
	var from issue
	if !flow.Bears {
		from = r.issued[lotOf(p)]
	}
	to := p.Store
	if flow.Kind == clearing.KindRepaid {
		to = clearing.Programme
	}
	if from.store == clearing.Programme && to == clearing.Programme {
		return clearing.Move{}, false
	}
	zone := r.s.zone(to)
	if to == clearing.Programme {
		zone = r.s.zone(from.store)
	}
	done, priced := p.EffectiveAt, p.EffectiveAt
	subject := r.subjects[subjectOf(p)]
	if sale, ok := r.sold[subjectOf(p)]; ok && p.EffectiveAt == subject.EffectiveAt {
		priced = sale.EffectiveAt
		if subject.Kind == entry.KindVoid {
			done = priced // as if it had never been
		}
	}
	m := clearing.Move{
		Shard: p.Shard, ID: p.ID, Account: p.Account, RecordedAt: p.RecordedAt,
		Sum: clearing.Sum{
			Kind: flow.Kind, Unit: clearing.UnitOf(p.Unit), FromStore: from.store, ToStore: to, Points: flow.Points,
			ToDay: dayAt(done, zone), Day: dayAt(priced, zone),
		},
	}
	m.FromDay = m.Day
	if from.store != clearing.Programme {
		m.FromDay = dayAt(from.at, r.s.zone(from.store))
	}
	return m, true
}

func dayAt(at int64, zone *time.Location) entry.Date {
	return entry.DateOf(time.UnixMilli(at).In(zone))
}

// readSubjects reads the facts whose effects the postings are, and of those that undo a
// sale the sale.
func (r *reading) readSubjects(ctx context.Context) error {
	keys := map[SourceKey]bool{}
	for _, p := range r.postings {
		keys[subjectOf(p)] = true
	}
	list := make([]SourceKey, 0, len(keys))
	for k := range keys {
		list = append(list, k)
	}
	rows, err := r.s.env.Store.SettlementSources(ctx, list)
	if err != nil {
		return fmt.Errorf("read facts of postings: %w", err)
	}
	r.subjects, r.sold = map[SourceKey]ledger.SourceRow{}, map[SourceKey]ledger.SourceRow{}
	var undoing []ledger.SourceRow
	for _, row := range rows {
		r.subjects[SourceKey{row.AccountKey, row.Source}] = row
		if row.Kind == entry.KindVoid || row.Kind == entry.KindReturn {
			undoing = append(undoing, row)
		}
	}
	if len(undoing) == 0 {
		return nil
	}
	return r.readSales(ctx, undoing)
}

// readSales finds the sale of each fact that undoes one: by its id, or by where its entry
// stands.
func (r *reading) readSales(ctx context.Context, undoing []ledger.SourceRow) error {
	var ids []uuid.UUID
	var placed []ledger.SourceRow
	for _, row := range undoing {
		if row.Subject == uuid.Nil {
			placed = append(placed, row)
			continue
		}
		ids = append(ids, row.Subject)
	}
	named, err := r.s.env.Store.SourcesOfSales(ctx, r.shard, ids)
	if err != nil {
		return fmt.Errorf("read sales that were undone: %w", err)
	}
	for _, row := range undoing {
		for _, sale := range named {
			made := sale.Kind == entry.KindSale || sale.Kind == entry.KindHQClaimed
			if !made || sale.Subject != row.Subject || sale.Account != row.Account {
				continue
			}
			key := SourceKey{row.AccountKey, row.Source}
			if was, ok := r.sold[key]; !ok || sale.EffectiveAt < was.EffectiveAt {
				r.sold[key] = sale
			}
		}
	}
	return r.readPlaced(ctx, placed)
}

// readPlaced finds sales that returns name by the place of their entries.
func (r *reading) readPlaced(ctx context.Context, rows []ledger.SourceRow) error {
	if len(rows) == 0 {
		return nil
	}
	entries, err := r.s.env.Store.SourceEntries(ctx, rows)
	if err != nil {
		return fmt.Errorf("read returns: %w", err)
	}
	for _, row := range rows {
		i := slices.IndexFunc(entries, func(e ledger.Entry) bool { return e.Hash == row.Source })
		if i < 0 {
			continue
		}
		back, err := bodyOf[entry.Return](entries[i].Raw)
		if err != nil {
			return fmt.Errorf("read return: %w", err)
		}
		sale, err := r.s.env.Store.SourceAt(ctx, row.AccountKey, back.Origin, back.OriginEpoch, back.OriginSeq)
		if problem.CodeOf(err) == problem.NotFound {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the sale of a return: %w", err)
		}
		r.sold[SourceKey{row.AccountKey, row.Source}] = sale
	}
	return nil
}
