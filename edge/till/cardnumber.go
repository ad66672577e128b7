package till

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// lockCards makes typed card numbers be looked up one after the other, so that every
// wrong one is counted before the next is looked at.
const lockCards = "cards"

func cardKey(n passtoken.CardNumber) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// cardOf makes a member be found by the card number.
func cardOf(member uuid.UUID) Change {
	return Change{TableCard, key(cardKey(passtoken.CardNumberOf(member)), member[:]), []byte{1}}
}

// readTyped finds the member of a typed card number. Numbers that nobody has are counted:
// there are many more numbers than members, and a terminal is not asked for all of them.
func (t *Till) readTyped(ctx context.Context, n passtoken.CardNumber) (presented, error) {
	unlock, err := t.locks.lock(ctx, lockCards)
	if err != nil {
		return presented{}, fmt.Errorf("look up card number: %w", err)
	}
	defer unlock()
	g := guess{triesCards, patienceCards, problem.CardNumberLocked}
	if err := t.mayGuess(ctx, g); err != nil {
		return presented{}, err
	}
	var found []wire.Member
	err = t.look(ctx, func(l look) error {
		return l.scan(TableCard, cardKey(n), nil, func(key, _ []byte) error {
			m, known, err := memberHere(l, uuid.UUID(key[8:]))
			if known {
				found = append(found, m)
			}
			return err
		})
	})
	switch {
	case err != nil:
		return presented{}, err
	case len(found) > 1:
		return presented{}, problem.New(problem.CardNumberAmbiguous, "")
	case len(found) == 1:
		pass := passtoken.Pass{Kind: passtoken.KindMember, Subject: found[0].ID, Issue: found[0].Issue}
		return presented{pass: pass, freshness: entry.FreshnessKeyed}, nil
	}
	if err := t.guessedWrong(ctx, g); err != nil {
		return presented{}, err
	}
	return presented{}, problem.New(problem.CardNumberUnknown, "")
}

// memberHere returns a member as HQ told of them, or as this journal enrolled them.
func memberHere(l look, id uuid.UUID) (wire.Member, bool, error) {
	m, found, err := readItem[wire.Member](l, wire.ItemMember, id)
	if err == nil && !found {
		m, found, err = enrolledHere(l, id)
	}
	return m, found, err
}
