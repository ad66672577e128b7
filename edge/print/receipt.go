package print

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/sync/entry"
)

// Marks are what a receipt says about itself.
type Marks struct {
	Copy     bool // not the first one
	Training bool // nothing of it happened
}

// Of lays a paper out.
func Of(p till.Paper, language Language, marks Marks) Document {
	r := receipt{Document: Document{Language: language}, paper: p, words: language.words()}
	r.marks(marks)
	switch {
	case p.Sale != nil:
		r.sale(*p.Sale)
	case p.Void != nil:
		r.void(*p.Void)
	case p.Return != nil:
		r.returned(*p.Return)
	case p.Claim != nil:
		r.claim(*p.Claim)
	case p.Day != nil:
		r.day(p.Day.Body)
	}
	r.foot()
	r.marks(marks)
	return r.Document
}

// receipt is a document in the making.
type receipt struct {
	Document
	paper till.Paper
	words words
}

func (r *receipt) marks(m Marks) {
	if m.Training {
		r.loud(r.words.training)
	}
	if m.Copy {
		r.loud(r.words.copied)
	}
}

// head says where, what and when.
func (r *receipt) head(title, receipt string) {
	if r.paper.Store != "" {
		r.Rows = append(r.Rows, Row{Kind: RowText, Text: r.paper.Store, Center: true, Bold: true})
	}
	if r.paper.Terminal != "" {
		r.center(r.words.till + " " + r.paper.Terminal)
	}
	r.feed()
	r.strong(title, r.clock(r.paper.OccurredAt))
	if receipt != "" {
		r.pair(r.words.receipt, receipt)
	}
	if r.paper.Cashier != "" {
		r.pair(r.words.cashier, r.paper.Cashier)
	}
	r.rule()
}

// foot is the paper's witness: where the entry stands, and its hash.
func (r *receipt) foot() {
	r.rule()
	r.pair(fmt.Sprintf("%s %d.%d", r.words.entry, r.paper.Epoch, r.paper.At.Seq), r.paper.At.Hash.Short())
}

func (r *receipt) clock(at time.Time) string { return at.In(r.paper.Zone).Format(r.words.clock) }

func (r *receipt) money(currency string, minor int64) string {
	return r.Language.money(currency, minor) + " " + currency
}

func (r *receipt) sale(f till.Found) {
	s := f.Sale
	r.head(r.words.sale, s.Body.Receipt)
	if f.Void != nil {
		r.loud(r.words.voided)
	}
	currency := s.Body.Total.Currency
	for _, line := range s.Body.Lines {
		name := line.SKU
		if name == "" {
			name = fmt.Sprint(line.No)
		}
		if line.Quantity != 1000 {
			name += " x " + r.quantity(line.Quantity)
		}
		r.pair(name, r.Language.money(currency, line.Amount))
	}
	r.strong(r.words.total, r.money(currency, s.Body.Total.Minor))
	r.redeemed(s.Body)
	if d := s.Discount(); d != 0 {
		r.pair(r.words.discount, r.money(currency, -d))
		r.strong(r.words.toPay, r.money(currency, s.ToPay()))
		if f.Void == nil {
			r.loud(fmt.Sprintf(r.words.takeOff, r.money(currency, d)))
		}
	}
	for _, e := range s.Body.Earned {
		r.pair(r.words.earned, r.amount(e.Unit, e.Amount))
	}
	r.balance()
	r.claimCode(s)
	r.rule()
	r.pair(r.words.reference, "")
	r.text(s.Body.ID.String())
	if s.Claim == nil && r.paper.Reference != "" {
		r.qr(r.paper.Reference) // one code on a receipt: with two, the wrong one is scanned
	}
}

// redeemed names what points and vouchers were used for. Only the first basis of a
// redemption has a discount.
func (r *receipt) redeemed(s entry.Sale) {
	for _, x := range s.Redeemed {
		if name := r.paper.Rewards[x.Reward]; name != "" && x.Discount != 0 {
			r.pair(name, r.Language.money(s.Total.Currency, -x.Discount))
		}
		r.pair(r.words.redeemed, r.amount(x.Unit, x.Amount))
	}
}

func (r *receipt) amount(unit string, n int64) string {
	if unit == "" {
		unit = r.words.uses
	}
	return r.Language.number(n) + " " + unit
}

// quantity is in thousandths.
func (r *receipt) quantity(n int64) string {
	if n%1000 == 0 {
		return r.Language.number(n / 1000)
	}
	return r.Language.decimal(n, 3)
}

func (r *receipt) balance() {
	if len(r.paper.Balance) == 0 {
		return
	}
	r.rule()
	for _, h := range r.paper.Balance {
		r.strong(r.words.balance, r.amount(h.Unit, h.Free))
		if h.Pending > 0 {
			r.pair(r.words.pending, r.amount(h.Unit, h.Pending))
		}
	}
	if !r.paper.BalanceAt.IsZero() {
		r.pair(r.words.asOf, r.clock(r.paper.BalanceAt))
	}
}

func (r *receipt) claimCode(s till.Sale) {
	if s.Claim == nil {
		return
	}
	r.rule()
	r.center(r.words.claim)
	for _, e := range s.Claim.Worth {
		r.strong(r.words.claimWorth, r.amount(e.Unit, e.Amount))
	}
	r.qr(s.Claim.Token.Text())
	last := s.Claim.Token.Pass().ExpiresOn.End().AddDate(0, 0, -1)
	r.pair(r.words.claimUntil, last.Format(r.words.clock[:len(r.words.clock)-len(" 15:04")]))
}

func (r *receipt) void(v till.VoidPaper) {
	receipt := ""
	if v.Sale != nil {
		receipt = v.Sale.Body.Receipt
	}
	r.head(r.words.voided, receipt)
	if v.Sale != nil {
		r.strong(r.words.toPay, r.money(v.Sale.Body.Total.Currency, -v.Sale.ToPay()))
	}
	r.pair(r.words.ofSale, "")
	r.text(v.Void.Body.Sale.String())
	r.balance()
}

func (r *receipt) returned(b till.Returned) {
	r.head(r.words.returned, b.Body.Receipt)
	for _, line := range b.Body.Lines {
		r.pair(fmt.Sprintf("%d x %s", line.No, r.quantity(line.Quantity)), r.Language.money(b.Body.Refund.Currency, -line.Amount))
	}
	r.strong(r.words.refund, r.money(b.Body.Refund.Currency, b.Body.Refund.Minor))
	if b.Left != nil && b.Left.Refund > 0 {
		r.pair(r.words.left, r.money(b.Body.Refund.Currency, b.Left.Refund))
	}
	if b.Body.Sale != uuid.Nil || b.Body.SaleReceipt != "" {
		r.pair(r.words.ofSale, b.Body.SaleReceipt)
	}
	if b.Body.Sale != uuid.Nil {
		r.text(b.Body.Sale.String())
	}
	r.balance()
}

func (r *receipt) claim(c till.ClaimedReceipt) {
	r.head(r.words.claimed, "")
	r.pair(r.words.receipt, "")
	r.text(c.Body.Claim.String())
}
