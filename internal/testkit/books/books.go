package books

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/sync/wire"
)

// Start is where the clock of every HQ begins.
var Start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// Rules is the one rule set, version 1: a point for every 100 cents, cups vest
// after 14 days.
var Rules = loyalty.RuleSet{Version: 1, Currency: "EUR", Earn: []loyalty.EarnRule{
	{Unit: "points", Points: 1, Per: 100, ExpireMonths: 12},
	{Unit: "cups", Points: 1, Per: 1000, VestDays: 14},
}}

// Brisk is rule set version 2, for what must come due within days: points that live
// for a day after the last activity, cups that vest after a day, and stamps for
// coffee only, for each 5 euros begun.
var Brisk = loyalty.RuleSet{Version: 2, Currency: "EUR", Earn: []loyalty.EarnRule{
	{Unit: "points", Points: 1, Per: 100, RollDays: 1},
	{Unit: "cups", Points: 1, Per: 1000, VestDays: 1},
	{Unit: "stamps", Points: 1, Per: 500, Category: "coffee", Rounding: loyalty.RoundUp},
}}

// HQ is a ledger with everything around it.
type HQ struct {
	DB      *store.DB
	Feed    *feed.Feed
	Journal *hqjournal.Journal
	Ledger  *ledger.Ledger
	Ingest  *ingest.Service
	Clock   *clock.Fake
	ID      uuid.UUID
	Keys    keys.Set
	Signer  keys.Signer

	// More are rule sets besides Rules and Brisk; set before facts that cite them come.
	More []loyalty.RuleSet

	mu          sync.Mutex
	quarantined map[uuid.UUID]bool
	tills       map[uuid.UUID]ingest.Terminal
}

// New returns an HQ on a new SQLite database that ends with the test.
func New(t testing.TB) *HQ {
	t.Helper()
	return On(t, blank.SQLite(t), 0)
}

// On returns an HQ on the database at dsn, which it migrates.
func On(t testing.TB, dsn string, shardsPerTx int) *HQ {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	signer, err := keys.NewSigner(keys.Public{
		ID: 1, Use: keys.UseStatement, NotBefore: Start.AddDate(-1, 0, 0), NotAfter: Start.AddDate(20, 0, 0),
	}, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	h := &HQ{
		DB: db, Clock: clock.NewFake(Start), ID: uuid.NewSHA1(uuid.Nil, []byte("hq")), Signer: signer,
		Keys: keys.Set{Version: 1, Keys: []keys.Public{signer.Public}}, quarantined: map[uuid.UUID]bool{}, tills: map[uuid.UUID]ingest.Terminal{},
	}
	h.Feed = feed.New(db, h.ID, 1)
	h.Journal = hqjournal.New(db, h.Feed, h.Clock, h.ID, 1, signer)
	h.Ledger = ledger.New(ledger.Options{
		Store: db, Journal: h.Journal, Feed: h.Feed, Rules: h, Clock: h.Clock, HQ: h.ID, ShardsPerTx: shardsPerTx,
	})
	h.Ingest = ingest.New(ingest.Options{
		Store: db, Fleet: h, Journal: h.Journal, HQ: h.ID, HQEpoch: 1, Signer: signer, Retain: time.Hour,
	})
	return h
}

// RuleSet implements ledger.RuleSets.
func (h *HQ) RuleSet(_ context.Context, version uint64) (loyalty.RuleSet, bool, error) {
	if version == Brisk.Version {
		return Brisk, true, nil
	}
	for _, r := range h.More {
		if r.Version == version {
			return r, true, nil
		}
	}
	return Rules, version == Rules.Version, nil
}

// Policy implements ledger.RuleSets: there is one, and it says nothing.
func (h *HQ) Policy(context.Context, uint64) (loyalty.Policy, bool, error) {
	return loyalty.Policy{}, true, nil
}

// Deliverer implements ingest.Fleet. Every till of this HQ is known in every epoch.
func (h *HQ) Deliverer(_ context.Context, id uuid.UUID, _ uint32) (ingest.Terminal, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	till, known := h.tills[id]
	if !known {
		return ingest.Terminal{}, problem.New(problem.NotEnrolled, "no such till")
	}
	return till, nil
}

// Quarantine implements ingest.Fleet.
func (h *HQ) Quarantine(_ context.Context, terminal uuid.UUID, _ string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.quarantined[terminal] = true
	return nil
}

// Quarantined reports whether a terminal has been put in quarantine.
func (h *HQ) Quarantined(terminal uuid.UUID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.quarantined[terminal]
}

// Member opens a member whose account has some points, and returns its account.
func (h *HQ) Member(t Failer, name string, points int64) uuid.UUID {
	ctx := context.Background()
	id := uuid.NewSHA1(h.ID, []byte("member "+name))
	account := uuid.NewSHA1(h.ID, []byte("account "+name))
	err := h.Ledger.PutMember(ctx, wire.Member{ID: id, Account: account, Issue: 1}, uuid.Nil, nil)
	if err == nil && points > 0 {
		err = h.Adjust(account, points)
	}
	if err != nil {
		t.Fatalf("member %s: %v", name, err)
	}
	return account
}

// Failer is what a test of the standard library and one of rapid share.
type Failer interface {
	Fatalf(format string, args ...any)
}

// Apply applies everything that waits.
func (h *HQ) Apply(t Failer) {
	for {
		n, err := h.Ledger.Apply(context.Background())
		if err != nil {
			t.Fatalf("apply: %v", err)
		}
		if n == 0 {
			return
		}
	}
}

// Holding returns what an account has of a unit.
func (h *HQ) Holding(t Failer, account uuid.UUID, unit string) loyalty.Holding {
	a, err := h.Ledger.Account(context.Background(), account)
	if err != nil {
		t.Fatalf("read account: %v", err)
	}
	for _, holding := range a.Holdings {
		if holding.Unit == unit {
			return holding
		}
	}
	return loyalty.Holding{Unit: unit}
}

// Exceptions returns all exceptions of a kind.
func (h *HQ) Exceptions(t Failer, kind ledger.ExceptionKind) []ledger.Exception {
	list, _, err := h.Ledger.Exceptions(context.Background(), ledger.ExceptionFilter{Kind: kind}, "", 0)
	if err != nil {
		t.Fatalf("list exceptions: %v", err)
	}
	return list
}

// Verify fails the test when verification finds anything.
func (h *HQ) Verify(t Failer) {
	report, err := h.Ledger.Verify(context.Background(), h.Keys)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	if !report.OK() {
		t.Fatalf("verification found %v", report.Failures)
	}
}
