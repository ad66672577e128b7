package till

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// returned is what one entry brought back of a sale (TableReturn).
type returned struct {
	ID     uuid.UUID          `cbor:"1,keyasint"`
	Lines  []entry.ReturnLine `cbor:"2,keyasint,omitempty"`
	Refund int64              `cbor:"3,keyasint,omitempty"`
	Whole  bool               `cbor:"4,keyasint,omitempty"`
}

// deriveReturn works out what a return means here. It gives back nothing that could
// be spent, and frees no cap: neither points and uses redeemed, nor what they count
// for the day and the terminal. Of a sale that is here it takes back what the goods
// had earned, so that the figures shown do not promise it; HQ's own figures follow.
// Of a sale that is not here, only its key is remembered.
func (t *Till) deriveReturn(ctx context.Context, seq uint64, body entry.Return) (derived, error) {
	var d derived
	if err := d.put(TableKey, textKey(body.Key), made{Seq: seq, Kind: entry.KindReturn, Hash: body.KeyHash}); err != nil {
		return derived{}, err
	}
	if !body.Matched {
		return d, nil
	}
	back := returned{ID: body.ID, Lines: body.Lines, Refund: body.Refund.Minor, Whole: body.Whole}
	if err := d.put(TableReturn, idKey(body.Sale, seq), back); err != nil {
		return derived{}, err
	}
	sale, _, err := t.saleOf(ctx, body.Sale)
	if gone(err) && t.cfg.Journal.First() > 1 {
		return d, nil // pruned, so HQ has it
	}
	if err != nil {
		return derived{}, fmt.Errorf("find the sale that entry %d returns: %w", seq, err)
	}
	left, err := t.remainsOf(ctx, sale, seq-1)
	if err != nil {
		return derived{}, err
	}
	if sale.Account == uuid.Nil {
		return d, nil
	}
	// HQ gives back what was redeemed too, whether or not anything was earned.
	return d, d.put(TableEffect, idKey(sale.Account, seq), effect{Earned: left.takeBack(back), Lots: lotsOf(sale, true)})
}

// remainsOf works out what the returns through entry last have left of a sale.
func (t *Till) remainsOf(ctx context.Context, sale entry.Sale, last uint64) (*remains, error) {
	before, err := t.returnsOf(ctx, sale.ID, last)
	if err != nil {
		return nil, err
	}
	left := newRemains(sale)
	for _, back := range before {
		left.apply(back)
	}
	return left, nil
}

// returnsOf returns what the entries through last brought back of a sale, in the
// order they were made.
func (t *Till) returnsOf(ctx context.Context, sale uuid.UUID, last uint64) ([]returned, error) {
	found := map[uint64]returned{}
	var order []uint64
	err := t.look(ctx, func(l look) error {
		return l.scan(TableReturn, sale[:], nil, func(key, value []byte) error {
			seq := seqOf(key)
			if seq > last {
				return nil
			}
			back, err := decode[returned](TableReturn, value)
			found[seq], order = back, append(order, seq)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read returns of a sale: %w", err)
	}
	slices.Sort(order)
	out := make([]returned, len(order))
	for i, seq := range order {
		out[i] = found[seq]
	}
	return out, nil
}

// takeBack returns what the earnings of the sale lose by one more return, as negative
// earnings. It is an estimate until HQ's figures are here: what a rule gave for some
// lines only is spread over the whole basket, since a sale does not say which they
// were. Parts are rounded against the shopper, once over all returns.
func (m *remains) takeBack(back returned) []amount {
	after := m.clone()
	after.apply(back)
	var out []amount
	for _, e := range m.sale.Earned {
		if n := m.lost(e) - after.lost(e); n != 0 {
			out = append(out, amount{Unit: e.Unit, Amount: n, VestsAt: e.VestsAt})
		}
	}
	return out
}

// lost is what one earning has lost by all returns so far.
func (m *remains) lost(e entry.Earning) int64 {
	kept := int64(0)
	if !m.whole {
		part, of := m.keptPart(e.Line)
		kept = portion(e.Amount, part, of)
	}
	return e.Amount - kept
}

// keptPart says which part of what an earning was for is still sold.
func (m *remains) keptPart(line uint16) (part, of int64) {
	if g := m.goods[line]; line != 0 && g != nil {
		return g.sold - g.back, g.sold
	}
	if len(m.order) == 0 {
		return m.paid - m.refunded, m.paid
	}
	for _, no := range m.order {
		g := m.goods[no]
		part += portion(g.amount, g.sold-g.back, g.sold)
		of += g.amount
	}
	return part, of
}
