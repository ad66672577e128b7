package quarter

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/entry"
)

// The terms of the quarter. Amounts are such that no fee and no rate leaves a fraction of a
// thousandth; what is paid is rounded all the same.
const (
	feeOfQuarter = 200 // hundredths of a percent
	liraPerEuro  = 50
	eachOwns     = 9 // stores of a franchisee, in the mean
)

// franchise is what head office and the truth are told of settlement.
type franchise struct {
	deals   truth.Deals
	parties []uuid.UUID // by number
	stated  map[truth.LineKey]truth.Line
	months  []settlement.Month // that are locked
	lines   int
	notes   int
}

// openFranchise makes franchisees and their terms; every tenth store is the programme's own.
func (w *world) openFranchise(ctx context.Context) error {
	f := &w.franchise
	f.stated = map[truth.LineKey]truth.Line{}
	for n := range max(3, w.size.Stores/eachOwns) {
		p, err := w.hq.settling.PutParty(ctx, w.ann, settlement.Party{
			Code: fmt.Sprintf("F%03d", n+1), Name: fmt.Sprintf("Franchisee %d", n+1), Currency: "EUR", Language: "en",
		}, true)
		if err != nil {
			return err
		}
		f.parties = append(f.parties, p.ID)
	}
	before := entry.DateOf(w.size.Start.AddDate(0, -2, 0))
	for _, s := range w.shops {
		f.deals.Stores = append(f.deals.Stores, truth.Place{Currency: s.money.code, Zone: s.zone})
		if s.number%10 == 9 {
			continue
		}
		if err := w.assign(ctx, s, s.number%len(f.parties), before); err != nil {
			return err
		}
	}
	for _, m := range w.monies {
		if err := w.price(ctx, m, before, 1000*m.worth); err != nil {
			return err
		}
		uses := clearing.Price{Unit: clearing.UnitUses, Currency: m.code, From: before}
		if err := w.hq.settling.SetPrice(ctx, w.ann, uses); err != nil {
			return err
		}
	}
	return w.agree(ctx, before)
}

// agree sets the fee and the rates.
func (w *world) agree(ctx context.Context, from entry.Date) error {
	w.franchise.deals.Fee = feeOfQuarter
	w.franchise.deals.Rates = []truth.Rate{{Base: "EUR", Quote: "TRY", Num: liraPerEuro, Den: 1}, {Base: "TRY", Quote: "EUR", Num: 1, Den: liraPerEuro}}
	err := w.hq.settling.SetFee(ctx, w.ann, clearing.Fee{Code: "HANDLING", From: from, Payer: clearing.PaysHonouring, BasisPoints: feeOfQuarter})
	if err != nil {
		return err
	}
	for _, r := range w.franchise.deals.Rates {
		err := w.hq.settling.SetRate(ctx, w.ann, clearing.Rate{
			Base: r.Base, Quote: r.Quote, From: from, Billionths: r.Num * clearing.RateScale / r.Den, Source: "agreed",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) assign(ctx context.Context, s *shop, party int, from entry.Date) error {
	err := w.hq.settling.Assign(ctx, w.ann, clearing.Assignment{Store: s.id, Party: w.franchise.parties[party], From: from})
	w.franchise.deals.Owners = append(w.franchise.deals.Owners, truth.Owner{Store: s.number, Party: party, From: uint32(from), Known: w.hq.ms()})
	return err
}

func (w *world) price(ctx context.Context, m *money, from entry.Date, perThousand int64) error {
	err := w.hq.settling.SetPrice(ctx, w.ann, clearing.Price{Unit: points, Currency: m.code, From: from, PerThousand: perThousand})
	w.franchise.deals.Prices = append(w.franchise.deals.Prices, truth.Price{Currency: m.code, From: uint32(from), PerThousand: perThousand, Known: w.hq.ms()})
	return err
}

// renegotiate plans what changes: a store goes to another franchisee in mid-month, prices
// rise from a day on, and later a price and a store are changed for days long past, in a
// month that may be locked.
func (w *world) renegotiate() {
	d := w.size.Days
	date := func(n int) entry.Date { return entry.DateOf(w.size.day(n)) }
	w.on(d/3, settled, func(ctx context.Context) error { return w.assign(ctx, w.shops[1], 2, date(d/3+1)) })
	w.on(d*2/3, settled, func(ctx context.Context) error {
		for _, m := range w.monies {
			if err := w.price(ctx, m, date(d*2/3+1), 1200*m.worth); err != nil {
				return err
			}
		}
		return nil
	})
	w.on(d*3/4, settled, func(ctx context.Context) error {
		if err := w.assign(ctx, w.shops[3], 1, date(d/2)); err != nil {
			return err
		}
		return w.price(ctx, w.monies[0], date(d/2), 1100)
	})
}

// closeMonth drafts and locks the month before today's, on the first of a month, and holds
// its statements against the truth.
func (w *world) closeMonth(ctx context.Context) error {
	today := w.hq.clock.Now().UTC()
	if today.Day() != 1 {
		return nil
	}
	m := clearing.MonthOf(entry.DateOf(today.AddDate(0, 0, -1)))
	if m < clearing.MonthOf(entry.DateOf(w.size.Start)) {
		return nil
	}
	if err := w.rememberOwed(ctx); err != nil {
		return err
	}
	var locked settlement.MonthState
	err := timed(&w.report.Seconds.Settle, func() (err error) {
		locked, err = w.lockMonth(ctx, m)
		return err
	})
	if err != nil {
		return fmt.Errorf("settle %s: %w", m, err)
	}
	w.franchise.months = append(w.franchise.months, m)
	return w.checkMonth(ctx, m, locked.CutAt, w.report)
}

// lockMonth has one person draft a month and another one lock it. Drafting follows the
// ledger first.
func (w *world) lockMonth(ctx context.Context, m settlement.Month) (settlement.MonthState, error) {
	if _, err := w.hq.settling.Draft(ctx, w.ann, m); err != nil {
		return settlement.MonthState{}, err
	}
	if err := w.hq.settling.Round(ctx); err != nil {
		return settlement.MonthState{}, err
	}
	return w.hq.settling.Lock(ctx, w.bo, m)
}

// checkMonth holds lines and statements of a month against the truth as it was known when
// the month was cut off.
func (w *world) checkMonth(ctx context.Context, m settlement.Month, cut int64, r *Report) error {
	f := &w.franchise
	now := w.truth.Lines(&f.deals, uint32(m), cut)
	want := truth.Less(now, f.stated)
	f.stated = now
	have, err := w.linesOf(ctx, m)
	if err != nil {
		return err
	}
	for _, key := range truth.Sorted(want) {
		if have[key] != want[key] {
			r.wrong("settlement of %s: %+v is %+v, not %+v", m, key, have[key], want[key])
		}
		f.lines++
		if key.Day/100 < uint32(m) {
			f.notes++
		}
		delete(have, key)
	}
	for _, key := range truth.Sorted(have) {
		r.wrong("settlement of %s: %+v is %+v, and nothing is owed", m, key, have[key])
	}
	return w.checkStatements(ctx, m, truth.Dues(want, uint32(m)), r)
}

// linesOf reads all lines of a month that are about points.
func (w *world) linesOf(ctx context.Context, m settlement.Month) (map[truth.LineKey]truth.Line, error) {
	out := map[truth.LineKey]truth.Line{}
	const most = 500
	for after := int64(0); ; {
		page, err := w.hq.settling.Lines(ctx, m, clearing.Programme, after, most)
		if err != nil {
			return nil, fmt.Errorf("read lines of %s: %w", m, err)
		}
		for _, l := range page {
			after = l.No
			if l.Unit != points {
				continue // uses of vouchers are priced at nothing
			}
			key := truth.LineKey{
				FromStore: w.storeNumber(l.FromStore), ToStore: w.storeNumber(l.ToStore), Day: uint32(l.Day), Repaid: l.Kind == clearing.KindRepaid,
				Fee: l.Kind == clearing.KindFee, From: w.partyNumber(l.From), To: w.partyNumber(l.To), Debit: l.Debit.Currency, Credit: l.Credit.Currency,
			}
			out[key] = truth.Line{Points: out[key].Points + l.Points, Debit: out[key].Debit + l.Debit.Exact, Credit: out[key].Credit + l.Credit.Exact}
		}
		if len(page) < most {
			return out, nil
		}
	}
}

func (w *world) storeNumber(id uuid.UUID) int {
	if s := w.byID[id]; s != nil {
		return s.number
	}
	return truth.Programme
}

func (w *world) partyNumber(id uuid.UUID) int {
	for n, p := range w.franchise.parties {
		if p == id {
			return n
		}
	}
	return truth.Programme
}

// checkStatements holds what each party owes and is owed against the truth. All of it
// together is nothing.
func (w *world) checkStatements(ctx context.Context, m settlement.Month, want map[truth.DueKey]truth.Due, r *Report) error {
	sums := map[string]int64{}
	const most = 100
	for after, first := uuid.Nil, true; ; first = false {
		page, err := w.hq.settling.Statements(ctx, m, after, first, most)
		if err != nil {
			return fmt.Errorf("read statements of %s: %w", m, err)
		}
		for _, s := range page {
			after = s.Party.ID
			r.Statements++
			for _, t := range s.Totals {
				key := truth.DueKey{Party: w.partyNumber(s.Party.ID), Currency: t.Currency}
				if x := want[key]; x.Owed != t.Owed || x.Owes != t.Owes || t.Net != t.Owed-t.Owes {
					r.wrong("statement of %s for %s in %s: owed %d, owes %d, not %d and %d", s.Party.Code, m, t.Currency, t.Owed, t.Owes, x.Owed, x.Owes)
				}
				delete(want, key)
				sums[t.Currency] += t.Net
			}
		}
		if len(page) < most {
			break
		}
	}
	for key, x := range want {
		if x != (truth.Due{}) {
			r.wrong("statements of %s: party %d has none in %s, and it should say %+v", m, key.Party, key.Currency, x)
		}
	}
	for currency, sum := range sums {
		if sum != 0 {
			r.wrong("all statements of %s together come to %d %s", m, sum, currency)
		}
	}
	return nil
}

// checkSettlement closes the months that are left, and says what was equal.
func (w *world) checkSettlement(ctx context.Context, r *Report) error {
	before := len(r.Wrong)
	for range 2 { // the last months of the quarter, and that in which late items come
		now := w.hq.clock.Now().UTC()
		w.hq.until(time.Date(now.Year(), now.Month()+1, 1, 22, 0, 0, 0, time.UTC))
		if err := w.closeMonth(ctx); err != nil {
			return err
		}
	}
	if before == len(r.Wrong) && len(w.franchise.months) > 0 {
		r.equal("%d statements of %d months with %d lines, %d of them notes to locked months: to the last point and the last thousandth; all sum to zero in each currency",
			r.Statements, len(w.franchise.months), w.franchise.lines, w.franchise.notes)
	}
	return nil
}
