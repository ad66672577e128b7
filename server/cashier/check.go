package cashier

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Seen implements ledger.Watch: it looks at what terminals did under the rules they say
// they held. Looking again changes nothing.
func (c *Cashiers) Seen(ctx context.Context, deeds []ledger.Deed) error {
	var found []ledger.Exception
	for _, d := range deeds {
		kind, cause, err := c.judge(ctx, d)
		if err != nil {
			return fmt.Errorf("check approval of entry %d of %s: %w", d.Seq, d.Terminal, err)
		}
		if kind != "" {
			found = append(found, exceptionOf(d, kind, cause))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return c.env.Keeper.AddExceptions(ctx, found)
}

// judge names what is wrong with an approval, or nothing.
func (c *Cashiers) judge(ctx context.Context, d ledger.Deed) (ledger.ExceptionKind, string, error) {
	needed, why, err := c.needed(ctx, d)
	if err != nil {
		return "", "", err
	}
	if d.Hands.Approver == uuid.Nil {
		if needed {
			return ledger.ApprovalMissing, why, nil
		}
		return "", "", nil
	}
	who, err := c.env.Keeper.Cashier(ctx, d.Store, d.Hands.Approver)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return ledger.ApproverInvalid, "the store has nobody with the approver's id", nil
	case err != nil:
		return "", "", err
	case d.OccurredAt > who.ManagerUntil:
		return ledger.ApproverInvalid, "who approved was no manager of the store at that time", nil
	}
	return "", "", nil
}

// needed says whether the rules and the policy that the terminal says it held ask for a
// manager. Of rules that HQ never made nothing can be said.
func (c *Cashiers) needed(ctx context.Context, d ledger.Deed) (bool, string, error) {
	if d.Typed {
		p, err := c.policy(ctx, d.Policy)
		return err == nil && p.KeyedNeedsApproval(), "redeemed on a typed card number without a manager", err
	}
	if d.Hands.TillRules == 0 {
		return false, "", nil
	}
	rules, err := c.rulesAt(ctx, d.Store, d.Hands.TillRules)
	if err != nil {
		return false, "", err
	}
	switch d.Kind {
	case entry.KindVoid:
		return rules.VoidNeedsApproval(d.Amount) && !d.LostAnswer, "a sale over the store's limit was voided without a manager", nil
	case entry.KindReturn:
		return rules.ReturnNeedsApproval(d.Amount), "a return over the store's limit was made without a manager", nil
	}
	return false, "", nil
}

func exceptionOf(d ledger.Deed, kind ledger.ExceptionKind, cause string) ledger.Exception {
	return ledger.Exception{
		ID: uuid.NewSHA1(uuid.Nil, append(d.Hash[:], kind...)), Shard: shard.Of(d.Terminal), Kind: kind, State: ledger.ExceptionOpen,
		Liable: "store", Cause: cause, Source: d.Hash, Terminal: d.Terminal, Epoch: d.Epoch, Seq: d.Seq, Store: d.Store, Member: d.Member,
		Currency: d.Currency, Money: d.Amount, OccurredAt: d.OccurredAt, RecordedAt: d.RecordedAt,
	}
}

// memory holds rules and policies of past versions, which never change.
type memory struct {
	mu       sync.Mutex
	rules    map[ruleKey]loyalty.TillRules
	policies map[uint64]loyalty.Policy
}

type ruleKey struct {
	store   uuid.UUID
	version uint64
}

// mostRemembered bounds each map of the memory.
const mostRemembered = 4096

func newMemory() *memory {
	return &memory{rules: map[ruleKey]loyalty.TillRules{}, policies: map[uint64]loyalty.Policy{}}
}

// rulesAt returns a version of a store's rules; the zero value when HQ made none such.
func (c *Cashiers) rulesAt(ctx context.Context, store uuid.UUID, version uint64) (loyalty.TillRules, error) {
	return recall(c.seen, c.seen.rules, ruleKey{store, version}, func() (loyalty.TillRules, error) {
		body, err := c.env.Keeper.TillRules(ctx, store, version)
		if err != nil {
			return loyalty.TillRules{}, err
		}
		return wire.Unmarshal[loyalty.TillRules](body)
	})
}

// policy returns a version of the policy; of none such nobody asks for a manager.
func (c *Cashiers) policy(ctx context.Context, version uint64) (loyalty.Policy, error) {
	p, err := recall(c.seen, c.seen.policies, version, func() (loyalty.Policy, error) {
		return c.env.Policies.PolicyOf(ctx, version)
	})
	if err == nil && p.Version == 0 {
		p.Keyed.Off = true
	}
	return p, err
}

// recall returns what is remembered, or reads it and remembers. What is not found is the
// zero value, and may come later.
func recall[K comparable, V any](m *memory, of map[K]V, key K, read func() (V, error)) (V, error) {
	m.mu.Lock()
	value, known := of[key]
	m.mu.Unlock()
	if known {
		return value, nil
	}
	value, err := read()
	if problem.CodeOf(err) == problem.NotFound {
		return value, nil
	}
	if err != nil {
		return value, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(of) >= mostRemembered {
		clear(of)
	}
	of[key] = value
	return value, nil
}
