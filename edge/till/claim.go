package till

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// ReceiptClaim is what a receipt says of a sale without a card: the code by which it can
// be claimed through a day, and what it is worth by the rules it was sold under.
type ReceiptClaim struct {
	Token passtoken.Token
	Worth []loyalty.Earned
}

// NewClaim shows a receipt's code and a member's.
type NewClaim struct {
	Receipt string
	Code    string
	Key     string
	KeyHash [32]byte
	Cashier string
	Caller  Caller
}

// ClaimedReceipt is a claim as the journal has it. It gives nothing before HQ says so.
type ClaimedReceipt struct {
	Entry
	Body     entry.Claim
	Replayed bool
}

// Claim takes in that a member shows a receipt. When it returns without error, it is
// durable, and HQ decides who gets what the sale earned.
func (t *Till) Claim(ctx context.Context, c NewClaim) (ClaimedReceipt, error) {
	end, err := t.begin()
	if err != nil {
		return ClaimedReceipt{}, err
	}
	defer end()
	if err := errors.Join(checkKey(c.Key), checkText("cashier", c.Cashier, MaxText)); err != nil {
		return ClaimedReceipt{}, err
	}
	unlock, err := t.locks.lock(ctx, lockKey(c.Key))
	if err != nil {
		return ClaimedReceipt{}, fmt.Errorf("claim receipt: %w", err)
	}
	defer unlock()
	before, found, err := t.madeBy(ctx, c.Key, entry.KindClaim, c.KeyHash)
	if err != nil {
		return ClaimedReceipt{}, err
	}
	if found {
		body, at, err := readBody[entry.Claim](ctx, t.cfg.Journal, before.Seq)
		return ClaimedReceipt{Entry: at, Body: body, Replayed: true}, err
	}
	who, err := t.actForReal(c.Caller)
	if err != nil {
		return ClaimedReceipt{}, err
	}
	if err := t.room(t.cfg.Limits.MinFreeSale); err != nil {
		return ClaimedReceipt{}, err
	}
	if err := t.observeClock(ctx); err != nil {
		return ClaimedReceipt{}, err
	}
	cat := t.catalogue.Load()
	if err := errors.Join(cat.ready(), t.mayRedeem()); err != nil { // HQ takes no claims of one that is out
		return ClaimedReceipt{}, err
	}
	return t.claim(ctx, cat, c, who)
}

func (t *Till) claim(ctx context.Context, cat *catalogue, c NewClaim, who acting) (ClaimedReceipt, error) {
	now, _ := t.time.now()
	var roster []ed25519.PublicKey
	for _, lane := range cat.lanes {
		roster = append(roster, lane.PublicKey)
	}
	receipt, matched, err := passtoken.ReadClaim(c.Receipt, now, roster)
	if err != nil {
		return ClaimedReceipt{}, err
	}
	shown, err := t.read(ctx, cat, c.Code)
	if err != nil {
		return ClaimedReceipt{}, err
	}
	if shown.pass.Kind != passtoken.KindMember {
		return ClaimedReceipt{}, problem.New(problem.CodeWrongKind, "the second code is no member's")
	}
	id := receipt.Pass().Subject
	unlock, err := t.locks.lock(ctx, lockSubject(id), lockSubject(shown.pass.Subject))
	if err != nil {
		return ClaimedReceipt{}, fmt.Errorf("claim receipt: %w", err)
	}
	defer unlock()
	var p party
	err = t.look(ctx, func(l look) error {
		_, before, err := get[uint64](l, TableClaim, id[:])
		if err == nil && before {
			err = problem.New(problem.ReceiptClaimed, "it was claimed at this till")
		}
		if err == nil {
			p, err = t.meet(l, t.catalogue.Load(), []presented{shown})
		}
		return err
	})
	if err != nil {
		return ClaimedReceipt{}, err
	}
	code, freshness := p.entryCode()
	body := entry.Claim{
		Claim: id, Member: p.id, Account: p.account, Token: receipt[:], Freshness: freshness, Code: code, Matched: matched,
		Cashier: who.cashierText(c.Cashier), Key: c.Key, KeyHash: c.KeyHash[:], Hands: who.hands,
	}
	at, err := t.record(ctx, now, entry.KindClaim, body)
	if err != nil {
		return ClaimedReceipt{}, err
	}
	return ClaimedReceipt{Entry: at, Body: body}, nil
}

func deriveClaim(seq uint64, c entry.Claim) (derived, error) {
	var d derived
	errs := []error{
		d.put(TableKey, textKey(c.Key), made{Seq: seq, Kind: entry.KindClaim, Hash: c.KeyHash}),
		d.put(TableClaim, c.Claim[:], seq),
	}
	if c.Code != nil && c.Code.Step != 0 {
		errs = append(errs, d.put(TableStep, stepKey(c.Code.Subject, c.Code.Step), seq))
	}
	return d, errors.Join(errs...)
}

// claimOf is the claim of a sale that is about to be made: of one without a card, when
// the programme has receipts claimed and this terminal can sign.
func (t *Till) claimOf(sale entry.Sale, policy loyalty.Policy) uuid.UUID {
	if policy.ClaimDays <= 0 || len(t.cfg.Signer.Private()) == 0 || sale.Member != uuid.Nil || sale.Account != uuid.Nil || len(sale.Redeemed) > 0 {
		return uuid.Nil
	}
	return entry.ClaimOf(sale.ID)
}

// withClaim adds what the receipt of a sale says.
func (t *Till) withClaim(sale Sale) Sale {
	cat := t.catalogue.Load()
	body := sale.Body
	if body.Claim == uuid.Nil || cat == nil || cat.rules == nil || cat.policy.ClaimDays <= 0 {
		return sale
	}
	last, err := passtoken.DayOf(sale.OccurredAt.Add(time.Duration(cat.policy.ClaimDays) * 24 * time.Hour))
	if err != nil {
		return sale // a clock before 2024: no receipt could be claimed
	}
	sale.Claim = &ReceiptClaim{Token: passtoken.IssueClaim(t.cfg.Signer, body.Claim, last)}
	if cat.rules.Version == body.RuleSet {
		basket := loyalty.Basket{Currency: body.Total.Currency, Total: body.Total.Minor}
		for _, l := range body.Lines {
			basket.Lines = append(basket.Lines, loyalty.Line(l))
		}
		if worth, err := loyalty.Earn(*cat.rules, basket, 0, sale.OccurredAt.UnixMilli()); err == nil {
			sale.Claim.Worth = worth
		}
	}
	return sale
}
