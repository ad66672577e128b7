package till

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// presented is a code whose signature, dates and freshness were good when it was
// read. What needs memory is looked at again each time: blocks, issue, replay.
type presented struct {
	pass      passtoken.Pass
	freshness entry.Freshness
	step      int64
	repair    passtoken.Repair
}

// read verifies a raw code, or finds the member of a typed card number. While the clock is not trusted a rotating code proves
// no moment, but still a pass; redeeming is refused then.
func (t *Till) read(ctx context.Context, cat *catalogue, raw string) (presented, error) {
	if number, is, err := passtoken.ReadCardNumber(raw); is || err != nil {
		if err != nil {
			return presented{}, err
		}
		return t.readTyped(ctx, number)
	}
	now, _ := t.time.now()
	v, err := passtoken.Verifier{Kinds: []passtoken.Kind{passtoken.KindMember, passtoken.KindVoucher}}.
		Verify(raw, now, withPhone(t.time.errorBound()), cat.keys, cat.groups)
	if err != nil {
		return presented{}, orReceipt(err, raw, now)
	}
	p := presented{pass: v.Pass, freshness: entry.FreshnessStatic, step: v.Step, repair: v.Repair}
	if v.Freshness == passtoken.FreshnessRotating {
		p.freshness = entry.FreshnessRotating
	}
	return p, nil
}

// phoneError is how far a phone's clock may be off beside the one step that the format
// allows: with it a phone that is a minute off is accepted (decision 0023).
const phoneError = 30 * time.Second

// withPhone is how far the two clocks may be apart, of which one is off by at most own.
func withPhone(own time.Duration) time.Duration {
	if own > math.MaxInt64-phoneError {
		return own
	}
	return own + phoneError
}

// orReceipt says of a code that was refused as one of no known key when it is a receipt's:
// no key of HQ signs those, and who holds one should be told to claim it.
func orReceipt(refused error, raw string, now time.Time) error {
	if problem.CodeOf(refused) != problem.CodeKeyUnknown {
		return refused
	}
	switch _, _, err := passtoken.ReadClaim(raw, now, nil); {
	case err == nil:
		return problem.New(problem.CodeWrongKind, "this is a receipt's code; it is claimed, not used in a sale")
	case problem.CodeOf(err) == problem.CodeExpired:
		return err
	}
	return refused
}

// present reads the codes of a request and finds those scanned before.
func (t *Till) present(ctx context.Context, cat *catalogue, req Request) ([]presented, error) {
	if len(req.Codes)+len(req.Scans) > MaxCodes {
		return nil, problem.Newf(problem.InvalidField, "more than %d codes", MaxCodes)
	}
	var out []presented
	for _, id := range req.Scans {
		p, err := t.desk.scan(id)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	for _, raw := range req.Codes {
		p, err := t.read(ctx, cat, raw)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// party is whose sale it is. A voucher shown without a pass stands for the account
// it was issued to: it can be used and earns there, but gives no right to points.
type party struct {
	member     *wire.Member // nil: no code, or only a voucher of a member not known here
	id         uuid.UUID
	account    uuid.UUID
	pass       bool // a member's pass was shown
	unknown    bool // the pass is all that is known here of the member
	code       *presented
	voucherIDs []uuid.UUID
}

// meet finds out whose codes these are, and refuses those that are not good any
// more by what this terminal remembers.
func (t *Till) meet(l look, cat *catalogue, codes []presented) (party, error) {
	var p party
	now, _ := t.time.now()
	for i := range codes {
		c := &codes[i]
		var err error
		switch {
		case c.pass.Kind == passtoken.KindVoucher:
			err = p.meetVoucher(l, c)
		case p.pass && p.id != c.pass.Subject:
			err = problem.New(problem.CodeWrongKind, "codes of two members")
		default:
			err = p.meetMember(l, c, cat.policy, now)
		}
		if err == nil {
			err = checkReplay(l, c)
		}
		if err != nil {
			return party{}, err
		}
	}
	return p, nil
}

func (p *party) meetMember(l look, c *presented, policy loyalty.Policy, now time.Time) error {
	m, found, err := memberHere(l, c.pass.Subject)
	switch {
	case err != nil:
		return err
	case !found:
		// HQ's signature proves the membership, so the member can earn. HQ finds the
		// account; until then the member's own id stands for it.
		m, p.unknown = wire.Member{ID: c.pass.Subject, Account: c.pass.Subject, Issue: c.pass.Issue}, true
	case m.Blocked:
		return problem.New(problem.CodeBlocked, "the member is blocked")
	case !policy.IssueGood(c.pass.Issue, m.Issue, m.Replaced, now.UnixMilli()):
		return problem.Newf(problem.CodeOutdated, "issue %d, the newest is %d", c.pass.Issue, m.Issue)
	}
	p.member, p.id, p.account, p.pass, p.code = &m, m.ID, m.Account, true, c
	return nil
}

func (p *party) meetVoucher(l look, c *presented) error {
	v, found, err := readItem[wire.VoucherState](l, wire.ItemVoucher, c.pass.Subject)
	switch {
	case err != nil:
		return err
	case !found:
		return problem.New(problem.VoucherUnknown, "")
	case v.Voucher.Blocked:
		return problem.New(problem.CodeBlocked, "the voucher is blocked")
	case !v.Voucher.CodeGood(c.pass.Issue):
		return problem.Newf(problem.CodeOutdated, "issue %d of the voucher, the newest is %d", c.pass.Issue, v.Voucher.CodeIssue())
	}
	p.voucherIDs = append(p.voucherIDs, c.pass.Subject)
	if p.code != nil {
		return nil
	}
	m, found, err := readItem[wire.Member](l, wire.ItemMember, v.Voucher.Member)
	switch {
	case err != nil:
		return err
	case found && m.Blocked:
		return problem.New(problem.CodeBlocked, "the voucher's member is blocked")
	case found:
		p.member = &m
	}
	p.id, p.account, p.code = v.Voucher.Member, v.Voucher.Account, c
	return nil
}

// checkReplay refuses a rotating code that a sale has used.
func checkReplay(l look, c *presented) error {
	if c.step == 0 {
		return nil
	}
	_, used, err := get[uint64](l, TableStep, stepKey(c.pass.Subject, c.step))
	if err == nil && used {
		err = problem.New(problem.CodeReplayed, "")
	}
	return err
}

// entryCode is what the journal keeps of the code.
func (p party) entryCode() (*entry.Code, entry.Freshness) {
	if p.code == nil {
		return nil, 0
	}
	pass := p.code.pass
	return &entry.Code{Subject: pass.Subject, KeyID: pass.KeyID, Issue: pass.Issue, Step: p.code.step}, p.code.freshness
}

// readItem reads what HQ said last about a record that is not gone.
func readItem[T any](from getter, kind wire.ItemKind, id uuid.UUID) (value T, found bool, err error) {
	it, found, err := get[item](from, TableItem, itemKey(kind, id))
	if err != nil || !found || it.Body == nil {
		return value, false, err
	}
	value, err = decode[T](TableItem, it.Body)
	return value, err == nil, err
}
