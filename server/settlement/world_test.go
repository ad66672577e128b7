package settlement_test

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Random worlds with voids, returns at other stores, gifts, late tills, stores that change
// their owner, and prices and rates that are changed for past days.
func TestSettlementIsTheTruthOfRandomWorlds(t *testing.T) {
	seeds := []uint64{3}
	if os.Getenv("TALLYSTICK_SOAK") != "" {
		for seed := range uint64(30) { // each third has gifts
			seeds = append(seeds, seed+4)
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { newWorld(t, seed).play() })
	}
}

// world is what is known of a random world apart from settlement.
type world struct {
	*rig
	random *rand.Rand
	gifts  bool
	member []uuid.UUID
	sales  []soldAt
	earned map[journal.Hash]string // where, by the hash of the sale
	owners map[string][]owner      // of stores, in the order in which they were recorded
	prices []clearing.Price
	rates  []clearing.Rate
}

type soldAt struct {
	till    string
	sale    uuid.UUID
	account uuid.UUID
}

type owner struct {
	party uuid.UUID
	from  entry.Date
}

var codes = []string{"A", "B", "C", "D", "T"}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		rig: newRig(t), random: rand.New(rand.NewPCG(seed, 7)), gifts: seed%3 == 2, earned: map[journal.Hash]string{}, owners: map[string][]owner{},
	}
	for i, code := range codes[:4] {
		w.assign([]string{"NORTH", "SOUTH", "EAST"}[i%3], 20260101, code)
	}
	w.assign("EAST", 20260101, "T")
	w.setPrice(clearing.Price{Unit: "points", Currency: "EUR", From: 20260101, PerThousand: 1007})
	w.setPrice(clearing.Price{Unit: "points", Currency: "TRY", From: 20260101, PerThousand: 45_011})
	w.setRate(clearing.Rate{Base: "EUR", Quote: "TRY", From: 20260101, Billionths: 47_100_000_000, Source: "ECB"})
	w.setRate(clearing.Rate{Base: "TRY", Quote: "EUR", From: 20260101, Billionths: 21_231_422, Source: "ECB"})
	for i := range 4 {
		w.member = append(w.member, w.Member(t, fmt.Sprint(i), int64(i)*300))
	}
	return w
}

func (w *world) assign(party string, from entry.Date, store string) {
	p := w.party(party, from, store)
	w.owners[store] = append(w.owners[store], owner{p.ID, from})
}

func (w *world) setPrice(p clearing.Price) {
	w.price(p.Unit, p.Currency, p.From, p.PerThousand)
	w.prices = append(w.prices, p)
}

func (w *world) setRate(r clearing.Rate) {
	w.must(w.SetRate(context.Background(), anna, r))
	w.rates = append(w.rates, r)
}

// play lives through three months, locks each once it is over, and checks.
func (w *world) play() {
	locked := settlement.Month(202602)
	for range 90 {
		w.step()
		now := w.Clock.Now()
		if over := clearing.MonthOf(entry.DateOf(now.Add(-12 * time.Hour))); over > locked.Next() && w.random.IntN(3) == 0 {
			locked = locked.Next()
			w.lock(locked)
		}
	}
	w.sync(codes...)
	w.change()
	for last := clearing.MonthOf(entry.DateOf(w.Clock.Now())); locked < last; {
		locked = locked.Next()
		w.at(latest(w.Clock.Now(), locked.Next().First().Time().Add(24*time.Hour)))
		w.lock(locked)
	}
	w.Verify(w.t)
	moves := w.moves(locked)
	w.checkStores(moves)
	if !w.gifts {
		w.checkIssuers(moves)
	}
	w.checkMoney(moves, locked)
	w.checkRebuilt()
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (w *world) step() {
	w.at(w.Clock.Now().Add(time.Duration(1+w.random.IntN(40)) * time.Hour))
	code := codes[w.random.IntN(len(codes))]
	till := w.tills[code]
	if ahead := w.Clock.Now().Sub(till.Now()); ahead > 0 {
		till.Skip(ahead)
	}
	account := w.member[w.random.IntN(len(w.member))]
	switch n := w.random.IntN(20); {
	case n < 11:
		sale := till.Sell(w.t, account, int64(w.random.IntN(60_000)), int64(w.random.IntN(3))*int64(w.random.IntN(400)))
		w.sales = append(w.sales, soldAt{code, sale, account})
		w.earned[till.Hashes[len(till.Hashes)-1]] = code
	case n < 13 && len(w.sales) > 0:
		s := w.sales[w.random.IntN(len(w.sales))]
		w.tills[s.till].Void(w.t, s.sale, s.account)
	case n < 15 && len(w.sales) > 0:
		s := w.sales[w.random.IntN(len(w.sales))]
		till.Return(w.t, entry.Return{Sale: s.sale, Origin: w.tills[s.till].ID, Account: s.account, Whole: true, Matched: true, RuleSet: 1})
	case n < 16:
		w.change()
	case n < 17 && w.gifts:
		from, to := account, w.member[w.random.IntN(len(w.member))]
		if h := w.Holding(w.t, from, "points"); from != to && h.Free > 10 {
			w.move(from, to, 1+w.random.Int64N(h.Free/2))
		}
	default:
		w.sync(code)
		if w.random.IntN(2) == 0 {
			w.must(w.Round(context.Background()))
		}
	}
}

// change agrees on something new for a day that may be long gone.
func (w *world) change() {
	from := entry.DateOf(w.Clock.Now().AddDate(0, 0, 5-w.random.IntN(50)))
	switch w.random.IntN(3) {
	case 0:
		w.setPrice(clearing.Price{Unit: "points", Currency: []string{"EUR", "TRY"}[w.random.IntN(2)], From: from, PerThousand: int64(900 + w.random.IntN(300))})
	case 1:
		w.assign([]string{"NORTH", "SOUTH", "EAST"}[w.random.IntN(3)], from, codes[w.random.IntN(len(codes))])
	default:
		w.setRate(clearing.Rate{Base: "TRY", Quote: "EUR", From: from, Billionths: int64(20_000_000 + w.random.IntN(5_000_000)), Source: "ECB"})
	}
}

// moves are all moves, read by the lines of every spot.
func (w *world) moves(last settlement.Month) []clearing.Sum {
	var out []clearing.Sum
	w.must(w.DB.SettlementSpots(context.Background(), last.Next(), 20200101, func(_ clearing.Spot, sums []clearing.Sum, _ []settlement.Line) error {
		out = append(out, sums...)
		return nil
	}))
	return out
}

// checkStores holds what stores honoured against the ledger's own book of stores.
func (w *world) checkStores(moves []clearing.Sum) {
	honoured := map[uuid.UUID]int64{}
	for _, m := range moves {
		if m.Kind == clearing.KindRedeemed {
			honoured[m.ToStore] += m.Points
		}
	}
	balances, err := w.Ledger.TrialBalance(context.Background())
	w.must(err)
	for _, b := range balances {
		if b.Book == loyalty.BookStore && b.Unit == "points" && b.Amount != honoured[b.Owner] {
			w.t.Errorf("store %s honoured %d points by the ledger, %d by settlement", b.Owner, b.Amount, honoured[b.Owner])
		}
	}
}

// checkIssuers holds what issuers owe against what became of the lots that they issued.
func (w *world) checkIssuers(moves []clearing.Sum) {
	owes, gone := map[uuid.UUID]int64{}, map[uuid.UUID]int64{}
	for _, m := range moves {
		owes[m.FromStore] += m.Points
	}
	var keys []ledger.AccountKey
	for _, a := range w.member {
		keys = append(keys, ledger.AccountKey{Shard: shard.Of(a), Account: a})
	}
	lots, err := w.DB.AccountLots(context.Background(), keys)
	w.must(err)
	for _, l := range lots {
		if code := w.earned[l.Source]; l.Unit == "points" && code != "" {
			gone[w.tills[code].Store] += l.Spent - l.Owed + l.Covered
		}
	}
	for _, code := range codes {
		if id := w.tills[code].Store; owes[id] != gone[id] {
			w.t.Errorf("store %s owes %d points, and %d of its lots went to others", code, owes[id], gone[id])
		}
	}
}

// ownerOf, priceOf and rateOf are what was agreed for a day, found by looking at everything.
func (w *world) ownerOf(store uuid.UUID, on entry.Date) uuid.UUID {
	var found owner
	for code, till := range w.tills {
		for _, o := range w.owners[code] {
			if till.Store == store && o.from <= on && o.from >= found.from {
				found = o
			}
		}
	}
	return found.party
}

func (w *world) currencyOf(store uuid.UUID) string {
	if store == w.tills["T"].Store {
		return "TRY"
	}
	return "EUR"
}

func (w *world) priceOf(currency string, on entry.Date) int64 {
	var found clearing.Price
	for _, p := range w.prices {
		if p.Currency == currency && p.From <= on && p.From >= found.From {
			found = p
		}
	}
	return found.PerThousand
}

func (w *world) rateOf(base, quote string, on entry.Date) *big.Rat {
	var found clearing.Rate
	for _, r := range w.rates {
		if r.Base == base && r.Quote == quote && r.From <= on && r.From >= found.From {
			found = r
		}
	}
	return big.NewRat(found.Billionths, clearing.RateScale)
}

// checkMoney holds what all locked months state together against every move, priced by
// what is agreed now: thousandths of minor units, but for what a rate leaves over.
func (w *world) checkMoney(moves []clearing.Sum, last settlement.Month) {
	type side struct {
		party    uuid.UUID
		currency string
	}
	truth, stated := map[side]*big.Rat{}, map[side]*big.Rat{}
	add := func(to map[side]*big.Rat, party uuid.UUID, currency string, n *big.Rat) {
		k := side{party, currency}
		if to[k] == nil {
			to[k] = new(big.Rat)
		}
		to[k].Add(to[k], n)
	}
	for _, m := range moves {
		from, to := w.ownerOf(m.FromStore, m.FromDay), w.ownerOf(m.ToStore, m.ToDay)
		if m.FromStore == uuid.Nil {
			from = clearing.Programme
		}
		if m.ToStore == uuid.Nil {
			to = clearing.Programme
		}
		if from == to {
			continue
		}
		credit := w.currencyOf(m.ToStore)
		if m.ToStore == uuid.Nil {
			credit = w.currencyOf(m.FromStore)
		}
		n := big.NewRat(m.Points*w.priceOf(credit, m.Day), 1)
		add(truth, to, credit, n)
		debit := w.currencyOf(m.FromStore)
		if from == clearing.Programme {
			debit = credit
		}
		if debit != credit {
			n = new(big.Rat).Mul(n, w.rateOf(credit, debit, m.Day))
		}
		add(truth, from, debit, new(big.Rat).Neg(n))
	}
	lines := int64(0)
	for m := settlement.Month(202603); m <= last; m = m.Next() {
		w.statements(m) // sums to zero
		w.must(w.EachLine(context.Background(), m, clearing.Programme, func(l settlement.Line) error {
			lines++
			add(stated, l.To, l.Credit.Currency, big.NewRat(l.Credit.Exact, 1))
			add(stated, l.From, l.Debit.Currency, big.NewRat(-l.Debit.Exact, 1))
			return nil
		}))
	}
	for k, want := range truth {
		got := stated[k]
		if got == nil {
			got = new(big.Rat)
		}
		off := new(big.Rat).Sub(want, got)
		if off.Abs(off).Cmp(big.NewRat(lines, 1)) > 0 || k.currency == "TRY" && k.party == clearing.Programme && off.Sign() != 0 {
			w.t.Errorf("party %s is owed %s %s/1000, stated are %s", k.party, want.FloatString(3), k.currency, got.FloatString(3))
		}
	}
	if len(truth) < 4 || lines < 20 {
		w.t.Errorf("the world has %d lines of %d sides: it shows nothing", lines, len(truth))
	}
}

// checkRebuilt replays the journals into an empty HQ, follows it from the beginning, and
// finds the same moves.
func (w *world) checkRebuilt() {
	ctx := context.Background()
	w.must(w.Round(ctx))
	again := rigOn(w.t, books.On(w.t, "sqlite:"+filepath.Join(w.t.(*testing.T).TempDir(), "again.db"), 0))
	w.must(w.DB.CopyLog(ctx, again.DB))
	_, err := again.Ledger.Replay(ctx, w.DB)
	w.must(err)
	_, err = again.Follow(ctx)
	w.must(err)
	var found []store.Difference
	same, err := w.DB.CompareSettlement(ctx, again.DB, func(d store.Difference) error {
		found = append(found, d)
		return nil
	})
	w.must(err)
	if len(found) > 0 || same == 0 {
		w.t.Errorf("%d moves are the same, %d differ: %+v", same, len(found), found[:min(3, len(found))])
	}
}
