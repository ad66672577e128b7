package clearing

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// Pricer makes lines out of sums. Sums come spot by spot, in one order for all who ask, so
// that what is rounded comes out the same.
type Pricer struct {
	terms   *Terms
	month   Month
	no      int64
	missing map[Missing]entry.Date
	carried map[roundKey]*carry
}

// roundKey names lines whose amounts are rounded together.
type roundKey struct {
	from, to      uuid.UUID
	kind          Kind
	fee           string
	debit, credit string
	of            Month
}

// carry is what lines that are rounded together came to so far.
type carry struct{ debit, credit sum }

type sum struct {
	exact big.Int
	minor int64
}

// NewPricer prices the sums of one month by terms that are built.
func NewPricer(terms *Terms, month Month) *Pricer {
	return &Pricer{terms: terms, month: month, missing: map[Missing]entry.Date{}, carried: map[roundKey]*carry{}}
}

// Missing is what the lines made so far had needed, in order. While there is any the
// month cannot be locked.
func (p *Pricer) Missing() []Missing {
	out := make([]Missing, 0, len(p.missing))
	for m, day := range p.missing {
		m.Day = day
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Quote, b.Quote))
	})
	return out
}

// miss notes what is missing since a date.
func (p *Pricer) miss(m Missing, day entry.Date) {
	if was, ok := p.missing[m]; !ok || day < was {
		p.missing[m] = day
	}
}

// Lines makes the lines of one spot. Stated are the lines that locked months have of it
// already, if they are to be compared: then what comes out is only the difference.
func (p *Pricer) Lines(spot Spot, sums []Sum, stated []Line) []Line {
	at := lineMap{}
	for _, s := range sums {
		p.clear(at, spot, s)
	}
	for _, key := range at.keys() {
		if key.kind == KindRedeemed {
			p.fees(at, *at[key])
		}
	}
	for _, l := range stated {
		at.subtract(l)
	}
	var out []Line
	for _, key := range at.keys() {
		l := at[key]
		if l.From == l.To || l.Points == 0 && l.Debit.Exact == 0 && l.Credit.Exact == 0 {
			continue
		}
		l.Month = p.month
		if of := MonthOf(spot.Day); of < p.month {
			l.Of = of
		}
		if !p.round(l) {
			p.miss(Missing{What: "overflow", Unit: l.Unit, Currency: l.Credit.Currency}, l.Day)
			continue
		}
		p.no++
		l.No = p.no
		out = append(out, *l)
	}
	return out
}

// lineKey tells the lines of one spot apart.
type lineKey struct {
	kind          Kind
	fee           string
	from, to      uuid.UUID
	debit, credit string
}

type lineMap map[lineKey]*Line

func keyOf(l Line) lineKey {
	return lineKey{l.Kind, l.Fee, l.From, l.To, l.Debit.Currency, l.Credit.Currency}
}

// keys are in the order in which lines are made.
func (m lineMap) keys() []lineKey {
	out := make([]lineKey, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b lineKey) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.fee, b.fee), bytes.Compare(a.from[:], b.from[:]),
			bytes.Compare(a.to[:], b.to[:]), cmp.Compare(a.debit, b.debit), cmp.Compare(a.credit, b.credit))
	})
	return out
}

// add adds amounts to the line of the same key and reports whether they fit.
func (m lineMap) add(l Line) bool {
	was := m[keyOf(l)]
	if was == nil {
		m[keyOf(l)] = &l
		return true
	}
	points, ok1 := plus(was.Points, l.Points)
	debit, ok2 := plus(was.Debit.Exact, l.Debit.Exact)
	credit, ok3 := plus(was.Credit.Exact, l.Credit.Exact)
	if !ok1 || !ok2 || !ok3 {
		return false
	}
	was.Points, was.Debit.Exact, was.Credit.Exact = points, debit, credit
	return true
}

// subtract takes away what a locked month has stated.
func (m lineMap) subtract(l Line) {
	l.Points, l.Debit.Exact, l.Credit.Exact = -l.Points, -l.Debit.Exact, -l.Credit.Exact
	l.Debit.Minor, l.Credit.Minor = 0, 0
	m.add(l) // what was stated fits, and so does its difference to what fits
}

// clear prices one sum.
func (p *Pricer) clear(at lineMap, spot Spot, s Sum) {
	from, to := p.terms.Owner(s.FromStore, s.FromDay), p.terms.Owner(s.ToStore, s.ToDay)
	issued, honoured := p.terms.Place(s.FromStore).Currency, p.terms.Place(s.ToStore).Currency
	if s.ToStore == Programme {
		honoured = issued // the programme takes what it is given
	}
	price, _, ok := p.terms.prices.at([2]string{s.Unit, honoured}, s.Day)
	if !ok && from == to && !p.terms.own {
		return // nobody owes anybody
	}
	if !ok {
		p.miss(Missing{What: "price", Unit: s.Unit, Currency: honoured}, s.Day)
		return
	}
	exact, ok := times(s.Points, price)
	l := Line{
		Kind: s.Kind, From: from, To: to, FromStore: spot.FromStore, ToStore: spot.ToStore, Unit: spot.Unit, Day: spot.Day,
		Points: s.Points, PerThousand: price, Credit: Amount{Currency: honoured, Exact: exact}, Debit: Amount{Currency: honoured, Exact: exact},
	}
	if ok && s.FromStore != Programme && issued != honoured && from != Programme && from != to {
		ok = p.convert(&l, issued)
	}
	if !ok || !at.add(l) {
		p.miss(Missing{What: "overflow", Unit: s.Unit, Currency: honoured}, s.Day)
	}
}

// convert brings what a line costs into the currency of the issuer's store. Without a rate
// the line stays in one currency, and the rate is missed.
func (p *Pricer) convert(l *Line, to string) (fits bool) {
	rate, from, ok := p.terms.rates.at([2]string{l.Credit.Currency, to}, l.Day)
	if !ok {
		p.miss(Missing{What: "rate", Currency: l.Credit.Currency, Quote: to}, l.Day)
		return true
	}
	num, den := big.NewInt(rate.Billionths), big.NewInt(RateScale)
	shift := currency.Digits(to) - currency.Digits(l.Credit.Currency)
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	if shift >= 0 {
		num.Mul(num, power)
	} else {
		den.Mul(den, power)
	}
	exact, fits := halfEven(num.Mul(num, big.NewInt(l.Credit.Exact)), den)
	l.Debit = Amount{Currency: to, Exact: exact}
	l.Rate, l.RateFrom, l.RateSource = rate.Billionths, from, rate.Source
	return fits
}

// fees adds the fees on a line, and the taxes on them.
func (p *Pricer) fees(at lineMap, l Line) {
	for _, code := range p.terms.codes {
		fee, _, ok := p.terms.fees.at(code, l.Day)
		if !ok || fee.Unit != "" && fee.Unit != l.Unit || l.From == l.To && !fee.Own {
			continue
		}
		payer, base := l.To, l.Credit
		if fee.Payer == PaysIssuing {
			payer, base = l.From, l.Debit
		}
		if payer == Programme {
			continue
		}
		exact, fits := part(base.Exact, fee.BasisPoints)
		if fee.Currency == base.Currency {
			fixed, ok1 := times(l.Points, fee.PerThousand)
			var ok2 bool
			exact, ok2 = plus(exact, fixed)
			fits = fits && ok1 && ok2
		}
		due := Line{
			Kind: KindFee, Fee: code, From: payer, To: Programme, FromStore: l.FromStore, ToStore: l.ToStore, Unit: l.Unit, Day: l.Day, Points: l.Points,
			Debit: Amount{Currency: base.Currency, Exact: exact}, Credit: Amount{Currency: base.Currency, Exact: exact},
		}
		if !fits || exact != 0 && !at.add(due) {
			p.miss(Missing{What: "overflow", Unit: l.Unit, Currency: base.Currency}, l.Day)
			continue
		}
		p.tax(at, due)
	}
}

// tax adds the tax on a fee.
func (p *Pricer) tax(at lineMap, fee Line) {
	points, _, ok := p.terms.taxes.at(fee.From, fee.Day)
	if !ok {
		return
	}
	exact, fits := part(fee.Debit.Exact, points)
	fee.Kind, fee.Debit.Exact, fee.Credit.Exact = KindTax, exact, exact
	if !fits || exact != 0 && !at.add(fee) {
		p.miss(Missing{What: "overflow", Unit: fee.Unit, Currency: fee.Debit.Currency}, fee.Day)
	}
}

// round gives the line what its like have come to with it, less what they had come to.
func (p *Pricer) round(l *Line) bool {
	key := roundKey{l.From, l.To, l.Kind, l.Fee, l.Debit.Currency, l.Credit.Currency, l.Of}
	c := p.carried[key]
	if c == nil {
		c = &carry{}
		p.carried[key] = c
	}
	return c.debit.take(&l.Debit) && c.credit.take(&l.Credit)
}

func (s *sum) take(a *Amount) bool {
	s.exact.Add(&s.exact, big.NewInt(a.Exact))
	minor, ok := halfEven(&s.exact, big.NewInt(1000))
	if !ok || minor > loyalty.MaxAmount || minor < -loyalty.MaxAmount {
		return false
	}
	a.Minor, s.minor = minor-s.minor, minor
	return true
}

// halfEven is n ÷ d, for d above zero, rounded to the nearest whole, halves to the even
// one; ok is false when it does not fit.
func halfEven(n, d *big.Int) (int64, bool) {
	q, r := new(big.Int).DivMod(n, d, new(big.Int))
	switch r.Lsh(r, 1).Cmp(d) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		if q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
	}
	if !q.IsInt64() || q.Int64() == math.MinInt64 {
		return 0, false
	}
	return q.Int64(), true
}

// part is so many hundredths of a percent of an amount.
func part(of, basisPoints int64) (int64, bool) {
	return halfEven(new(big.Int).Mul(big.NewInt(of), big.NewInt(basisPoints)), big.NewInt(10_000))
}

// times is a × b, if that fits.
func times(a, b int64) (int64, bool) {
	n := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	return n.Int64(), n.IsInt64()
}

// plus is a + b, if that fits.
func plus(a, b int64) (int64, bool) {
	c := a + b
	return c, (c > a) == (b > 0)
}
