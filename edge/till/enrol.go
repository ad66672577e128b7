package till

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// NewMember asks for a member to be enrolled. Nothing is told of the person.
type NewMember struct {
	Key     string // the caller's idempotency key
	KeyHash [32]byte
	Cashier string
	Caller  Caller
}

// EnrolledMember is a member enrolled here, as the journal has it. Token is the pass.
type EnrolledMember struct {
	Entry
	Body     entry.EnrolMember
	Token    passtoken.Token
	Replayed bool
}

// newcomer is a member that this journal enrolled (TableEnrolled).
type newcomer struct {
	Seq     uint64    `cbor:"1,keyasint"`
	Account uuid.UUID `cbor:"2,keyasint"`
	Issue   uint16    `cbor:"3,keyasint"`
}

// lockIdentities is held from choosing an identity until its entry is durable.
const lockIdentities = "identities"

// Enrol makes a shopper a member with the next identity that HQ issued to this terminal
// ahead. When it returns without error, the enrolment is durable: the identity is never
// given to anybody else, and the terminal knows the member.
func (t *Till) Enrol(ctx context.Context, n NewMember) (EnrolledMember, error) {
	end, err := t.begin()
	if err != nil {
		return EnrolledMember{}, err
	}
	defer end()
	if err := errors.Join(checkKey(n.Key), checkText("cashier", n.Cashier, MaxText)); err != nil {
		return EnrolledMember{}, err
	}
	unlock, err := t.locks.lock(ctx, lockKey(n.Key), lockIdentities)
	if err != nil {
		return EnrolledMember{}, fmt.Errorf("enrol member: %w", err)
	}
	defer unlock()
	before, found, err := t.madeBy(ctx, n.Key, entry.KindEnrolMember, n.KeyHash)
	if err != nil {
		return EnrolledMember{}, err
	}
	if found {
		body, at, err := readBody[entry.EnrolMember](ctx, t.cfg.Journal, before.Seq)
		return EnrolledMember{Entry: at, Body: body, Token: tokenOf(body.Pass), Replayed: true}, err
	}
	who, err := t.actForReal(n.Caller)
	if err != nil {
		return EnrolledMember{}, err
	}
	if err := t.room(t.cfg.Limits.MinFreeSale); err != nil {
		return EnrolledMember{}, err
	}
	if err := t.observeClock(ctx); err != nil {
		return EnrolledMember{}, err
	}
	return t.enrol(ctx, n, who)
}

func (t *Till) enrol(ctx context.Context, n NewMember, who acting) (EnrolledMember, error) {
	cat := t.catalogue.Load()
	if err := errors.Join(cat.ready(), t.mayRedeem()); err != nil { // HQ may have withdrawn the identities of one that is out
		return EnrolledMember{}, err
	}
	identity, err := t.nextIdentity(ctx, cat)
	if err != nil {
		return EnrolledMember{}, err
	}
	now, _ := t.time.now()
	body := entry.EnrolMember{
		Member: identity.Member, Account: identity.Account, Issue: identity.Issue, Pass: identity.Pass,
		Cashier: who.cashierText(n.Cashier), Key: n.Key, KeyHash: n.KeyHash[:], Hands: who.hands,
	}
	at, err := t.record(ctx, now, entry.KindEnrolMember, body)
	if err != nil {
		return EnrolledMember{}, err
	}
	return EnrolledMember{Entry: at, Body: body, Token: tokenOf(body.Pass)}, nil
}

// nextIdentity finds one that nobody has: issued to this terminal in this epoch, not in
// the journal, and with a pass that tills accept now. The caller holds lockIdentities.
func (t *Till) nextIdentity(ctx context.Context, cat *catalogue) (wire.Identity, error) {
	var next wire.Identity
	now, _ := t.time.now()
	verifier := passtoken.Verifier{Kinds: []passtoken.Kind{passtoken.KindMember}}
	err := t.look(ctx, func(l look) error {
		return l.scan(TableItem, []byte{byte(wire.ItemIdentity)}, nil, func(key, value []byte) error {
			if next.Member != uuid.Nil {
				return nil
			}
			it, err := decode[item](TableItem, value)
			if err != nil || it.Body == nil {
				return err
			}
			identity, err := decode[wire.Identity](TableItem, it.Body)
			if err != nil || !t.mayUse(identity) {
				return err
			}
			_, used, err := get[newcomer](l, TableEnrolled, bytes.Clone(key[1:]))
			if err != nil || used {
				return err
			}
			v, err := verifier.Verify(tokenOf(identity.Pass).Text(), now, 0, cat.keys, nil)
			if err == nil && v.Pass.Subject == identity.Member && v.Pass.Issue == identity.Issue {
				next = identity
			}
			return nil // one that tills do not accept is of no use to anybody
		})
	})
	if err == nil && next.Member == uuid.Nil {
		err = problem.New(problem.IdentitiesExhausted, "")
	}
	return next, err
}

// mayUse says whether an identity is this terminal's. One that is older than the journal
// that is left may have been given to somebody in the part that is gone.
func (t *Till) mayUse(i wire.Identity) bool {
	return i.Terminal == t.cfg.Writer.ID && i.Epoch == t.cfg.Writer.Epoch && i.IssuedAt >= t.keptSince &&
		i.Account == entry.IdentityAccount(i.Member)
}

// tokenOf is a pass as bytes; of another length it is one that nobody accepts.
func tokenOf(raw []byte) (t passtoken.Token) {
	if len(raw) == len(t) {
		copy(t[:], raw)
	}
	return t
}

// identityChanges keeps an identity of this terminal; those of other lanes are not its
// business.
func (t *Till) identityChanges(it wire.Item, at []byte, next item) ([]Change, error) {
	if it.Body != nil {
		identity, err := wire.Unmarshal[wire.Identity](it.Body)
		if err != nil || identity.Terminal != t.cfg.Writer.ID {
			return nil, err
		}
	}
	c, err := put(TableItem, at, next)
	return []Change{c}, err
}

func deriveEnrolment(seq uint64, m entry.EnrolMember) (derived, error) {
	var d derived
	err := errors.Join(
		d.put(TableKey, textKey(m.Key), made{Seq: seq, Kind: entry.KindEnrolMember, Hash: m.KeyHash}),
		d.put(TableEnrolled, m.Member[:], newcomer{Seq: seq, Account: m.Account, Issue: m.Issue}),
	)
	d.changes = append(d.changes, cardOf(m.Member))
	return d, err
}

// enrolledHere returns a member that this journal enrolled and of whom HQ has not told:
// one who has nothing but what was earned here.
func enrolledHere(l getter, id uuid.UUID) (wire.Member, bool, error) {
	e, found, err := get[newcomer](l, TableEnrolled, id[:])
	return wire.Member{ID: id, Account: e.Account, Issue: e.Issue}, found, err
}
