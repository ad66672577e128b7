package ledger

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/sync/journal"
)

// dispute is a change of the exceptions of facts that had been applied.
type dispute struct {
	key     AccountKey
	cause   *fact
	news    map[journal.Hash]bool
	sources map[journal.Hash]bool // whose exceptions were found again
	after   []Exception
}

// disputed raises the exceptions of late facts, and returns nil, when those of all
// other facts stay as they are.
func (s *set) disputed(key AccountKey, t *tail, cause *fact, news map[journal.Hash]bool, before, after []Exception) *dispute {
	count := map[exceptionKey]int{}
	for _, e := range before {
		count[e.key()]++
	}
	for _, e := range after {
		if !news[e.Source] {
			count[e.key()]--
		}
	}
	for _, n := range count {
		if n != 0 {
			d := &dispute{key: key, cause: cause, news: news, after: after, sources: map[journal.Hash]bool{}}
			for i := range t.facts {
				d.sources[t.facts[i].Hash] = true
			}
			return d
		}
	}
	for _, e := range after {
		if news[e.Source] {
			s.exceptions = append(s.exceptions, e)
		}
	}
	return nil
}

// settle withdraws and raises what disputes change, once for all accounts.
func (l *Ledger) settle(ctx context.Context, s *set, disputes []*dispute) error {
	if len(disputes) == 0 {
		return nil
	}
	keys := map[AccountKey]bool{}
	for _, d := range disputes {
		keys[d.key] = true
	}
	stored, err := l.o.Store.AccountExceptions(ctx, keysOf(keys))
	if err != nil {
		return fmt.Errorf("read exceptions: %w", err)
	}
	for _, d := range disputes {
		var before []Exception
		for _, e := range stored {
			if e.Account == d.key.Account && d.sources[e.Source] {
				before = append(before, e)
			}
		}
		s.reopen(d.cause, d.news, before, d.after)
	}
	return nil
}
