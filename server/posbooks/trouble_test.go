package posbooks_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/sync/entry"
)

// sick is a database in which something fails for one store.
type sick struct {
	posbooks.Store
	store                   uuid.UUID
	rows, results, troubles bool
	tries                   int
}

var errSick = errors.New("a page of the table is damaged")

func (s *sick) AddPosRows(ctx context.Context, store uuid.UUID, rows []posbooks.Kept) error {
	if s.rows && store == s.store {
		s.tries++
		return errSick
	}
	return s.Store.AddPosRows(ctx, store, rows)
}

func (s *sick) PutPosResults(ctx context.Context, d posbooks.Day, found []posbooks.Found) error {
	if s.results && d.Store == s.store {
		s.tries++
		return errSick
	}
	return s.Store.PutPosResults(ctx, d, found)
}

func (s *sick) PutPosTrouble(ctx context.Context, t posbooks.Trouble) error {
	if s.troubles {
		return errSick
	}
	return s.Store.PutPosTrouble(ctx, t)
}

// anywhere is a fleet in which every store is like the shop's.
type anywhere struct{ *shop.Shop }

func (a anywhere) Store(_ context.Context, id uuid.UUID) (fleet.Store, error) {
	of := a.Of
	of.ID = id
	return of, nil
}

// ward is a stand with several stores, of which the first is sick.
type ward struct {
	*stand
	db     *sick
	stores []uuid.UUID
}

func newWard(t *testing.T, hq *books.HQ) *ward {
	w := &ward{stand: newStand(t, hq)}
	for n := range 3 {
		w.stores = append(w.stores, uuid.NewSHA1(uuid.Nil, []byte{byte(n)}))
	}
	w.db = &sick{Store: hq.DB, store: w.stores[0]}
	w.serve()
	w.Clock.Advance(24 * time.Hour)
	return w
}

// serve starts head office anew.
func (w *ward) serve() {
	w.books = posbooks.New(posbooks.Env{
		Store: w.db, Fleet: anywhere{w.Shop}, Clock: w.Clock, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		Ends: func(context.Context, uuid.UUID) (time.Duration, error) { return 0, nil }, Virtual: func(string) bool { return false },
	})
}

// queue has a file of each store wait to be read.
func (w *ward) queue(file string) (out []posbooks.Import) {
	w.t.Helper()
	for _, store := range w.stores {
		w.Of.ID = store
		i := w.begin(rules, file)
		_, err := w.books.Run(w.t.Context(), store, i.ID, rules)
		w.must(err)
		out = append(out, i)
	}
	return out
}

func (w *ward) state(i posbooks.Import) posbooks.State {
	w.t.Helper()
	now, err := w.books.Import(w.t.Context(), i.Store, i.ID)
	w.must(err)
	return now.State
}

func (w *ward) trouble(work posbooks.Work) posbooks.Trouble {
	w.t.Helper()
	all, err := w.books.Troubles(w.t.Context(), w.stores[0])
	w.must(err)
	at := slices.IndexFunc(all, func(t posbooks.Trouble) bool { return t.Work == work })
	if at < 0 {
		return posbooks.Trouble{}
	}
	return all[at]
}

const oneSale = head + "1,Lane 1,2026-03-01 10:00,10.00,sale\n"

// A store whose days cannot be matched is tried ever more seldom, says why, holds nobody
// up, and is matched when it can be.
func TestAStoreThatCannotBeMatchedHoldsNobodyUp(t *testing.T) {
	w := newWard(t, books.New(t))
	w.db.results = true
	came := w.queue(oneSale)
	if err := w.books.Round(t.Context()); !errors.Is(err, errSick) {
		t.Fatalf("%v", err)
	}
	for n, i := range came {
		if got := w.state(i); got != posbooks.Finished {
			t.Errorf("store %d: %s", n, got)
		}
		days, err := w.books.Days(t.Context(), i.Store, 20260301, 20260301)
		w.must(err)
		if len(days) != 1 || days[0].Dirty != (n == 0) {
			t.Errorf("store %d: %+v", n, days)
		}
	}
	got := w.trouble(posbooks.WorkMatch)
	for tries := int64(1); tries < 12; tries++ {
		if got.Tries != tries || got.Next.Sub(got.Last) != min(2*time.Second<<(tries-1), 10*time.Minute) || got.Reason == "" {
			t.Errorf("%d: %+v", tries, got)
		}
		w.must(w.books.Round(t.Context())) // not yet
		w.Clock.Advance(got.Next.Sub(w.Clock.Now()))
		if err := w.books.Round(t.Context()); !errors.Is(err, errSick) {
			t.Fatalf("%v", err)
		}
		got = w.trouble(posbooks.WorkMatch)
	}
	w.db.results = false
	w.must(w.books.Again(t.Context(), w.stores[0], 20260301, 20260301)) // a person wants it now
	w.must(w.books.Round(t.Context()))
	if got = w.trouble(posbooks.WorkMatch); got.Tries != 0 {
		t.Errorf("%+v", got)
	}
}

// A file that cannot be kept is put off; a person can cancel it. The files of a store come
// one after the other, so that a correction is not overtaken.
func TestAFileThatCannotBeKeptHoldsNobodyUp(t *testing.T) {
	w := newWard(t, books.New(t))
	w.db.rows = true
	first := w.queue(oneSale)
	second := w.queue(head + "1,Lane 1,2026-03-01 10:00,11.00,sale\n")
	if err := w.books.Round(t.Context()); !errors.Is(err, errSick) {
		t.Fatalf("%v", err)
	}
	if a, b, c := w.state(first[0]), w.state(second[0]), w.state(second[1]); a != posbooks.BeingRead || b != posbooks.Queued || c != posbooks.Finished {
		t.Errorf("%s, %s, %s", a, b, c)
	}
	w.Clock.Advance(3 * time.Second)
	w.must(w.books.Round(t.Context())) // the second file of the sick store waits for the first
	w.Clock.Advance(time.Minute)
	if err := w.books.Round(t.Context()); err == nil || w.db.tries != 2 {
		t.Errorf("%d, %v", w.db.tries, err)
	}
	w.Clock.Advance(time.Minute)
	if i, err := w.books.Cancel(t.Context(), w.stores[0], first[0].ID); err != nil || i.State != posbooks.Cancelled {
		t.Errorf("%+v, %v", i, err)
	}
	w.db.rows = false
	w.must(w.books.Round(t.Context()))
	if got := w.state(second[0]); got != posbooks.Finished || w.trouble(posbooks.WorkImport).Tries != 0 {
		t.Errorf("%s, %+v", got, w.trouble(posbooks.WorkImport))
	}
}

// When the database takes in not even that something failed, the process remembers.
func TestWhatCannotBeNotedIsPutOffAllTheSame(t *testing.T) {
	w := newWard(t, books.New(t))
	w.db.results, w.db.troubles = true, true
	w.queue(oneSale)
	for n, want := range []int{1, 1, 2, 2, 2} {
		_ = w.books.Round(t.Context())
		if w.db.tries != want {
			t.Errorf("round %d: %d tries", n, w.db.tries)
		}
		if n > 0 {
			w.Clock.Advance(time.Second)
		}
		if n == 1 {
			w.Clock.Advance(time.Second)
		}
	}
	w.db.results, w.db.troubles = false, false
	w.serve() // anew, it knows nothing of it
	w.must(w.books.Round(t.Context()))
	if days, err := w.books.Days(t.Context(), w.stores[0], 0, entry.Date(20261231)); err != nil || len(days) != 1 || days[0].Dirty {
		t.Errorf("%+v, %v", days, err)
	}
}
