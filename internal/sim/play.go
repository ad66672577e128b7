package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/store"
)

// Tally counts what was played.
type Tally struct {
	Seeds, Events int
	Faults        map[string]int
	Acknowledged  int // sales the POS was told of and HQ has
	Overdrawn     int64
	ForksFound    int
	BothSpoke     int // copies that delivered beside their originals
	BothFound     int // of these, those that HQ named
	Recoveries    int // starts after a crash
	Witnessed     int // copies and rollbacks that lanes of the store named
	Loans         int
	Treats        int // redemptions that must not be refused, and were not
	OnRights      int // redemptions on a right
	Enrolled      int // members made by tills
	Claims        int // receipts shown
	Merges        int
	Ended         int     // passes refused because they had ended
	Worst         float64 // real loss ÷ the figure HQ had shown before, at worst
}

// NewTally counts from zero.
func NewTally() *Tally { return &Tally{Faults: map[string]int{}} }

// Add adds up.
func (t *Tally) Add(o *Tally) {
	t.Seeds += o.Seeds
	t.Events += o.Events
	t.Acknowledged += o.Acknowledged
	t.Overdrawn += o.Overdrawn
	t.ForksFound += o.ForksFound
	t.BothSpoke += o.BothSpoke
	t.BothFound += o.BothFound
	t.Recoveries += o.Recoveries
	t.Witnessed += o.Witnessed
	t.Loans += o.Loans
	t.Treats += o.Treats
	t.OnRights += o.OnRights
	t.Enrolled += o.Enrolled
	t.Claims += o.Claims
	t.Merges += o.Merges
	t.Ended += o.Ended
	t.Worst = max(t.Worst, o.Worst)
	for k, n := range o.Faults {
		t.Faults[k] += n
	}
}

// Total is the number of all faults.
func (t *Tally) Total() int {
	n := 0
	for _, k := range t.Faults {
		n += k
	}
	return n
}

// Result is one world that was played to its end.
type Result struct {
	Seed   uint64
	Trace  string // hash of all that happened
	Failed string // what went wrong first; empty: nothing
	Story  []string
	Tally  *Tally
}

// Play plays the world of a seed.
func Play(ctx context.Context, seed uint64, o Options) Result {
	return play(ctx, seed, o, script(seed, o))
}

func play(ctx context.Context, seed uint64, o Options, events []event) (r Result) {
	w, err := newWorld(ctx, seed, o)
	r = Result{Seed: seed, Tally: NewTally()}
	if w == nil {
		r.Failed = err.Error()
		return r
	}
	defer func() {
		if err := w.close(); err != nil && r.Failed == "" {
			r.Failed = "close: " + err.Error()
		}
	}()
	if err != nil {
		r.Failed = "build the world: " + err.Error()
		return r
	}
	for _, e := range events {
		if w.failed != "" {
			break
		}
		w.do(ctx, e)
		w.tally.Events++
		w.ask(ctx)
	}
	if w.failed == "" {
		w.end(ctx)
	}
	w.tally.Seeds, w.tally.Loans = 1, w.loans
	r.Failed, r.Story, r.Tally = w.failed, w.lines, w.tally
	sum := sha256.Sum256([]byte(strings.Join(w.lines, "\n") + w.digest(ctx)))
	r.Trace = hex.EncodeToString(sum[:8])
	return r
}

// digest is the end of everything, for the trace: the heads of all journals, and HQ's
// figures.
func (w *world) digest(ctx context.Context) string {
	var b strings.Builder
	for _, l := range w.lanes {
		if l.up {
			fmt.Fprintln(&b, l.name, l.journal.Head())
		}
	}
	rows, err := w.hq.look.QueryContext(ctx, `SELECT HEX(id) || amount || from_book || to_book FROM postings ORDER BY 1`)
	if err != nil {
		return err.Error()
	}
	defer rows.Close()
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			return err.Error()
		}
		fmt.Fprintln(&b, row)
	}
	return b.String()
}

// empty opens one more empty database.
func (o Options) empty(dir string) (*store.DB, error) {
	file := filepath.Join(dir, "rebuilt.db")
	if err := os.WriteFile(file, o.Empty, 0o600); err != nil {
		return nil, err
	}
	return store.Open(context.Background(), "sqlite:"+file, store.Options{Readers: 1})
}

// nothing publishes nothing: a ledger that is folded from nothing tells nobody.
type nothing struct{}

func (nothing) Publish(context.Context, ...feed.Change) error { return nil }
