package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/sync/entry"
)

// life is a random life of an HQ: tills that deliver late and in pieces, members
// that are opened after their first sale, gifts, merges, lists, and time that passes.
type life struct {
	*books.HQ
	*rand.Rand
	t        *testing.T
	accounts *account.Accounts
	tills    []*books.Till
	sent     []int
	members  []uuid.UUID
	own      []uuid.UUID // the account each member began with
	unopened []string
	sales    []boughtAt
	batches  []uuid.UUID
	links    []uuid.UUID
	rights   []lifeRight
	plain    bool // without rights, as an earlier release lived
}

type lifeRight struct {
	id, account uuid.UUID
	till        *books.Till
	left        int64
}

type boughtAt struct {
	entry.Sale
	till *books.Till
	seq  uint64
}

type anyUnit struct{}

func (anyUnit) KnowsUnit(context.Context, string) (bool, error) { return true, nil }

func (anyUnit) CurrentRuleSet(context.Context) (loyalty.RuleSet, error) {
	return loyalty.RuleSet{}, problem.New(problem.NotFound, "no rules")
}

func newLife(t *testing.T, hq *books.HQ, seed uint64) *life {
	r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // a test that can be repeated
	l := &life{HQ: hq, Rand: r, t: t}
	ids := 0
	l.accounts = account.New(account.Env{
		Store: hq.DB, Ledger: hq.Ledger, Journal: hq.Journal, Units: anyUnit{}, Clock: hq.Clock, Wake: func() {},
		NewID: func() uuid.UUID { ids++; return uuid.NewSHA1(hq.ID, fmt.Appendf(nil, "%d/%d", seed, ids)) },
	})
	for i := range 3 {
		l.tills = append(l.tills, hq.Till(t, fmt.Sprint(i)))
		l.tills[i].Skip(-time.Hour)
	}
	l.sent = make([]int, len(l.tills))
	for i := range 4 {
		l.open(fmt.Sprint("early", i), int64(60*i))
	}
	l.unopened = []string{"late0", "late1"}
	return l
}

// open opens a member with points and a record.
func (l *life) open(name string, points int64) {
	acct := l.Member(l.t, name, points)
	id := uuid.NewSHA1(l.ID, []byte("member "+name))
	err := l.DB.AddMembers(context.Background(), []programme.Member{{ID: id, Account: acct, Reference: name, Salt: id[:], Issue: 1, Version: 1, CreatedAt: books.Start}})
	if err != nil {
		l.t.Fatal(err)
	}
	l.members, l.own = append(l.members, id), append(l.own, acct)
}

// ok fails the test for an error that is no refusal.
func (l *life) ok(err error) bool {
	switch problem.CodeOf(err) {
	case problem.AccountSame, problem.PointsInsufficient, problem.StateConflict, problem.AmountInvalid:
		return false
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return true
}

// account is one that exists, or that of a member who will be opened later.
func (l *life) account() uuid.UUID {
	if len(l.unopened) > 0 && l.IntN(4) == 0 {
		return uuid.NewSHA1(l.ID, []byte("account "+l.unopened[0]))
	}
	return l.own[l.IntN(len(l.own))]
}

func (l *life) step() {
	till := l.tills[l.IntN(len(l.tills))]
	l.Clock.Advance(time.Duration(1+l.IntN(3)) * time.Hour)
	till.Skip(time.Duration(l.IntN(3)) * time.Hour)
	kinds := 15
	if l.plain {
		kinds = 12
	}
	switch l.IntN(kinds) {
	case 0, 1, 2, 3, 4:
		l.sell(till)
	case 5:
		l.undo(till)
	case 6:
		l.give()
	case 7:
		l.link()
	case 8:
		l.list()
	case 9:
		if len(l.unopened) > 0 && l.IntN(2) == 0 {
			l.open(l.unopened[0], 10)
			l.unopened = l.unopened[1:]
		}
	case 10:
		if _, err := l.Ledger.Sweep(context.Background()); err != nil {
			l.t.Fatal(err)
		}
	case 11:
		l.ok(l.Adjust(l.own[l.IntN(len(l.own))], int64(l.IntN(80)-50)))
	default:
		l.right(till)
	}
	if l.IntN(3) == 0 {
		l.deliver(l.IntN(len(l.tills)), 1+l.IntN(6))
	}
	if l.IntN(2) == 0 {
		l.Apply(l.t)
		l.settle()
	}
}

func (l *life) sell(till *books.Till) {
	rules := []loyalty.RuleSet{books.Rules, books.Brisk, books.Brisk}[l.IntN(3)]
	sale := till.Basket(l.t, l.account(), rules, max(0, int64(l.IntN(90)-30)),
		entry.Line{No: 1, Quantity: 3000, Amount: int64(100 + l.IntN(3000)), Category: "coffee"},
		entry.Line{No: 2, Quantity: 1000, Amount: int64(100 + l.IntN(3000))})
	if len(l.sales) > 0 && l.IntN(10) == 0 {
		sale.ID = l.sales[l.IntN(len(l.sales))].ID
	}
	till.Write(l.t, entry.KindSale, sale)
	l.sales = append(l.sales, boughtAt{sale, till, uint64(len(till.Entries))})
}

// right gives, spends, lends, releases or takes back a right, also beyond what it has.
func (l *life) right(till *books.Till) {
	if len(l.rights) == 0 || l.IntN(3) == 0 {
		r := lifeRight{uuid.NewSHA1(l.ID, fmt.Appendf(nil, "right %d", len(l.rights))), l.own[l.IntN(len(l.own))], till, int64(1 + l.IntN(60))}
		grant := entry.HQGrant{
			Right: r.id, Account: r.account, Unit: "points", Amount: r.left, Store: till.Store, Terminal: till.ID, Epoch: 1,
			GrantedAt: l.Clock.Now().UnixMilli(), EndsAt: l.Clock.Now().Add(time.Hour).UnixMilli(),
		}
		if len(l.rights)%4 == 3 { // HQ had lost it, and was shown it
			grant.Adopted, grant.GrantedAt = true, l.Clock.Now().Add(-30*time.Minute).UnixMilli()
		}
		l.decide(r, ledger.RightStep{Grant: &grant})
		l.rights = append(l.rights, r)
		return
	}
	r := &l.rights[l.IntN(len(l.rights))]
	change := entry.AllowanceChange{Right: r.id, Account: r.account, Unit: "points"}
	switch l.IntN(6) {
	case 0:
		change.Op, change.Reason = entry.AllowanceReleased, entry.ReleaseRecalled
		r.till.Write(l.t, entry.KindAllowanceChange, change)
	case 1:
		causes := []entry.TakeBackCause{entry.TakeBackEnded, entry.TakeBackGrace, entry.TakeBackLost, entry.TakeBackReplaced}
		l.decide(*r, ledger.RightStep{TakeBack: &entry.HQTakeBack{Right: r.id, Account: r.account, Unit: "points", Cause: causes[l.IntN(4)]}})
	case 2:
		loan := lifeRight{uuid.NewSHA1(l.ID, fmt.Appendf(nil, "right %d", len(l.rights))), r.account, till, 1 + r.left/2}
		change.Op, change.Right, change.Parent, change.Amount, change.To, change.ToEpoch = entry.AllowanceLent, loan.id, r.id, loan.left, till.ID, 1
		r.till.Write(l.t, entry.KindAllowanceChange, change)
		l.rights = append(l.rights, loan)
	default:
		sale := r.till.Sale(l.t, r.account, 500, int64(1+l.IntN(40)))
		sale.Redeemed[0].Right, sale.Redeemed[0].Basis = r.id, entry.BasisAllowance
		r.till.Write(l.t, entry.KindSale, sale)
		l.sales = append(l.sales, boughtAt{sale, r.till, uint64(len(r.till.Entries))})
	}
}

func (l *life) decide(r lifeRight, step ledger.RightStep) {
	l.ok(l.Ledger.DecideRight(context.Background(), r.account, "points", r.id, func(context.Context, ledger.Held) (ledger.RightStep, error) {
		return step, nil
	}))
}

func (l *life) undo(till *books.Till) {
	if len(l.sales) == 0 {
		return
	}
	sale := l.sales[l.IntN(len(l.sales))]
	lines := []entry.ReturnLine{{No: uint16(1 + l.IntN(2)), Quantity: int64(1+l.IntN(2)) * 1000}}
	switch l.IntN(5) {
	case 0:
		sale.till.Void(l.t, sale.ID, sale.Account)
	case 1:
		till.Return(l.t, entry.Return{Sale: sale.ID, Lines: lines})
	case 2:
		till.Return(l.t, entry.Return{Origin: sale.till.ID, OriginEpoch: 1, OriginSeq: sale.seq, Refund: entry.Money{Minor: 300}})
	case 3:
		till.Return(l.t, entry.Return{Sale: uuid.NewSHA1(l.ID, []byte("nowhere")), Refund: entry.Money{Minor: 300}})
	default:
		sale.till.Return(l.t, entry.Return{Sale: sale.ID, Origin: sale.till.ID, OriginEpoch: 1, OriginSeq: sale.seq, Account: sale.Account, Matched: true, Lines: lines})
	}
}

func (l *life) give() {
	_, err := l.accounts.Give(context.Background(), uuid.Nil, account.Gift{
		From: l.members[l.IntN(len(l.members))], To: l.members[l.IntN(len(l.members))], Unit: "points", Amount: int64(1 + l.IntN(60)), Reason: 2,
	})
	l.ok(err)
}

func (l *life) link() {
	if len(l.links) > 0 && l.IntN(2) == 0 {
		_, err := l.accounts.End(context.Background(), uuid.Nil, l.links[l.IntN(len(l.links))], 3)
		l.ok(err)
		return
	}
	link, err := l.accounts.Merge(context.Background(), uuid.Nil, l.members[l.IntN(len(l.members))], l.members[l.IntN(len(l.members))], 3)
	if l.ok(err) {
		l.links = append(l.links, link.ID)
	}
}

func (l *life) list() {
	ctx := context.Background()
	if len(l.batches) > 0 && l.IntN(2) == 0 {
		_, err := l.accounts.Undo(ctx, uuid.Nil, l.batches[len(l.batches)-1])
		l.ok(err)
		return
	}
	b, err := l.accounts.Preview(ctx, uuid.Nil, 3, []account.Wanted{
		{Member: l.members[0], Unit: "points", Amount: 30}, {Member: l.members[l.IntN(len(l.members))], Unit: "points", Amount: -20},
	})
	if err == nil {
		_, err = l.accounts.Commit(ctx, uuid.Nil, b.ID, true)
	}
	if l.ok(err) {
		l.batches = append(l.batches, b.ID)
	}
}

// deliver pushes up to n entries of a till.
func (l *life) deliver(till, n int) {
	first, last := l.sent[till]+1, min(l.sent[till]+n, len(l.tills[till].Entries))
	if first > last {
		return
	}
	if _, err := l.tills[till].Push(first, last); err != nil {
		l.t.Fatal(err)
	}
	l.sent[till] = last
}

func (l *life) settle() {
	for {
		n, err := l.accounts.Settle(context.Background())
		if err != nil {
			l.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func (l *life) end() {
	for till := range l.tills {
		l.deliver(till, len(l.tills[till].Entries))
	}
	l.Apply(l.t)
	l.settle()
}

// rebuilt replays the journals of an HQ into a new SQLite database and returns what
// differs.
func rebuilt(t *testing.T, hq *books.HQ) (same int64, found []store.Difference) {
	t.Helper()
	ctx := context.Background()
	again := books.On(t, "sqlite:"+filepath.Join(t.TempDir(), "again.db"), 0)
	if err := hq.DB.CopyLog(ctx, again.DB); err != nil {
		t.Fatal(err)
	}
	done, err := again.Ledger.Replay(ctx, hq.DB)
	if err != nil || done.Unordered+done.Missed > 0 {
		t.Fatalf("replayed %+v, %v", done, err)
	}
	same, err = hq.DB.Compare(ctx, again.DB, true, func(d store.Difference) error {
		found = append(found, d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return same, found
}

// The journals in their recorded order give every row of the ledger again, after a
// random life with late facts, returns, moves, merges, lists and sweeps; and a row
// that was changed behind the ledger's back is found and named.
func TestG7_RebuildIsRowForRow(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		l := newLife(t, books.On(t, dsn, shardsPerTx), 11)
		for range 250 {
			l.step()
		}
		l.end()
		l.Verify(t)
		same, found := rebuilt(t, l.HQ)
		if len(found) > 0 || same < 1000 {
			t.Fatalf("%d rows are the same, %d differ, the first: %+v", same, len(found), found[0])
		}
		for _, statement := range []string{
			"UPDATE holdings SET free = free + 1 WHERE account = (SELECT account FROM holdings ORDER BY account LIMIT 1)",
			"UPDATE lots SET expires_at = expires_at + 1 WHERE lot = (SELECT lot FROM lots ORDER BY lot LIMIT 1)",
			"UPDATE postings SET occurred_at = occurred_at - 1 WHERE id = (SELECT id FROM postings ORDER BY id LIMIT 1)",
			"UPDATE exceptions SET amount = amount + 1 WHERE id = (SELECT id FROM exceptions ORDER BY id LIMIT 1)",
			"UPDATE books SET balance = balance + 1 WHERE shard = (SELECT shard FROM books ORDER BY shard LIMIT 1)",
			"UPDATE accounts SET next_due = next_due + 1 WHERE account = (SELECT account FROM accounts ORDER BY account LIMIT 1)",
			"UPDATE sources SET recorded_at = recorded_at + 1 WHERE source = (SELECT source FROM sources ORDER BY source LIMIT 1)",
			"UPDATE rights SET used = used + 1 WHERE right_id = (SELECT right_id FROM rights ORDER BY right_id LIMIT 1)",
			"DELETE FROM postings WHERE id = (SELECT id FROM postings ORDER BY id DESC LIMIT 1)",
		} {
			change(t, dsn, statement)
		}
		_, found = rebuilt(t, l.HQ)
		for _, table := range []string{"holdings", "lots", "postings", "exceptions", "books", "accounts", "sources", "rights"} {
			if !names(found, table) {
				t.Errorf("the changed row of %s was not found: %+v", table, found)
			}
		}
	})
}

// Facts that an earlier release applied have no recorded order: what they add up to is
// compared all the same.
func TestARebuildWithoutAnOrderComparesSums(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "hq.db")
	l := newLife(t, books.On(t, dsn, 0), 3)
	l.plain = true
	for range 60 {
		l.step()
	}
	l.end()
	change(t, dsn, "DELETE FROM applied_sets")
	again, ctx := books.On(t, "sqlite:"+filepath.Join(t.TempDir(), "again.db"), 0), context.Background()
	if err := l.DB.CopyLog(ctx, again.DB); err != nil {
		t.Fatal(err)
	}
	done, err := again.Ledger.Replay(ctx, l.DB)
	if err != nil || done.Unordered == 0 || done.Facts > 0 {
		t.Fatalf("replayed %+v, %v", done, err)
	}
	same, err := l.DB.Compare(ctx, again.DB, false, func(d store.Difference) error {
		t.Errorf("%+v", d)
		return nil
	})
	if err != nil || same < 50 {
		t.Errorf("%d rows are the same, %v", same, err)
	}
}

func names(found []store.Difference, table string) bool {
	for _, d := range found {
		if d.Table == table && d.Row != "" {
			return true
		}
	}
	return false
}

// change changes a database behind HQ's back.
func change(t *testing.T, dsn, statement string) {
	t.Helper()
	driver, address := "pgx", dsn
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+file
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statement)
	if cerr := db.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
}

// Other lives, in which returns come before their sales, members are merged in between,
// and the sale that is found is of an account that is not open yet.
func TestG7_LivesVerifyAndRebuild(t *testing.T) {
	for _, seed := range []uint64{10, 14, 15, 18, 21, 30, 33} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			l := newLife(t, books.On(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"), 0), seed)
			for range 250 {
				l.step()
			}
			l.end()
			l.Verify(t)
			if same, found := rebuilt(t, l.HQ); len(found) > 0 || same < 1000 {
				t.Fatalf("%d rows are the same, %d differ: %+v", same, len(found), found)
			}
		})
	}
}

// What undoes a sale comes after a merge and before the sale, which was made before it:
// the sale counts where it was made, and so does its undoing, once it is there.
func TestG4_UndoingBeforeItsSaleFollowsItOverAMerge(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		l := newLife(t, books.On(t, dsn, shardsPerTx), 1)
		ctx := context.Background()
		sold, elsewhere := l.tills[0], l.tills[1]
		first := sold.Sale(t, l.own[1], 2500, 0)
		sold.Write(t, entry.KindSale, first)
		second := sold.Sell(t, l.own[1], 4000, 0)
		_, err := l.accounts.Merge(ctx, uuid.Nil, l.members[1], l.members[2], 3)
		if err != nil {
			t.Fatal(err)
		}
		l.Clock.Advance(time.Hour)
		for range 4 {
			elsewhere.Skip(time.Hour)
		}
		elsewhere.Return(t, entry.Return{Sale: first.ID, Origin: sold.ID, OriginEpoch: 1, OriginSeq: 2, Account: l.own[1], Matched: true, Whole: true, Refund: entry.Money{Currency: "EUR", Minor: 2500}})
		sold.Void(t, second, l.own[1])
		l.deliver(1, len(elsewhere.Entries))
		l.Apply(t)
		if open := l.Exceptions(t, ledger.ReturnUnmatched); len(open) != 1 || open[0].State != ledger.ExceptionAwaiting {
			t.Fatalf("while the sale is away: %+v", open)
		}
		l.Verify(t)
		l.end()
		if open := l.Exceptions(t, ledger.ReturnUnmatched); len(open) != 1 || open[0].State != ledger.ExceptionWithdrawn {
			t.Errorf("when the sale has come: %+v", open)
		}
		// 60 and 120 to begin with; the sales have given nothing.
		first1, second1 := l.Holding(t, l.own[1], "points"), l.Holding(t, l.own[2], "points")
		if first1.Balance() != 0 || second1.Balance() != 180 {
			t.Errorf("the merged account has %d, the other %d", first1.Balance(), second1.Balance())
		}
		l.Verify(t)
		if _, found := rebuilt(t, l.HQ); len(found) > 0 {
			t.Errorf("%d rows differ after a rebuild, the first: %+v", len(found), found[0])
		}
	})
}
