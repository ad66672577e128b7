package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// Exceptions about who did what at a till.
const (
	ApprovalMissing ExceptionKind = "approval_missing" // a manager should have approved
	ApproverInvalid ExceptionKind = "approver_invalid" // who approved could not
)

// Deed is what somebody did at a till that a manager approved, or may have had to. Amount
// is the money of the sale that was voided, or given back by a return; of a sale it is what
// was taken off. Typed: it redeemed on a typed card number, without HQ.
type Deed struct {
	Entry
	Hands      entry.Hands
	Member     uuid.UUID
	Amount     int64
	Currency   string
	Typed      bool
	Policy     uint64
	LostAnswer bool
}

// Watch looks at what was done at tills.
type Watch interface {
	// Seen is called before anything that came with the deeds is posted, and again after
	// a crash. While it fails, their journals stand.
	Seen(ctx context.Context, deeds []Deed) error
}

// SetWatch names who looks at deeds. Set it before anything is applied.
func (l *Ledger) SetWatch(w Watch) { l.watch = w }

// showDeeds hands those facts to the watch that it may have something to say about.
func (l *Ledger) showDeeds(ctx context.Context, facts []fact) error {
	if l.watch == nil {
		return nil
	}
	var deeds []Deed
	for i := range facts {
		if d, ok := facts[i].deed(); ok {
			deeds = append(deeds, d)
		}
	}
	if len(deeds) == 0 {
		return nil
	}
	if err := l.watch.Seen(ctx, deeds); err != nil {
		return fmt.Errorf("look at what was done: %w", err)
	}
	return nil
}

// deed is the fact as a deed; ok is false for what nobody needs to look at.
func (f *fact) deed() (d Deed, ok bool) {
	d.Entry = f.Entry
	switch {
	case f.sale != nil:
		s := f.sale
		d.Hands, d.Member, d.Policy, d.Currency = s.Hands, s.Member, s.Policy, s.Total.Currency
		for _, r := range s.Redeemed {
			d.Amount = max(d.Amount, d.Amount+r.Discount)
			d.Typed = d.Typed || s.Freshness == entry.FreshnessKeyed && r.Basis != entry.BasisHQAuthorised
		}
		return d, d.Typed || s.Approver != uuid.Nil
	case f.void != nil:
		v := f.void
		d.Hands, d.Member, d.Amount, d.Currency = v.Hands, v.Member, v.Total.Minor, v.Total.Currency
		d.LostAnswer = v.Reason == entry.VoidLostAnswer
	case f.ret != nil:
		r := f.ret
		d.Hands, d.Member, d.Amount, d.Currency = r.Hands, r.Member, r.Refund.Minor, r.Refund.Currency
	}
	return d, d.Hands.TillRules != 0 || d.Hands.Approver != uuid.Nil
}
