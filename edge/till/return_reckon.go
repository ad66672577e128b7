package till

import (
	"maps"
	"math/bits"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// remains is what is left of a sale after some returns of it.
type remains struct {
	sale     entry.Sale
	order    []uint16 // numbers of the lines, as sold; none: returned by amount
	goods    map[uint16]*goods
	paid     int64 // total less discounts
	refunded int64
	whole    bool // nothing is left
	returns  []uuid.UUID
}

// goods is one line number of a sale; lines that share a number are one.
type goods struct {
	sku          string
	sold, amount int64 // quantity in thousandths, price in minor units
	back, value  int64 // of it returned
}

func newRemains(sale entry.Sale) *remains {
	m := &remains{sale: sale, goods: map[uint16]*goods{}, paid: Sale{Body: sale}.ToPay()}
	for _, line := range sale.Lines {
		g := m.goods[line.No]
		if g == nil {
			g = &goods{sku: line.SKU}
			m.goods[line.No], m.order = g, append(m.order, line.No)
		}
		if g.sold += line.Quantity; g.sold < 0 {
			g.sold = 1<<63 - 1 // nobody brings that much back
		}
		g.amount += line.Amount
	}
	return m
}

func (m *remains) clone() *remains {
	out := *m
	out.goods = maps.Clone(m.goods)
	for no, g := range out.goods {
		copied := *g
		out.goods[no] = &copied
	}
	return &out
}

// apply takes one return off.
func (m *remains) apply(back returned) {
	for _, line := range back.Lines {
		if g := m.goods[line.No]; g != nil {
			g.back += line.Quantity
			g.value += line.Amount
		}
	}
	m.refunded += back.Refund
	m.whole = m.whole || back.Whole
	m.returns = append(m.returns[:len(m.returns):len(m.returns)], back.ID)
}

// take checks a return against what is left, and works out what it did not say. It
// changes nothing.
func (m *remains) take(r Return) (returned, error) {
	if m.whole {
		return returned{}, problem.New(problem.ReturnTooMuch, "nothing is left of the sale")
	}
	if r.Refund != nil && r.Refund.Currency != m.sale.Total.Currency {
		return returned{}, problem.Newf(problem.CurrencyMismatch, "the sale was in %s", m.sale.Total.Currency)
	}
	back, err := m.takeGoods(r)
	if err != nil {
		return returned{}, err
	}
	after := m.clone()
	after.apply(back)
	back.Whole = after.nothingLeft()
	left := m.paid - m.refunded
	switch {
	case r.Refund != nil && r.Refund.Minor > left:
		return returned{}, problem.Newf(problem.ReturnTooMuch, "%d is given back, %d of what was paid is left", r.Refund.Minor, left)
	case r.Refund != nil:
		back.Refund = r.Refund.Minor
	case len(m.order) > 0:
		// The part of the price that was paid, so that all parts add up.
		total := m.sale.Total.Minor
		back.Refund = min(left, portion(m.paid, after.value(), total)-portion(m.paid, m.value(), total))
	default:
		back.Refund, back.Whole = left, true
	}
	if len(m.order) == 0 {
		back.Whole = back.Refund == left
	}
	return back, nil
}

// takeGoods works out the lines of a return.
func (m *remains) takeGoods(r Return) (returned, error) {
	switch {
	case len(m.order) == 0 && len(r.Lines) > 0:
		return returned{}, wrongField("lines", "the sale has no lines; say how much is given back")
	case len(m.order) == 0 && r.Refund != nil && r.Refund.Minor == 0:
		return returned{}, problem.New(problem.AmountInvalid, "the refund is 0 and the sale has no lines")
	case len(m.order) == 0:
		return returned{}, nil
	case len(r.Lines) == 0 && r.Refund != nil:
		return returned{}, wrongField("lines", "the sale has lines; say which came back, or leave out the refund too when all did")
	case len(r.Lines) == 0:
		return returned{Lines: m.rest()}, nil
	}
	var out returned
	for _, line := range r.Lines {
		taken, err := m.takeLine(line)
		if err != nil {
			return returned{}, err
		}
		out.Lines = append(out.Lines, taken)
	}
	return out, nil
}

func (m *remains) takeLine(line ReturnLine) (entry.ReturnLine, error) {
	g := m.goods[line.No]
	if g == nil {
		return entry.ReturnLine{}, problem.Newf(problem.ReturnTooMuch, "the sale has no line %d", line.No)
	}
	if line.Quantity > g.sold-g.back {
		return entry.ReturnLine{}, problem.Newf(problem.ReturnTooMuch,
			"line %d: %d thousandths come back, %d of %d are left", line.No, line.Quantity, g.sold-g.back, g.sold)
	}
	if line.Amount > g.amount-g.value {
		return entry.ReturnLine{}, problem.Newf(problem.ReturnTooMuch,
			"line %d: goods for %d come back, for %d of %d are left", line.No, line.Amount, g.amount-g.value, g.amount)
	}
	out := entry.ReturnLine{No: line.No, Quantity: line.Quantity, Amount: line.Amount}
	if out.Amount == 0 {
		price := portion(g.amount, g.back+line.Quantity, g.sold) - portion(g.amount, g.back, g.sold)
		out.Amount = min(price, g.amount-g.value)
	}
	return out, nil
}

// rest is everything that is left, as lines of a return.
func (m *remains) rest() []entry.ReturnLine {
	var out []entry.ReturnLine
	for _, no := range m.order {
		if g := m.goods[no]; g.back < g.sold {
			out = append(out, entry.ReturnLine{No: no, Quantity: g.sold - g.back, Amount: g.amount - g.value})
		}
	}
	return out
}

// nothingLeft says whether every line has come back.
func (m *remains) nothingLeft() bool {
	for _, g := range m.goods {
		if g.back < g.sold {
			return false
		}
	}
	return true
}

// value is the price of all goods that came back.
func (m *remains) value() int64 {
	var sum int64
	for _, g := range m.goods {
		sum += g.value
	}
	return sum
}

func (m *remains) left() *Left {
	out := &Left{}
	if m.whole {
		return out
	}
	out.Refund = m.paid - m.refunded
	for _, line := range m.rest() {
		out.Lines = append(out.Lines, LeftLine{
			No: line.No, SKU: m.goods[line.No].sku, Quantity: line.Quantity, Amount: line.Amount,
		})
	}
	return out
}

// broughtBack returns the sum of all returns, or nil when there is none.
func (m *remains) broughtBack() *BroughtBack {
	if len(m.returns) == 0 {
		return nil
	}
	out := &BroughtBack{Returns: m.returns, Refund: m.refunded, Whole: m.whole}
	for _, no := range m.order {
		if g := m.goods[no]; g.back > 0 {
			out.Lines = append(out.Lines, entry.ReturnLine{No: no, Quantity: g.back, Amount: g.value})
		}
	}
	return out
}

// portion returns of × part ÷ whole rounded down, part held between 0 and whole. The
// product is 128 bits wide. Of nothing, the portion is nothing.
func portion(of, part, whole int64) int64 {
	part = max(0, min(part, whole))
	if whole <= 0 || of <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(of), uint64(part))
	q, _ := bits.Div64(hi, lo, uint64(whole))
	return int64(q)
}
