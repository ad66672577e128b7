package till_test

import (
	"context"
	"fmt"
	"math/big"
	"reflect"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
)

// goods are the lines of a sale of the model, with what has come back of each.
type goods []modelLine

type modelLine struct {
	no                     uint16
	quantity, amount, back int64
}

func (g goods) lines() []loyalty.Line {
	var out []loyalty.Line
	for _, line := range g {
		out = append(out, loyalty.Line{No: line.no, Quantity: line.quantity, Amount: line.amount})
	}
	return out
}

// left is the share of the goods that is still sold, each line rounded down to a
// minor unit.
func (g goods) left() *big.Rat {
	var left, all int64
	for _, line := range g {
		kept := new(big.Int).Mul(big.NewInt(line.amount), big.NewInt(line.quantity-line.back))
		left += kept.Div(kept, big.NewInt(line.quantity)).Int64()
		all += line.amount
	}
	return big.NewRat(left, all)
}

func (g goods) gone() bool {
	for _, line := range g {
		if line.back < line.quantity {
			return false
		}
	}
	return true
}

// modelReturn is a return, with what it took of the sale's earnings.
type modelReturn struct {
	key    string
	seq    uint64
	taken  int64
	answer till.Returned
}

// takenAfter sums what returns after an entry, up to another, took of the earnings.
func (s *modelSale) takenAfter(after, to uint64) int64 {
	var sum int64
	for _, r := range s.returns {
		if r.seq > after && r.seq <= to {
			sum += r.taken
		}
	}
	return sum
}

func (s *modelSale) voidRefusal() problem.Code {
	switch {
	case s.voided != 0:
		return problem.SaleVoided
	case len(s.returns) > 0:
		return problem.SaleHasReturns
	}
	return ""
}

// bringBack returns some quantities of some sale, or all that is left, or too much.
func (l *life) bringBack(r *rapid.T) {
	m := l.some(r)
	l.n++
	call := till.Return{SaleReceipt: "R-" + m.key, Key: fmt.Sprint("return ", l.n)}
	after := append(goods{}, m.goods...)
	want := problem.Code("")
	switch {
	case m.voided != 0:
		want = problem.SaleVoided
	case m.goods.gone():
		want = problem.ReturnTooMuch
	}
	if !rapid.Bool().Draw(r, "everything left") {
		at := rapid.IntRange(0, len(after)-1).Draw(r, "line")
		n := rapid.Int64Range(1, after[at].quantity+100).Draw(r, "quantity")
		call.Lines = []till.ReturnLine{{No: after[at].no, Quantity: n}}
		if after[at].back += n; after[at].back > after[at].quantity && want == "" {
			want = problem.ReturnTooMuch
		}
	} else {
		for i := range after {
			after[i].back = after[i].quantity
		}
	}
	answer, err := l.till.Return(context.Background(), call)
	if want != "" {
		wantCode(r, err, want)
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	kept := new(big.Rat).Mul(after.left(), new(big.Rat).SetInt64(m.earned))
	still := new(big.Int).Div(kept.Num(), kept.Denom()).Int64()
	taken := m.earned - still - m.takenAfter(0, answer.At.Seq)
	m.goods = after
	m.returns = append(m.returns, modelReturn{call.Key, answer.At.Seq, taken, answer})
	if answer.Body.Whole != after.gone() || !answer.Body.Matched {
		r.Fatalf("%+v of goods %+v", answer.Body, after)
	}
	l.checkMoney(r, m, answer)
}

// checkMoney: what was given back and what is left are always what was paid, and
// once all came back nothing is left.
func (l *life) checkMoney(r *rapid.T, m *modelSale, answer till.Returned) {
	found, err := l.till.Sale(context.Background(), answer.Body.Sale)
	if err != nil {
		r.Fatal(err)
	}
	b := found.Returned
	if len(b.Returns) != len(m.returns) || !answer.Body.Whole && b.Refund+found.Left.Refund != found.Sale.ToPay() ||
		answer.Body.Whole && b.Refund != found.Sale.ToPay() {
		r.Fatalf("%d was paid, %+v came back, %+v is left", found.Sale.ToPay(), b, found.Left)
	}
	for _, line := range found.Left.Lines {
		for _, g := range m.goods {
			if g.no == line.No && g.quantity-g.back != line.Quantity {
				r.Fatalf("line %+v is left of %+v", line, g)
			}
		}
	}
}

func (l *life) bringBackAgain(r *rapid.T) {
	m := l.some(r)
	if len(m.returns) == 0 {
		r.Skip("nothing came back yet")
	}
	before := m.returns[rapid.IntRange(0, len(m.returns)-1).Draw(r, "return")]
	again, err := l.till.Return(context.Background(), till.Return{Key: before.key})
	again.Replayed = !again.Replayed
	if err != nil || !reflect.DeepEqual(again, before.answer) {
		r.Fatalf("%s again: %+v, %v; first %+v", before.key, again, err, before.answer)
	}
}
