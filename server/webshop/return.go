package webshop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// maxReturns bounds the returns of one sale.
const maxReturns = 100

// Return is goods of a sale that come back. Of a sale with lines Lines says which and
// how much of each; of one without, Refund says how much money is given back. Neither
// is all that is left.
type Return struct {
	Sale    uuid.UUID
	Lines   []entry.ReturnLine
	Refund  int64
	Receipt string
	Key     string
	KeyHash [32]byte
}

// Returned is a return as journalled.
type Returned struct {
	Place
	OccurredAt time.Time
	Body       entry.Return
}

// Return takes goods back, under the till's rules: never more than is left of the
// sale. When it returns without error, the return is journalled and posted.
func (s *Shop) Return(ctx context.Context, r Return) (Returned, error) {
	var out Returned
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		no, err := s.env.Store.CountReturn(ctx, r.Sale)
		if problem.CodeOf(err) == problem.NotFound {
			return s.notReturnable(ctx, r.Sale)
		}
		if err != nil {
			return err
		}
		if no > maxReturns {
			return problem.Newf(problem.StateConflict, "a sale comes back in at most %d parts", maxReturns)
		}
		sale, err := s.Sale(ctx, r.Sale)
		if err != nil {
			return err
		}
		body, err := s.returning(ctx, sale, r)
		if err != nil {
			return err
		}
		l, err := s.laneOf(ctx, sale.Place)
		if err != nil {
			return err
		}
		seq, err := s.write(ctx, l, entry.KindReturn, body)
		if err != nil {
			return err
		}
		at := Place{Sale: r.Sale, Terminal: l.terminal.ID, Epoch: l.terminal.Epoch, Seq: seq}
		out = Returned{Place: at, OccurredAt: s.now(), Body: body}
		return s.env.Store.AddWebReturn(ctx, at, no)
	})
	if err != nil {
		return Returned{}, fmt.Errorf("return goods: %w", err)
	}
	return out, nil
}

// notReturnable says why nothing can come back of a sale.
func (s *Shop) notReturnable(ctx context.Context, sale uuid.UUID) error {
	if _, err := s.Sale(ctx, sale); err != nil {
		return err
	}
	return problem.New(problem.SaleVoided, "")
}

// returning is the body of the entry.
func (s *Shop) returning(ctx context.Context, sale Sale, r Return) (entry.Return, error) {
	sold := soldOf(sale.Body)
	left, paidBack, err := s.returnedOf(ctx, sale, sold)
	if err != nil {
		return entry.Return{}, err
	}
	before, all := left.Of("")
	if before == all {
		return entry.Return{}, problem.New(problem.ReturnTooMuch, "nothing is left of the sale")
	}
	back, err := wanted(sold, r)
	if err != nil {
		return entry.Return{}, err
	}
	if left.Take(back) {
		return entry.Return{}, problem.New(problem.ReturnTooMuch, "more comes back than is left of the sale")
	}
	after, _ := left.Of("")
	// Of what was paid, so that all parts add up to it.
	refund := loyalty.Prorate(sold.Paid, after, all) - loyalty.Prorate(sold.Paid, before, all)
	if len(sold.Lines) == 0 {
		if refund = r.Refund; back.Whole {
			refund = sold.Paid - paidBack
		}
	}
	body := entry.Return{
		ID: s.env.NewID(), Sale: sale.Sale, Origin: sale.Terminal, OriginEpoch: sale.Epoch, OriginSeq: sale.Seq,
		Member: sale.Body.Member, Account: sale.Body.Account, Lines: r.Lines, Receipt: r.Receipt, SaleReceipt: sale.Body.Receipt,
		RuleSet: sale.Body.RuleSet, Matched: true, Whole: after == all, Key: r.Key, KeyHash: r.KeyHash[:],
		Refund: entry.Money{Currency: sale.Body.Total.Currency, Minor: refund},
	}
	return body, nil
}

// wanted is a return as the domain looks at it.
func wanted(sold loyalty.Sold, r Return) (loyalty.Back, error) {
	switch {
	case len(r.Lines) == 0 && r.Refund == 0:
		return loyalty.Back{Whole: true}, nil
	case len(sold.Lines) == 0 && len(r.Lines) > 0:
		return loyalty.Back{}, invalid("/lines", "the sale has no lines; say how much is given back")
	case len(sold.Lines) > 0 && r.Refund != 0:
		return loyalty.Back{}, invalid("/refund", "the sale has lines; say which came back")
	case r.Refund < 0:
		return loyalty.Back{}, problem.New(problem.AmountInvalid, "the refund is below zero")
	case len(r.Lines) > loyalty.MaxLines:
		return loyalty.Back{}, invalid("/lines", "are too many")
	}
	back := loyalty.Back{Refund: r.Refund}
	for i, l := range r.Lines {
		at := fmt.Sprintf("/lines/%d", i)
		if !hasLine(sold, l.No) {
			return loyalty.Back{}, invalid(at+"/no", "is no line of the sale")
		}
		if l.Quantity <= 0 || l.Quantity > loyalty.MaxAmount {
			return loyalty.Back{}, invalid(at+"/quantity", "must be above zero")
		}
		back.Lines = append(back.Lines, loyalty.Line{No: l.No, Quantity: l.Quantity})
	}
	return back, nil
}

func hasLine(sold loyalty.Sold, no uint16) bool {
	for _, l := range sold.Lines {
		if l.No == no {
			return true
		}
	}
	return false
}

func invalid(pointer, reason string) error {
	return &problem.Error{
		Code: problem.InvalidField, Detail: "the goods cannot be taken back", Fields: map[string]string{pointer: reason},
	}
}

func soldOf(sale entry.Sale) loyalty.Sold {
	sold := loyalty.Sold{Total: sale.Total.Minor, Paid: sale.Total.Minor}
	for _, r := range sale.Redeemed {
		sold.Paid -= r.Discount
	}
	for _, l := range sale.Lines {
		sold.Lines = append(sold.Lines, loyalty.Line(l))
	}
	return sold
}

// returnedOf is what has come back of a sale so far, from the journals, and how much
// money was given back for it.
func (s *Shop) returnedOf(ctx context.Context, sale Sale, sold loyalty.Sold) (out *loyalty.Returned, paidBack int64, err error) {
	places, err := s.env.Store.WebReturns(ctx, sale.Sale)
	if err != nil {
		return nil, 0, fmt.Errorf("read returns: %w", err)
	}
	out = loyalty.NewReturned(sold)
	for _, p := range places {
		rows, err := s.env.Ledger.EntriesAt(ctx, p.Terminal, p.Epoch, p.Seq)
		if err != nil {
			return nil, 0, err
		}
		e, err := entry.Decode(rows[0].Raw)
		if err != nil {
			return nil, 0, err
		}
		r, err := entry.DecodeBody[entry.Return](e)
		if err != nil {
			return nil, 0, err
		}
		back := loyalty.Back{Refund: r.Refund.Minor, Whole: r.Whole}
		for _, l := range r.Lines {
			back.Lines = append(back.Lines, loyalty.Line{No: l.No, Quantity: l.Quantity})
		}
		out.Take(back)
		paidBack += r.Refund.Minor
	}
	return out, paidBack, nil
}
