package account_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/sync/entry"
)

// rig is an HQ with members who have records.
type rig struct {
	*books.HQ
	accounts *account.Accounts
	rights   map[uuid.UUID]int // that terminals hold, by account
	woken    int
	n        int
	till     *books.Till
	sent     int
}

// units knows points and cups.
type units struct{}

func (units) KnowsUnit(_ context.Context, unit string) (bool, error) {
	return unit == "points" || unit == "cups", nil
}

func (units) CurrentRuleSet(context.Context) (loyalty.RuleSet, error) { return catalogue, nil }

// catalogue is what the programme of every rig knows by now.
var catalogue = loyalty.RuleSet{Version: 3, Currency: "EUR", Units: []loyalty.Unit{{Name: "points"}, {Name: "cups"}}, Earn: books.Rules.Earn}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{HQ: books.New(t)}
	r.accounts = account.New(account.Env{
		Store: r.DB, Ledger: r.Ledger, Journal: r.Journal, Units: units{}, Clock: r.Clock, Wake: func() { r.woken++ },
		Recall: func(_ context.Context, id uuid.UUID) (int, error) { return r.rights[id], nil },
		NewID: func() uuid.UUID {
			r.n++
			return uuid.NewSHA1(r.ID, []byte{byte(r.n >> 16), byte(r.n >> 8), byte(r.n)})
		},
	})
	r.till = r.Till(t, "1")
	r.till.Skip(-time.Hour) // behind head office, as a till offline is
	return r
}

// member opens a member with points and a record, and returns its id.
func (r *rig) member(t books.Failer, name string, points int64) uuid.UUID {
	acct := r.Member(t, name, 0)
	id := uuid.NewSHA1(r.ID, []byte("member "+name))
	err := r.DB.AddMembers(context.Background(), []programme.Member{{ID: id, Account: acct, Reference: name, Salt: id[:], Issue: 1, Version: 1, CreatedAt: books.Start}})
	if err == nil && points > 0 {
		err = r.Ledger.Adjust(context.Background(), entry.HQAdjustment{Account: acct, Unit: "points", Amount: points, Reason: 1, Member: id})
	}
	if err != nil {
		t.Fatalf("member %s: %v", name, err)
	}
	return id
}

// points is what the account of a member has.
func (r *rig) points(t books.Failer, member uuid.UUID) loyalty.Holding {
	return r.Holding(t, r.accountOf(t, member), "points")
}

func (r *rig) accountOf(t books.Failer, member uuid.UUID) uuid.UUID {
	acct, err := r.DB.MemberAccount(context.Background(), member)
	if err != nil {
		t.Fatalf("account of member: %v", err)
	}
	return acct
}

// sell writes a sale of a member under an account, as a till that knows this
// account would.
func (r *rig) sell(t books.Failer, member, acct uuid.UUID, total, redeem int64) uuid.UUID {
	sale := r.till.Sale(t, acct, total, redeem)
	sale.Member = member
	r.till.Write(t, entry.KindSale, sale)
	return sale.ID
}

// sync pushes what is new and applies it.
func (r *rig) sync(t books.Failer) {
	if len(r.till.Entries) > r.sent {
		r.till.Sync(t, r.sent+1)
		r.sent = len(r.till.Entries)
	}
	r.Apply(t)
}

// settle carries out everything that waits.
func (r *rig) settle(t books.Failer) {
	for {
		n, err := r.accounts.Settle(context.Background())
		if err != nil {
			t.Fatalf("settle: %v", err)
		}
		if n == 0 {
			return
		}
	}
}

// clearing is what is in the clearing book.
func (r *rig) clearing(t books.Failer) int64 {
	all, err := r.Ledger.TrialBalance(context.Background())
	if err != nil {
		t.Fatalf("trial balance: %v", err)
	}
	var sum int64
	for _, b := range all {
		if b.Book == loyalty.BookClearing {
			sum += b.Amount
		}
	}
	return sum
}

const hour = time.Hour

func (r *rig) tick() { r.Clock.Advance(time.Second) }

func wantCode(t *testing.T, err error, code problem.Code) {
	t.Helper()
	if problem.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
