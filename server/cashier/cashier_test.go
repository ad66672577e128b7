package cashier_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/cashier"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// rig is HQ's books with two stores and their cashiers. Every policy asks for a manager
// on typed numbers, but for version 2.
type rig struct {
	*books.HQ
	*cashier.Cashiers
	here, there uuid.UUID
	journalled  []byte // the bodies of what HQ's journal was given
}

// Append implements cashier.Journal.
func (r *rig) Append(ctx context.Context, facts ...hqjournal.Fact) error {
	for _, f := range facts {
		raw, err := wire.Marshal(f.Body)
		if err != nil {
			return err
		}
		r.journalled = append(r.journalled, raw...)
	}
	return r.Journal.Append(ctx, facts...)
}

func (r *rig) PolicyOf(_ context.Context, version uint64) (loyalty.Policy, error) {
	p := loyalty.Policy{Version: version}
	if version == 2 {
		p.Keyed = loyalty.FreshnessCaps{PerSale: 100, PerMemberDay: 100}
	}
	return p, nil
}

func newRig(hq *books.HQ) *rig {
	r := &rig{HQ: hq, here: uuid.NewSHA1(hq.ID, []byte("store a")), there: uuid.NewSHA1(hq.ID, []byte("store b"))}
	r.Cashiers = cashier.NewCashiers(cashier.Env{
		Keeper: hq.DB, Journal: r, Policies: r, Clock: hq.Clock, Random: rand.Reader,
		NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		Stores: func(_ context.Context, id uuid.UUID) error {
			if id == r.here || id == r.there {
				return nil
			}
			return problem.New(problem.NotFound, "")
		},
	})
	hq.Ledger.SetWatch(r.Cashiers)
	return r
}

// on runs a test on both engines.
func on(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, newRig(books.New(t))) })
	t.Run("postgres", func(t *testing.T) { fn(t, newRig(books.On(t, pg.Start(t).Database(t), 1))) })
}

func (r *rig) hire(t *testing.T, store uuid.UUID, name string, role wire.CashierRole) cashier.Cashier {
	t.Helper()
	c, err := r.Add(t.Context(), uuid.Nil, cashier.New{Store: store, Name: name, Role: role, PIN: "1234"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// told is what the feed of a store has of its cashiers, and its rules.
func (r *rig) told(t *testing.T, store uuid.UUID) (map[string]wire.Cashier, *loyalty.TillRules) {
	t.Helper()
	page, err := r.Feed.Page(t.Context(), store, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	people, rules := map[string]wire.Cashier{}, (*loyalty.TillRules)(nil)
	for _, it := range page.Items {
		switch it.Kind {
		case wire.ItemCashier:
			c, err := wire.Unmarshal[wire.Cashier](it.Body)
			if err != nil {
				t.Fatal(err)
			}
			people[c.Name] = c
		case wire.ItemTillRules:
			got, err := wire.Unmarshal[loyalty.TillRules](it.Body)
			if err != nil || it.ID != store {
				t.Fatal(it.ID, err)
			}
			rules = &got
		}
	}
	return people, rules
}

func code(err error) problem.Code { return problem.CodeOf(err) }

func TestOnlyTheirOwnStoreIsToldOfCashiers(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		ana, bo := r.hire(t, r.here, " Ana ", wire.RoleCashier), r.hire(t, r.there, "Bo", wire.RoleManager)
		over := int64(500)
		if _, err := r.PutTillRules(t.Context(), uuid.Nil, r.there, loyalty.TillRules{SignIn: true, VoidOver: &over}); err != nil {
			t.Fatal(err)
		}
		here, rules := r.told(t, r.here)
		if len(here) != 1 || here["Ana"].ID != ana.ID || rules != nil {
			t.Errorf("one store is told %+v, %+v", here, rules)
		}
		if ok, err := here["Ana"].PIN.Check("1234"); !ok || err != nil {
			t.Errorf("the PIN told: %v, %v", ok, err)
		}
		there, rules := r.told(t, r.there)
		if len(there) != 1 || there["Bo"].Role != wire.RoleManager || rules == nil || !rules.SignIn || *rules.VoidOver != 500 {
			t.Errorf("the other is told %+v, %+v", there, rules)
		}
		if _, err := r.Cashiers.Cashier(t.Context(), r.here, bo.ID); code(err) != problem.NotFound {
			t.Errorf("another store's cashier: %v", err)
		}
		if _, err := r.Change(t.Context(), uuid.Nil, r.here, bo.ID, cashier.Change{}); code(err) != problem.NotFound {
			t.Errorf("change of another store's cashier: %v", err)
		}
	})
}

func TestCashiersAreChanged(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		ana := r.hire(t, r.here, "Ana", wire.RoleCashier)
		r.hire(t, r.there, "ANA", wire.RoleCashier) // another store's
		r.hire(t, r.here, "Bo", wire.RoleCashier)
		if _, err := r.Add(t.Context(), uuid.Nil, cashier.New{Store: r.here, Name: "aNA", Role: wire.RoleCashier, PIN: "9999"}); code(err) != problem.NameTaken {
			t.Errorf("one name twice: %v", err)
		}
		name, digits := "Bo", "87654321"
		if _, err := r.Change(t.Context(), uuid.Nil, r.here, ana.ID, cashier.Change{Name: &name}); code(err) != problem.NameTaken {
			t.Errorf("renamed to a name that is taken: %v", err)
		}
		r.Clock.Advance(time.Minute)
		changed, err := r.Change(t.Context(), uuid.Nil, r.here, ana.ID, cashier.Change{PIN: &digits})
		if err != nil || changed.Version != 2 || !changed.PINSetAt.After(ana.PINSetAt) {
			t.Fatalf("%+v, %v", changed, err)
		}
		here, _ := r.told(t, r.here)
		if ok, _ := here["Ana"].PIN.Check(digits); !ok {
			t.Error("the tills are not told of the new PIN")
		}
		off := false
		if _, err = r.Change(t.Context(), uuid.Nil, r.here, ana.ID, cashier.Change{Active: &off}); err != nil {
			t.Fatal(err)
		}
		here, _ = r.told(t, r.here)
		if gone := here["Ana"]; gone.Active || len(gone.PIN.Key) != 0 || gone.ID != ana.ID {
			t.Errorf("of one who left the tills are told %+v", gone)
		}
		list, err := r.List(t.Context(), r.here, uuid.Nil, 10)
		if err != nil || len(list) != 2 || list[0].ID != ana.ID || list[0].Active {
			t.Errorf("list %+v, %v", list, err)
		}
		if list, err = r.List(t.Context(), r.here, ana.ID, 10); err != nil || len(list) != 1 || list[0].Name != "Bo" {
			t.Errorf("the next page %+v, %v", list, err)
		}
		r.Verify(t)
	})
}

func TestWhatCannotBeACashier(t *testing.T) {
	r := newRig(books.New(t))
	for pointer, n := range map[string]cashier.New{
		"/name": {Store: r.here, Name: " ", Role: wire.RoleCashier, PIN: "1234"},
		"/role": {Store: r.here, Name: "x", PIN: "1234"},
		"/pin":  {Store: r.here, Name: "x", Role: wire.RoleCashier, PIN: "12a4"},
	} {
		_, err := r.Add(t.Context(), uuid.Nil, n)
		var p *problem.Error
		if code(err) != problem.InvalidField || !errors.As(err, &p) || p.Fields[pointer] == "" {
			t.Errorf("%s: %v", pointer, err)
		}
	}
	if _, err := r.Add(t.Context(), uuid.Nil, cashier.New{Store: uuid.New(), Name: "x", Role: wire.RoleCashier, PIN: "1234"}); code(err) != problem.NotFound {
		t.Errorf("of no store: %v", err)
	}
	under := int64(-1)
	for _, rules := range []loyalty.TillRules{{IdleSeconds: 5}, {IdleSeconds: 1 << 40}, {VoidOver: &under}, {ReturnOver: &under}} {
		if _, err := r.PutTillRules(t.Context(), uuid.Nil, r.here, rules); code(err) != problem.InvalidField {
			t.Errorf("%+v: %v", rules, err)
		}
	}
}

// HQ's journal is read by auditors and kept for ever.
func TestHQsJournalHoldsNoHashOfAPIN(t *testing.T) {
	r := newRig(books.New(t))
	ana := r.hire(t, r.here, "Ana", wire.RoleCashier)
	raw := r.journalled
	if !bytes.Contains(raw, ana.ID[:]) {
		t.Fatal("the journal does not name the cashier")
	}
	if bytes.Contains(raw, ana.PIN.Key) || bytes.Contains(raw, ana.PIN.Salt) {
		t.Error("HQ's journal holds the hash of a PIN")
	}
}

// judged is a till that writes deeds, with what HQ should say of each entry.
type judged struct {
	*rig
	till    *books.Till
	account uuid.UUID
	cashier uuid.UUID
	want    map[int]ledger.ExceptionKind
}

// expect says it of the last entry.
func (j *judged) expect(kind ledger.ExceptionKind) {
	if kind != "" {
		j.want[len(j.till.Entries)] = kind
	}
}

func (j *judged) by(approver uuid.UUID, rules uint64) entry.Hands {
	return entry.Hands{CashierID: j.cashier, Approver: approver, TillRules: rules}
}

// voids writes the void of a sale.
func (j *judged) voids(t *testing.T, hands entry.Hands, total int64, reason entry.VoidReason, kind ledger.ExceptionKind) {
	t.Helper()
	sale := j.till.Sell(t, j.account, total, 0)
	j.till.Write(t, entry.KindVoid, entry.Void{
		ID: uuid.New(), Sale: sale, Account: j.account, Reason: reason, Key: uuid.NewString(), Hands: hands,
		Total: entry.Money{Currency: "EUR", Minor: total},
	})
	j.expect(kind)
}

// redeems writes a sale that redeems on a typed card number.
func (j *judged) redeems(t *testing.T, basis entry.Basis, policy uint64, approver uuid.UUID, kind ledger.ExceptionKind) {
	t.Helper()
	sale := j.till.Sale(t, j.account, 500, 10)
	sale.Freshness, sale.Policy, sale.Hands = entry.FreshnessKeyed, policy, j.by(approver, 0)
	sale.Redeemed[0].Basis = basis
	j.till.Write(t, entry.KindSale, sale)
	j.expect(kind)
}

// check delivers twice, because looking again changes nothing, and compares.
func (j *judged) check(t *testing.T) {
	t.Helper()
	for range 2 {
		j.till.Sync(t, 1)
		j.Apply(t)
	}
	got := map[int]ledger.ExceptionKind{}
	for _, kind := range []ledger.ExceptionKind{ledger.ApprovalMissing, ledger.ApproverInvalid} {
		for _, e := range j.Exceptions(t, kind) {
			got[int(e.Seq)] = e.Kind
			if e.Terminal != j.till.ID || e.Store != j.here || e.State != ledger.ExceptionOpen {
				t.Errorf("%+v", e)
			}
		}
	}
	for seq := range len(j.till.Entries) + 1 {
		if got[seq] != j.want[seq] {
			t.Errorf("entry %d: %q, want %q", seq, got[seq], j.want[seq])
		}
	}
	if n := j.Holding(t, j.account, "points"); n.Free+n.Allowance+n.Pending == 1000 {
		t.Error("the facts did not count")
	}
	j.Verify(t)
}

func TestG5_ApprovalsAreLookedAtAgainAndNothingIsRefused(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		ana, bo := r.hire(t, r.here, "Ana", wire.RoleCashier), r.hire(t, r.here, "Bo", wire.RoleManager)
		stranger := r.hire(t, r.there, "Cy", wire.RoleManager)
		left := r.hire(t, r.here, "Di", wire.RoleManager)
		off, over := false, int64(1000)
		if _, err := r.Change(t.Context(), uuid.Nil, r.here, left.ID, cashier.Change{Active: &off}); err != nil {
			t.Fatal(err)
		}
		rules, err := r.PutTillRules(t.Context(), uuid.Nil, r.here, loyalty.TillRules{VoidOver: &over, ReturnOver: &over})
		if err != nil {
			t.Fatal(err)
		}
		r.Clock.Advance(time.Hour)
		j := &judged{rig: r, till: r.Till(t, "a"), account: r.Member(t, "m", 1000), cashier: ana.ID, want: map[int]ledger.ExceptionKind{}}
		byHand, lost, nobody := entry.VoidCashier, entry.VoidLostAnswer, uuid.Nil
		j.voids(t, j.by(nobody, rules.Version), 1000, byHand, "")
		j.voids(t, j.by(nobody, rules.Version), 1001, byHand, ledger.ApprovalMissing)
		j.voids(t, j.by(nobody, rules.Version), 1001, lost, "")
		j.voids(t, j.by(bo.ID, rules.Version), 1001, byHand, "")
		j.voids(t, j.by(ana.ID, rules.Version), 1001, byHand, ledger.ApproverInvalid)
		j.voids(t, j.by(stranger.ID, rules.Version), 1001, byHand, ledger.ApproverInvalid)
		j.voids(t, j.by(left.ID, rules.Version), 1001, byHand, ledger.ApproverInvalid)
		j.voids(t, j.by(uuid.New(), 0), 1, byHand, ledger.ApproverInvalid)
		j.voids(t, j.by(nobody, 0), 1001, byHand, "")               // the terminal had no rules
		j.voids(t, j.by(nobody, rules.Version+1), 1001, byHand, "") // HQ knows of none such
		j.till.Return(t, entry.Return{Refund: entry.Money{Minor: 1001}, Hands: j.by(nobody, rules.Version)})
		j.expect(ledger.ApprovalMissing)
		j.redeems(t, entry.BasisStandIn, 1, nobody, ledger.ApprovalMissing)
		j.redeems(t, entry.BasisAllowance, 1, nobody, ledger.ApprovalMissing)
		j.redeems(t, entry.BasisStandIn, 1, bo.ID, "")
		j.redeems(t, entry.BasisHQAuthorised, 1, nobody, "")
		j.redeems(t, entry.BasisStandIn, 2, nobody, "")
		j.check(t)
	})
}
