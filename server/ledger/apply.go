package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/wire"
)

const (
	// setJournals and setEntries bound what one set takes from how many journals:
	// large sets write an account once for several facts, and in the night each terminal
	// of a chain brings a few.
	setJournals = 128
	setEntries  = 4000
	// aheadOf is how far in the future an entry may lie before somebody must look.
	aheadOf = 24 * time.Hour
	// groupLeast is how many facts are worth a transaction of their own.
	groupLeast = 50
)

// portion is a set that has been read: entries of some journals, those that post
// decoded.
type portion struct {
	journals []Waiting // with the cursor behind the set
	facts    []fact
	beside   []Entry // for others, see [Beside]
	passed   int
}

// Apply applies up to one set of waiting entries and returns how many it passed.
//
// Each group of shards is one transaction that inserts the source keys and posts;
// the cursors move afterwards. A crash in between leaves entries that are read
// again and found applied.
func (l *Ledger) Apply(ctx context.Context) (int, error) {
	p, err := l.read(ctx, nil)
	if err != nil {
		return 0, err
	}
	return l.apply(ctx, p)
}

// ApplySets applies up to so many sets and returns how many entries it passed. It
// reads and decodes a set while the one before is being posted.
func (l *Ledger) ApplySets(ctx context.Context, most int) (int, error) {
	type outcome struct {
		portion
		err error
	}
	passed := 0
	p, err := l.read(ctx, nil)
	for n := 1; err == nil; n++ {
		next := make(chan outcome, 1)
		if n < most && p.passed > 0 {
			go func() {
				p, err := l.read(ctx, p.journals)
				next <- outcome{p, err}
			}()
		} else {
			next <- outcome{}
		}
		done, failed := l.apply(ctx, p)
		passed += done
		after := <-next
		if failed != nil || done < p.passed || after.passed == 0 {
			return passed, errors.Join(failed, after.err)
		}
		p, err = after.portion, after.err
	}
	return passed, err
}

// read reads a set. Of the journals in ahead, entries up to their cursors are being
// posted.
func (l *Ledger) read(ctx context.Context, ahead []Waiting) (portion, error) {
	waiting, err := l.o.Store.WaitingJournals(ctx, setJournals)
	if err != nil {
		return portion{}, fmt.Errorf("find waiting journals: %w", err)
	}
	p := portion{journals: waiting}
	for i := range waiting {
		w := &waiting[i]
		for _, a := range ahead {
			if a.Terminal == w.Terminal && a.Epoch == w.Epoch && a.Branch == w.Branch {
				w.AppliedSeq = max(w.AppliedSeq, a.AppliedSeq)
			}
		}
		room := max(1, (setEntries-p.passed)/(len(waiting)-i)) // what one leaves, the next may take
		entries, err := l.o.Store.WaitingEntries(ctx, *w, room)
		if err != nil {
			return portion{}, fmt.Errorf("read entries of %s: %w", w.Terminal, err)
		}
		for _, e := range entries {
			w.AppliedSeq = e.Seq
			f, ok := factOf(e)
			if ok {
				p.facts = append(p.facts, f)
			}
			if l.wantedBeside(e, f) {
				p.beside = append(p.beside, e)
			}
		}
		p.passed += len(entries)
	}
	return p, nil
}

// apply posts what has been read and moves the cursors.
func (l *Ledger) apply(ctx context.Context, p portion) (int, error) {
	if err := l.takeBeside(ctx, p.beside); err != nil {
		return 0, err
	}
	if err := l.showDeeds(ctx, p.facts); err != nil {
		return 0, err
	}
	facts, err := l.route(ctx, p.facts)
	if err != nil {
		return 0, fmt.Errorf("route entries: %w", err)
	}
	err = l.postAll(ctx, l.groups(facts))
	if errors.Is(err, errRerouted) {
		return 0, nil // what was posted is found applied next time
	}
	if err != nil {
		return 0, fmt.Errorf("post entries: %w", err)
	}
	if l.betweenSteps != nil {
		if err := l.betweenSteps(); err != nil {
			return 0, err
		}
	}
	if p.passed == 0 {
		return 0, nil
	}
	if err := l.o.Store.AdvanceApplied(ctx, p.journals); err != nil {
		return 0, fmt.Errorf("advance cursors: %w", err)
	}
	if err := l.matchReturns(ctx); err != nil {
		return 0, fmt.Errorf("match returns: %w", err)
	}
	return p.passed, nil
}

// groups splits facts by shard, each group in the order of folding: as many as the
// database can write side by side, and more where a transaction may touch few shards.
func (l *Ledger) groups(facts []fact) [][]fact {
	slices.SortStableFunc(facts, func(a, b fact) int { return a.shard - b.shard })
	var starts []int // of each shard
	for i := range facts {
		if i == 0 || facts[i].shard != facts[i-1].shard {
			starts = append(starts, i)
		}
	}
	writers := l.o.Store.Writers()
	if len(facts) < writers*groupLeast {
		writers = 1
	}
	each := max(1, min(l.o.ShardsPerTx, (len(starts)+writers-1)/writers))
	var out [][]fact
	for shards := range slices.Chunk(append(starts, len(facts)), each) {
		from, to := shards[0], len(facts)
		if next := len(out)*each + each; next < len(starts) {
			to = starts[next]
		}
		if from < to {
			out = append(out, facts[from:to])
		}
	}
	for _, group := range out {
		slices.SortStableFunc(group, byEffect)
	}
	return out
}

// postAll posts groups side by side. No two are of one shard, and each takes its locks
// in the same order as every other, so that none waits for another in a circle.
func (l *Ledger) postAll(ctx context.Context, groups [][]fact) error {
	var next atomic.Int64
	errs := make([]error, len(groups))
	var all sync.WaitGroup
	for range min(len(groups), l.o.Store.Writers()) {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(groups) {
					return
				}
				if errs[i] = l.orSetAside(ctx, groups[i], l.post); errs[i] != nil {
					next.Store(int64(len(groups)))
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// post applies the facts of one group in one transaction.
func (l *Ledger) post(ctx context.Context, facts []fact) error {
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		fresh, err := l.fresh(ctx, facts)
		if err != nil || len(fresh) == 0 {
			return err
		}
		s, err := l.load(ctx, fresh)
		if err != nil {
			return err
		}
		if err := l.stillRouted(ctx, fresh); err != nil {
			return err
		}
		if err := l.foldSet(ctx, s, fresh); err != nil {
			return err
		}
		if err := l.await(ctx, fresh); err != nil {
			return err
		}
		if err := l.tie(ctx, s, fresh); err != nil {
			return err
		}
		if err := l.save(ctx, s); err != nil {
			return err
		}
		return l.record(ctx, s, fresh)
	})
}

// fresh inserts the facts' source keys and returns the facts whose key was new. Those it
// was given stay as they are: the transaction may be repeated.
func (l *Ledger) fresh(ctx context.Context, facts []fact) ([]fact, error) {
	facts = slices.Clone(facts)
	if err := l.delay(ctx, facts); err != nil {
		return nil, err
	}
	rows := make([]SourceRow, len(facts))
	for i, f := range facts {
		rows[i] = f.source()
	}
	slices.SortFunc(rows, func(a, b SourceRow) int {
		return compareIDs(a.Shard, uuid.UUID(a.Source[:16]), b.Shard, uuid.UUID(b.Source[:16]))
	})
	added, err := l.o.Store.AddSources(ctx, rows)
	if err != nil {
		return nil, fmt.Errorf("insert sources: %w", err)
	}
	fresh := make([]fact, 0, len(added))
	for _, f := range facts {
		if added[f.Hash] || l.forgetful {
			fresh = append(fresh, f)
		}
	}
	return fresh, nil
}

// load reads everything the facts touch.
func (l *Ledger) load(ctx context.Context, facts []fact) (*set, error) {
	s := newSet()
	accounts := map[AccountKey]bool{}
	for i := range facts {
		f := &facts[i]
		if f.account == uuid.Nil {
			continue
		}
		accounts[f.key()] = true
		if err := l.needRules(ctx, s, f); err != nil {
			return nil, err
		}
	}
	return s, l.loadAccounts(ctx, s, keysOf(accounts))
}

func keysOf(m map[AccountKey]bool) []AccountKey {
	out := make([]AccountKey, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b AccountKey) int { return compareIDs(a.Shard, a.Account, b.Shard, b.Account) })
	return out
}

// loadAccounts locks the accounts that exist and reads holdings and open lots.
func (l *Ledger) loadAccounts(ctx context.Context, s *set, keys []AccountKey) error {
	if len(keys) == 0 {
		return nil
	}
	rows, err := l.o.Store.LockAccounts(ctx, keys)
	if err != nil {
		return fmt.Errorf("lock accounts: %w", err)
	}
	for _, row := range rows {
		marks, err := wire.Unmarshal[[]wire.Mark](row.Marks)
		if err != nil {
			return fmt.Errorf("read marks of account %s: %w", row.Account, err)
		}
		s.accounts[row.Account] = newAccount(row, marks)
	}
	holdings, err := l.o.Store.AccountHoldings(ctx, keys)
	if err != nil {
		return fmt.Errorf("read holdings: %w", err)
	}
	for _, row := range holdings {
		if a := s.accounts[row.Account]; a != nil {
			a.holdings[row.Unit] = &row.Holding
		}
	}
	if err := l.loadRights(ctx, s, keys); err != nil {
		return err
	}
	lots, err := l.o.Store.OpenLots(ctx, keys)
	if err != nil {
		return fmt.Errorf("read lots: %w", err)
	}
	s.addLots(lots)
	return nil
}

func (s *set) addLots(rows []LotRow) {
	for _, row := range rows {
		a := s.accounts[row.Account]
		if a == nil {
			continue
		}
		h := a.holding(row.Unit)
		if h.Lot(row.ID) == nil {
			h.Lots = append(h.Lots, row.Lot)
			a.lotSource[row.ID], a.stored[row.ID] = row.Source, row.Lot
		}
	}
	for _, a := range s.accounts {
		for _, h := range a.holdings {
			h.SortLots()
		}
	}
}

// save writes the set and publishes what edges are told of its accounts.
func (l *Ledger) save(ctx context.Context, s *set) error {
	changes, err := s.changes()
	if err != nil {
		return err
	}
	if err := l.attributeLosses(ctx, changes.Exceptions); err != nil {
		return err
	}
	if err := l.o.Store.SaveChanges(ctx, changes); err != nil {
		return fmt.Errorf("write set: %w", err)
	}
	items, err := l.items(ctx, s)
	if err != nil {
		return err
	}
	return l.o.Feed.Publish(ctx, items...)
}
