package settlement_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/entry"
)

var (
	anna = uuid.NewSHA1(uuid.Nil, []byte("anna")) // drafts
	bert = uuid.NewSHA1(uuid.Nil, []byte("bert")) // locks
)

// rig is an HQ that settles. The stores A to D sell in euros, T in Turkish lira.
type rig struct {
	t testing.TB
	*books.HQ
	*settlement.Service
	tills   map[string]*books.Till
	sent    map[string]int
	parties map[string]settlement.Party
	places  []clearing.Place
	n       int
}

func newRig(t testing.TB) *rig { return rigOn(t, books.New(t)) }

func rigOn(t testing.TB, hq *books.HQ) *rig {
	t.Helper()
	r := &rig{t: t, HQ: hq, tills: map[string]*books.Till{}, sent: map[string]int{}, parties: map[string]settlement.Party{}}
	for _, code := range []string{"A", "B", "C", "D", "T"} {
		till := hq.Till(t, code)
		r.tills[code] = till
		place := clearing.Place{ID: till.Store, Code: code, Name: "Store " + code, Currency: "EUR", Zone: "Europe/Berlin"}
		if code == "T" {
			place.Currency, place.Zone = "TRY", "Europe/Istanbul"
		}
		r.places = append(r.places, place)
	}
	r.Service = settlement.New(settlement.Env{
		Store: hq.DB, Journal: hq.Journal, Clock: hq.Clock,
		Places: func(context.Context) ([]clearing.Place, error) { return r.places, nil },
		NewID: func() uuid.UUID {
			r.n++
			return uuid.NewSHA1(hq.ID, []byte{'s', byte(r.n >> 16), byte(r.n >> 8), byte(r.n)})
		},
	})
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// party makes a franchisee with stores from a date on.
func (r *rig) party(code string, from entry.Date, stores ...string) settlement.Party {
	r.t.Helper()
	p, ok := r.parties[code]
	if !ok {
		var err error
		p, err = r.PutParty(context.Background(), anna, settlement.Party{Code: code, Name: "Franchisee " + code, Currency: "EUR", Language: "en"}, true)
		r.must(err)
		r.parties[code] = p
	}
	for _, s := range stores {
		r.must(r.Assign(context.Background(), anna, clearing.Assignment{Store: r.tills[s].Store, Party: p.ID, From: from}))
	}
	return p
}

func (r *rig) price(unit, currency string, from entry.Date, perThousand int64) {
	r.t.Helper()
	r.must(r.SetPrice(context.Background(), anna, clearing.Price{Unit: unit, Currency: currency, From: from, PerThousand: perThousand}))
}

// at brings the clock of HQ, and of tills, to a time that lies ahead.
func (r *rig) at(at time.Time, tills ...string) {
	r.Clock.Advance(at.Sub(r.Clock.Now()))
	for _, code := range tills {
		r.tills[code].Skip(at.Sub(r.tills[code].Now()))
	}
}

// sync sends what tills wrote and applies it.
func (r *rig) sync(tills ...string) {
	r.t.Helper()
	for _, code := range tills {
		till := r.tills[code]
		till.Sync(r.t, r.sent[code]+1)
		r.sent[code] = len(till.Entries)
	}
	r.Apply(r.t)
}

// draft drafts a month and returns its statements by the codes of parties.
func (r *rig) draft(m settlement.Month) map[string]settlement.Statement {
	r.t.Helper()
	_, err := r.Draft(context.Background(), anna, m)
	r.must(err)
	r.must(r.Round(context.Background()))
	return r.statements(m)
}

func (r *rig) lock(m settlement.Month) map[string]settlement.Statement {
	r.t.Helper()
	r.draft(m)
	_, err := r.Lock(context.Background(), bert, m)
	r.must(err)
	return r.statements(m)
}

func (r *rig) statements(m settlement.Month) map[string]settlement.Statement {
	r.t.Helper()
	list, err := r.Statements(context.Background(), m, uuid.Nil, true, 1000)
	r.must(err)
	out := map[string]settlement.Statement{}
	sums := map[string]int64{}
	for _, s := range list {
		out[s.Party.Code] = s
		for _, total := range s.Totals {
			sums[total.Currency] += total.Net
		}
	}
	for currency, sum := range sums {
		if sum != 0 {
			r.t.Errorf("the statements of %s sum to %d %s", m, sum, currency)
		}
	}
	return out
}

// net is what a statement comes to in a currency.
func net(s settlement.Statement, currency string) int64 {
	for _, t := range s.Totals {
		if t.Currency == currency {
			return t.Net
		}
	}
	return 0
}

// move gives points of one account to another.
func (r *rig) move(from, to uuid.UUID, amount int64) {
	r.t.Helper()
	ctx := context.Background()
	r.n++
	id := uuid.NewSHA1(r.ID, []byte{'t', byte(r.n >> 8), byte(r.n)})
	leg, ok, err := r.Ledger.Depart(ctx, entry.HQTransfer{ID: id, Account: from, Other: to}, ledger.Gift("points", amount))
	r.must(err)
	if !ok {
		r.t.Fatal("nothing moved")
	}
	leg.Account, leg.Other = to, from
	_, err = r.Ledger.Arrive(ctx, leg)
	r.must(err)
}

func clearingDecimal(minor int64) string { return currency.Decimal("EUR", minor) }

// redeemed is an HQ on 2 April with a member who earned 1,000 points at A, which belongs to
// NORTH, and redeemed 400 of them in March at B, which belongs to SOUTH.
func redeemed(t testing.TB) (*rig, uuid.UUID) {
	t.Helper()
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	r.party("SOUTH", 20260101, "B")
	r.price("points", "EUR", 20260101, 1000)
	member := r.Member(t, "m", 0)
	r.tills["A"].Sell(t, member, 100_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "B")
	r.tills["B"].Sell(t, member, 100, 400)
	r.sync("B")
	r.at(day(2026, 4, 2, 12))
	return r, member
}

// twoMonths is an HQ with two locked months: points of NORTH and of the programme are
// redeemed at SOUTH in euros and at EAST in lira; a redemption of March comes in April.
func twoMonths(t testing.TB) *rig {
	t.Helper()
	ctx := context.Background()
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	south := r.party("SOUTH", 20260101, "B", "C")
	r.party("EAST", 20260101, "T")
	r.price("points", "EUR", 20260101, 1000)
	r.price("points", "TRY", 20260101, 45_000)
	r.must(r.SetRate(ctx, anna, clearing.Rate{Base: "TRY", Quote: "EUR", From: 20260101, Billionths: 21_345_678, Source: "ECB"}))
	r.must(r.SetFee(ctx, anna, clearing.Fee{Code: "CLEARING", From: 20260101, Payer: clearing.PaysHonouring, BasisPoints: 250}))
	r.must(r.SetTax(ctx, anna, clearing.Tax{Party: south.ID, From: 20260101, BasisPoints: 1900}))
	member, gifted := r.Member(t, "m", 0), r.Member(t, "g", 500)
	r.tills["A"].Sell(t, member, 300_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "B", "C", "T")
	r.tills["B"].Sell(t, member, 100, 433)
	r.tills["B"].Sell(t, gifted, 100, 77)
	r.sync("B")
	r.tills["C"].Sell(t, member, 100, 55)
	r.at(day(2026, 3, 20, 12), "T")
	r.tills["T"].Sell(t, member, 100, 321)
	r.sync("T")
	r.at(day(2026, 4, 2, 12), "B")
	r.lock(202603)
	r.sync("C")
	r.tills["B"].Sell(t, member, 100, 111)
	r.sync("B")
	r.at(day(2026, 5, 2, 12))
	r.lock(202604)
	return r
}
