package till

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// facts are what a decision rests on, all but the caps of the terminal.
type facts struct {
	party   party
	request loyalty.Request
	now     time.Time
	date    entry.Date
	rights  []right // of the account, that may be spent
	// elsewhere is what other lanes of the store were granted on the account.
	elsewhere []grant
	// canBorrow and canAuthorise say whom the commit would ask.
	canBorrow, canAuthorise bool
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
	f := facts{now: now, date: t.dateOf(now)}
	var err error
	if f.party, err = t.meet(l, cat, codes); err != nil {
		return facts{}, err
	}
	f.request = loyalty.Request{
		Now: now.UnixMilli(), Basket: req.Basket, Wishes: req.Wishes, Rules: *cat.rules, Policy: cat.policy,
		Rewards: cat.rewards, Vouchers: map[loyalty.ID]loyalty.Voucher{}, CacheAge: ageSeconds(t.cacheAge(now)),
		StandIn:     loyalty.StandIn{Share: cat.shareGiven(), ClockUntrusted: !trusted},
		Unwitnessed: t.witness.unwitnessed(),
	}
	if c := f.party.code; c != nil {
		f.request.Member = &loyalty.Member{ID: f.party.id, Account: f.party.account, Unknown: f.party.unknown, Free: map[string]int64{}, Owes: owes(f.party.member)}
		f.request.StandIn.Freshness = loyalty.Freshness(c.freshness)
	}
	if f.party.unknown {
		f.request.Spent.UnknownToday, err = soldUnknown(l, f.party.id, f.date)
	}
	return f, err
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
	f.request.StandIn.Chance = t.chance(f.party.account, f.date, f.request.Spent.MemberToday)
	if err := t.gatherRights(l, f); err != nil {
		return err
	}
	return t.gatherVouchers(l, f.party, f.request.Wishes, f.request.Vouchers)
}

// gatherRights adds the rights held here, and what other lanes were granted. One that
// only showed a voucher spends no points.
func (t *Till) gatherRights(l look, f *facts) error {
	var err error
	if f.rights, err = t.held(l, f.party.account); err != nil {
		return err
	}
	if h := t.helpers.Load(); h != nil {
		f.canBorrow, f.canAuthorise = h.Lender != nil, h.Authoriser != nil && t.online.Load()
	}
	for _, r := range f.rights {
		f.request.Rights = append(f.request.Rights, r.domain())
	}
	grants, err := t.grantsOf(l, f.party.account)
	f.elsewhere = slices.DeleteFunc(grants, func(g grant) bool {
		return g.Terminal == t.cfg.Writer.ID || g.said.Recalled || g.said.Closed
	})
	return err
}

// chance is the random number of a decision. The same shopper gets the same one until
// something was redeemed, so that asking again does not help.
func (t *Till) chance(account uuid.UUID, date entry.Date, today int64) uint32 {
	sum := sha256.New()
	sum.Write(t.luck[:])
	sum.Write(account[:])
	sum.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, uint32(date)), uint64(today)))
	return binary.BigEndian.Uint32(sum.Sum(nil))
}

// owes is in which units the member's account is overdrawn.
func owes(m *wire.Member) map[string]int64 {
	out := map[string]int64{}
	if m != nil {
		for _, h := range m.Holdings {
			out[h.Unit] = h.Overdraft
		}
	}
	return out
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
func (f facts) decide(total tally) (loyalty.Decision, error) {
	f.count(total)
	d, refusal := loyalty.Decide(f.request)
	if refusal != nil {
		return loyalty.Decision{}, refused(refusal)
	}
	return d, nil
}

// count sets what the caps look at.
func (f *facts) count(total tally) {
	f.request.Spent.TerminalSinceSync = max(0, total.points[f.request.Policy.Unit])
	f.request.Spent.VouchersSinceSync = max(0, total.uses)
	f.request.Spent.Restart = max(0, total.all)
}

// tryWish says why one redemption could not be made at this moment, or nil.
func (f facts) tryWish(w loyalty.Wish, total tally) *problem.Error {
	f.request.Wishes = []loyalty.Wish{w}
	f.count(total)
	f.hope()
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
