package till

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// grant is a right that HQ gave to a lane of the store, as the feed says.
type grant struct {
	id   uuid.UUID
	said wire.Allowance
	wire.Grant
}

// own reports whether this terminal holds it, in its present epoch.
func (g grant) own(w journal.Writer) bool { return g.Terminal == w.ID && g.Epoch == w.Epoch }

func (g grant) domain() loyalty.Right {
	return loyalty.Right{ID: g.id, Unit: g.Unit, Left: g.Amount, EndsAt: g.EndsAt, Basis: loyalty.ByRight}
}

func (g grant) row() rightRow { return rowOfGrant(g.Grant, g.said.Grant) }

func rowOfGrant(g wire.Grant, signed wire.Signed) rightRow {
	row := rightRow{Unit: g.Unit, Amount: g.Amount, EndsAt: g.EndsAt, Source: fromGrant, Member: g.Member}
	if g.Asked {
		row.Source = fromAsking
	}
	row.Proof, _ = wire.Marshal(signed) // two byte strings and a number
	return row
}

// grantsOf returns what HQ gave on an account to any lane of the store and has not
// closed.
func (t *Till) grantsOf(l look, account uuid.UUID) ([]grant, error) {
	var out []grant
	err := l.scan(TableGrant, account[:], nil, func(key, _ []byte) error {
		id := uuid.UUID(key[len(account):])
		said, found, err := readItem[wire.Allowance](l, wire.ItemAllowance, id)
		if err != nil || !found {
			return err
		}
		g, err := decode[wire.Grant](TableItem, said.Grant.Payload)
		out = append(out, grant{id: id, said: said, Grant: g})
		return err
	})
	return out, err
}

// forgotten reports whether entries that may have spent a grant are not here any more:
// the state store was rebuilt from a journal whose beginning had been pruned, and the
// grant is older than what is kept. Had it been used since, its first use would have
// journalled that it was received.
func (t *Till) forgotten(g grant) bool {
	return t.keptSince != 0 && g.GrantedAt < t.keptSince
}

// allowanceChanges keeps what the feed says of a grant: that it was recalled or closed
// never goes back, and one that is gone is closed. A grant of this terminal is due at its
// end, one recalled at once.
func (t *Till) allowanceChanges(it wire.Item, at []byte, held item, next *item) ([]Change, error) {
	before, beforeGrant, err := readAllowance(held.Body)
	if err != nil {
		return nil, err
	}
	said, g, err := readAllowance(next.Body)
	if err != nil {
		return nil, err
	}
	if next.Body == nil || g.Right == uuid.Nil {
		said = wire.Allowance{Grant: before.Grant, Recalled: said.Recalled, Closed: said.Closed || next.Body == nil}
		if g = beforeGrant; g.Right == uuid.Nil {
			return bareAllowance(at, before, said, next)
		}
	}
	if g.Right != it.ID || g.Amount <= 0 || g.Account == uuid.Nil || g.Unit == "" ||
		beforeGrant.Right != uuid.Nil && (beforeGrant.Account != g.Account || beforeGrant.Amount < g.Amount) {
		return nil, problem.New(problem.InvalidField, "a grant that contradicts itself or what was granted before")
	}
	if isOver(g.EndsAt, next.At-rightKept.Milliseconds()) && held.Body == nil {
		return nil, nil // as good as pruned
	}
	next.At = 0
	said.Recalled, said.Closed = said.Recalled || before.Recalled, said.Closed || before.Closed
	if next.Body, err = wire.Marshal(said); err != nil {
		return nil, err
	}
	c, err := put(TableItem, at, *next)
	if err != nil || g.Store != t.cfg.Store {
		return []Change{c}, err // of another store: nobody here may use it
	}
	index := Change{TableGrant, key(g.Account[:], it.ID[:]), []byte{1}}
	if said.Closed {
		index.Value = nil
	}
	dues, err := grant{id: it.ID, said: said, Grant: g}.dues(t.cfg.Writer)
	return append([]Change{c, index}, dues...), err
}

// bareAllowance keeps a word of HQ about a right that it did not give, or whose grant
// never came here: what a sale kept, or a lane lent, is spent no more. It is released at
// its end.
func bareAllowance(at []byte, before, said wire.Allowance, next *item) ([]Change, error) {
	said.Recalled, said.Closed = said.Recalled || before.Recalled, said.Closed || before.Closed
	var err error
	if next.Body, err = wire.Marshal(said); err != nil {
		return nil, err
	}
	c, err := put(TableItem, at, *next)
	return []Change{c}, err
}

// dues says when to look at a grant of this terminal again.
func (g grant) dues(w journal.Writer) ([]Change, error) {
	if !g.own(w) {
		return nil, nil
	}
	ends, err := put(TableDue, dueKey(g.EndsAt, g.id), []due{{g.Account, g.Unit, g.Amount}})
	if err != nil {
		return nil, err
	}
	now := Change{TableDue, dueKey(0, g.id), ends.Value}
	switch {
	case g.said.Closed:
		ends.Value, now.Value = nil, nil
	case !g.said.Recalled:
		return []Change{ends}, nil
	}
	return []Change{ends, now}, nil
}

func readAllowance(body []byte) (said wire.Allowance, g wire.Grant, err error) {
	if body == nil {
		return said, g, nil
	}
	if said, err = wire.Unmarshal[wire.Allowance](body); err != nil {
		return said, g, fmt.Errorf("read allowance: %w", err)
	}
	if (said.Closed || said.Recalled) && len(said.Grant.Payload) == 0 {
		return said, g, nil // HQ did not give it, or it is over
	}
	if g, err = wire.Unmarshal[wire.Grant](said.Grant.Payload); err != nil {
		return said, g, fmt.Errorf("read grant: %w", err)
	}
	return said, g, nil
}

// due is a right that must be looked at when its time has come (TableDue).
type due struct {
	Account uuid.UUID `cbor:"1,keyasint"`
	Unit    string    `cbor:"2,keyasint"`
	Amount  int64     `cbor:"3,keyasint"`
}

// dueKey sorts by the moment, Unix milliseconds; zero is at once.
func dueKey(at int64, right uuid.UUID) []byte { return key(seqKey(uint64(max(0, at))), right[:]) }
