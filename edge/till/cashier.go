package till

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// Cashier is somebody who works at this store's tills, as the till shows them.
type Cashier struct {
	ID   uuid.UUID
	Name string
	Role wire.CashierRole
}

// Session is a cashier who is signed in. It lives in memory and ends with the process.
type Session struct {
	ID       uuid.UUID // secret: who knows it acts as the cashier
	Cashier  Cashier
	Training bool
	Idle     time.Duration // it ends when it is not used for so long
	EndsAt   time.Time     // unless it is used before
}

// SignIn is a cashier's name chosen and PIN typed. Ends is the session that this one
// takes the place of, if any.
type SignIn struct {
	Cashier  uuid.UUID
	PIN      string
	Training bool
	Ends     uuid.UUID
}

// Roster is who may sign in here, by name, and what the store wants of the till page.
type Roster struct {
	Cashiers []Cashier
	SignIn   bool // the page sells only for somebody who is signed in
	Idle     time.Duration
}

// Cashiers returns who may sign in here.
func (t *Till) Cashiers() (Roster, error) {
	end, err := t.begin()
	if err != nil {
		return Roster{}, err
	}
	defer end()
	cat := t.catalogue.Load()
	out := Roster{SignIn: cat.tillRules.SignIn, Idle: t.idleLimit()}
	for _, c := range cat.cashiers {
		if c.Active {
			out.Cashiers = append(out.Cashiers, shownCashier(c))
		}
	}
	slices.SortFunc(out.Cashiers, func(a, b Cashier) int {
		if by := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); by != 0 {
			return by
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	return out, nil
}

func shownCashier(c wire.Cashier) Cashier { return Cashier{ID: c.ID, Name: c.Name, Role: c.Role} }

// Cashier returns somebody who works or worked at this store, for their name; of one not
// known only the id.
func (t *Till) Cashier(id uuid.UUID) Cashier {
	if cat := t.catalogue.Load(); cat != nil {
		if c, known := cat.cashiers[id]; known {
			return shownCashier(c)
		}
	}
	return Cashier{ID: id}
}

// SignIn begins a session. The PIN is checked here, with no network.
func (t *Till) SignIn(ctx context.Context, s SignIn) (Session, error) {
	end, err := t.begin()
	if err != nil {
		return Session{}, err
	}
	defer end()
	cashier, err := t.checkPIN(ctx, s.Cashier, s.PIN)
	if err != nil {
		return Session{}, err
	}
	t.sessions.end(s.Ends)
	return t.sessions.begin(t.cfg.NewID(), shownCashier(cashier), s.Training, t.idleLimit(), t.presentTime()), nil
}

// SignOut ends a session. One that has ended is ended.
func (t *Till) SignOut(session uuid.UUID) { t.sessions.end(session) }

// Session returns a session that is under way, without counting as a use of it.
func (t *Till) Session(session uuid.UUID) (Session, error) {
	end, err := t.begin()
	if err != nil {
		return Session{}, err
	}
	defer end()
	return t.sessions.find(session, t.idleLimit(), t.presentTime(), false)
}

func (t *Till) presentTime() time.Time {
	now, _ := t.time.now()
	return now
}

// idleLimit is after how long without a call a session ends.
func (t *Till) idleLimit() time.Duration {
	return time.Duration(t.catalogue.Load().tillRules.Idle()) * time.Second
}

// lockPINs makes PINs be checked one after the other: each takes memory and a core.
const lockPINs = "pins"

// checkPIN says whose PIN it is. A wrong one is counted before anything is computed, so
// that pulling the plug saves no guess.
func (t *Till) checkPIN(ctx context.Context, id uuid.UUID, digits string) (wire.Cashier, error) {
	cashier, known := t.catalogue.Load().cashiers[id]
	if !known || !cashier.Active {
		return wire.Cashier{}, problem.New(problem.CashierUnknown, "")
	}
	unlock, err := t.locks.lock(ctx, lockPINs)
	if err != nil {
		return wire.Cashier{}, fmt.Errorf("check PIN: %w", err)
	}
	defer unlock()
	own := guess{triesCashier(id), patienceCashier, problem.PINLocked}
	guesses := []guess{own, {triesTerminal, patienceTerminal, problem.PINLocked}}
	if err := t.mayGuess(ctx, guesses...); err != nil {
		return wire.Cashier{}, err
	}
	before, err := t.triesOf(ctx, triesTerminal)
	if err != nil {
		return wire.Cashier{}, err
	}
	if err := t.guessedWrong(ctx, guesses...); err != nil {
		return wire.Cashier{}, err
	}
	right, err := cashier.PIN.Check(digits)
	if err != nil {
		return wire.Cashier{}, fmt.Errorf("check PIN of cashier %s: %w", id, err)
	}
	if !right {
		return wire.Cashier{}, problem.New(problem.PINWrong, "")
	}
	return cashier, t.guessedPIN(ctx, own.key, before)
}

// guessedPIN takes back what a right PIN was counted for: all of the cashier's own wrong
// ones, and its own one of the terminal's.
func (t *Till) guessedPIN(ctx context.Context, own []byte, terminal tries) error {
	c, err := put(TableTries, triesTerminal, terminal)
	if err != nil {
		return err
	}
	return t.applyTries(ctx, c, Change{Table: TableTries, Key: own})
}

func (t *Till) triesOf(ctx context.Context, key []byte) (n tries, err error) {
	err = t.look(ctx, func(l look) (err error) {
		n, _, err = get[tries](l, TableTries, key)
		return err
	})
	return n, err
}

// Reward returns a reward of the catalogue, for its name and what it asks of the cashier.
func (t *Till) Reward(id uuid.UUID) (loyalty.Reward, bool) {
	cat := t.catalogue.Load()
	if cat == nil {
		return loyalty.Reward{}, false
	}
	r, known := cat.rewards[loyalty.ID(id)]
	return r, known
}
