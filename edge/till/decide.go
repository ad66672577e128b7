package till

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// facts are what a decision rests on, all but the caps of the terminal.
type facts struct {
	party   party
	request loyalty.Request
	now     time.Time
	trusted bool
	date    entry.Date
}

// gather collects the facts from one look, also those that only redeeming asks for.
func (t *Till) gather(l look, cat *catalogue, codes []presented, req Request) (facts, error) {
	f, err := t.gatherParty(l, cat, codes, req)
	if err != nil || f.party.code == nil {
		return f, err
	}
	return f, t.gatherMeans(l, cat, &f)
}

// gatherParty collects what every sale rests on: the time, the rules and whose it is.
func (t *Till) gatherParty(l look, cat *catalogue, codes []presented, req Request) (facts, error) {
	now, trusted := t.time.now()
	f := facts{now: now, trusted: trusted, date: entry.DateOf(now.In(cat.zone))}
	var err error
	if f.party, err = meet(l, codes); err != nil {
		return facts{}, err
	}
	f.request = loyalty.Request{
		Now: now.UnixMilli(), Basket: req.Basket, Wishes: req.Wishes, Rules: *cat.rules, Policy: cat.policy,
		Rewards: cat.rewards, Vouchers: map[loyalty.ID]loyalty.Voucher{}, CacheAge: ageSeconds(t.cacheAge(now)),
	}
	if f.party.code != nil {
		f.request.Member = &loyalty.Member{ID: f.party.id, Account: f.party.account, Free: map[string]int64{}}
	}
	return f, nil
}

// gatherMeans adds what the shopper can redeem: points, vouchers wished for, and what
// they redeemed today. What they did here since HQ was heard is added up for it.
func (t *Till) gatherMeans(l look, cat *catalogue, f *facts) error {
	if f.party.pass {
		figures, err := holdings(l, *f.party.member, t.cfg.Writer, f.now)
		if err != nil {
			return err
		}
		for unit, n := range figures {
			f.request.Member.Free[unit] = n.free
		}
	}
	var err error
	if f.request.Spent.MemberToday, err = redeemedToday(l, f.party.id, f.date, cat.policy.Unit); err != nil {
		return err
	}
	return t.gatherVouchers(l, f.party, f.request.Wishes, f.request.Vouchers)
}

// gatherVouchers reads the vouchers wished for. One that was not scanned must be of
// the member whose pass was shown.
func (t *Till) gatherVouchers(l look, p party, wishes []loyalty.Wish, into map[loyalty.ID]loyalty.Voucher) error {
	for i, w := range wishes {
		if i >= loyalty.MaxWishes {
			return nil // loyalty refuses the request
		}
		if w.Voucher == (loyalty.ID{}) {
			continue
		}
		v, found, err := voucher(l, w.Voucher, t.cfg.Writer)
		if err != nil {
			return err
		}
		if found && (p.pass || contains(p.voucherIDs, w.Voucher)) {
			into[w.Voucher] = v
		}
	}
	return nil
}

func contains(ids []uuid.UUID, id loyalty.ID) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}

// decide asks the domain, with what the terminal has spent so far.
func (f facts) decide(points map[string]int64, uses int64) (loyalty.Decision, error) {
	if len(f.request.Wishes) > 0 && !f.trusted {
		return loyalty.Decision{}, problem.New(problem.ClockUntrusted, "")
	}
	f.request.Spent.TerminalSinceSync = max(0, points[f.request.Policy.Unit])
	f.request.Spent.VouchersSinceSync = max(0, uses)
	d, refusal := loyalty.Decide(f.request)
	if refusal != nil {
		return loyalty.Decision{}, refused(refusal)
	}
	return d, nil
}

// tryWish says why one redemption could not be made at this moment, or nil.
func (f facts) tryWish(w loyalty.Wish, points, uses int64) *problem.Error {
	if !f.trusted {
		return problem.New(problem.ClockUntrusted, "")
	}
	f.request.Wishes = []loyalty.Wish{w}
	f.request.Spent.TerminalSinceSync, f.request.Spent.VouchersSinceSync = max(0, points), max(0, uses)
	if _, refusal := loyalty.Redeemable(f.request); refusal != nil {
		return refused(refusal)
	}
	return nil
}

func refused(r *loyalty.Refusal) *problem.Error {
	return problem.New(problem.Code(r.Reason), r.Detail)
}

// check refuses a request that cannot be journalled, before anything is read.
func (r Request) check(cat *catalogue) error {
	if err := cat.ready(); err != nil {
		return err
	}
	if r.Basket.Currency != cat.store.Currency {
		return problem.Newf(problem.CurrencyMismatch, "the store's currency is %s", cat.store.Currency)
	}
	var errs []error
	for _, line := range r.Basket.Lines {
		errs = append(errs, checkText("sku", line.SKU, MaxText), checkText("category", line.Category, MaxText))
	}
	return errors.Join(errs...)
}

// checkText refuses a text that an entry cannot carry.
func checkText(field, text string, limit int) error {
	if len(text) > limit || !utf8.ValidString(text) {
		return &problem.Error{
			Code: problem.InvalidField, Detail: "a text is too long or not UTF-8",
			Fields: map[string]string{field: "too long or not UTF-8"},
		}
	}
	return nil
}

// checkKey refuses an idempotency key that an entry cannot carry.
func checkKey(key string) error {
	if key == "" {
		return problem.New(problem.IdempotencyNeeded, "")
	}
	return checkText("idempotency_key", key, MaxKey)
}
