package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// OneTimeCode is an enrolment code as told to the person who asked, once.
type OneTimeCode struct {
	Text      string
	ExpiresAt time.Time
}

// AddTerminal adds a terminal to a store and makes its first enrolment code.
func (f *Fleet) AddTerminal(ctx context.Context, by, store uuid.UUID, name string) (Terminal, OneTimeCode, error) {
	name = strings.TrimSpace(name)
	if !nameOK(name, 64) {
		return Terminal{}, OneTimeCode{}, &problem.Error{
			Code: problem.InvalidField, Detail: "the terminal cannot be added",
			Fields: map[string]string{"/name": "must have 1 to 64 characters"},
		}
	}
	t := Terminal{ID: f.env.NewID(), Store: store, Name: name, State: StateNew, Version: 1, CreatedAt: f.now()}
	var code OneTimeCode
	err := f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		if _, err := f.env.Keeper.Store(ctx, store); err != nil {
			return err
		}
		if err := f.env.Keeper.AddTerminal(ctx, t); err != nil {
			return err
		}
		if err := f.recordTerminal(ctx, by, t); err != nil {
			return err
		}
		var err error
		code, err = f.newCode(ctx, t.ID)
		return err
	})
	if err != nil {
		return Terminal{}, OneTimeCode{}, fmt.Errorf("add terminal: %w", err)
	}
	return t, code, nil
}

// NewCode makes a new enrolment code for a terminal. Codes made before stop
// working. Who enrols with it starts a new epoch. For a revoked terminal it is
// problem.TerminalRevoked.
func (f *Fleet) NewCode(ctx context.Context, terminal uuid.UUID) (OneTimeCode, error) {
	var code OneTimeCode
	err := f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		t, err := f.env.Keeper.Terminal(ctx, terminal)
		if err != nil {
			return err
		}
		if t.State == StateRevoked {
			return problem.New(problem.TerminalRevoked, "the terminal is revoked; reinstate it first")
		}
		code, err = f.newCode(ctx, terminal)
		return err
	})
	if err != nil {
		return OneTimeCode{}, fmt.Errorf("make enrolment code: %w", err)
	}
	return code, nil
}

// codeText is Crockford's base32: nothing in it is mistaken when read aloud.
var codeText = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// newCode makes 80 random bits into four groups of four characters.
func (f *Fleet) newCode(ctx context.Context, terminal uuid.UUID) (OneTimeCode, error) {
	raw := make([]byte, 10)
	if _, err := io.ReadFull(f.env.Random, raw); err != nil {
		return OneTimeCode{}, fmt.Errorf("read random code: %w", err)
	}
	text := codeText.EncodeToString(raw)
	text = strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-")
	expires := f.now().Add(f.env.CodeLife)
	err := f.env.Keeper.ReplaceCode(ctx, Code{Hash: hashCode(text), Terminal: terminal, ExpiresAt: expires})
	return OneTimeCode{Text: text, ExpiresAt: expires}, err
}

// hashCode forgives case, spaces and missing hyphens. The code has too much chance
// in it to be guessed from its hash, so the hash needs no salt.
func hashCode(text string) [32]byte {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == ' ' || r == '\t' || r == '\n' || r == '\r':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, text)
	return sha256.Sum256([]byte("tallystick enrolment code v1\x00" + clean))
}

// Revoke shuts a terminal out: it may deliver what it has and is told nothing more,
// and no code enrols it, made before or after, until it is reinstated. Revoking twice
// is one revocation.
func (f *Fleet) Revoke(ctx context.Context, by, id uuid.UUID) (Terminal, error) {
	return f.shutOut(ctx, by, id, StateRevoked)
}

// Reinstate ends a revocation: the terminal may be given a code and enrol again under
// a new epoch. Until it has it stands as before its first enrolment, or as one in
// quarantine. One that had been declared lost is found. One that is not revoked is
// problem.StateConflict.
func (f *Fleet) Reinstate(ctx context.Context, by, id uuid.UUID) (Terminal, error) {
	var t Terminal
	err := f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		var err error
		if t, err = f.env.Keeper.Terminal(ctx, id); err != nil {
			return err
		}
		if t.State != StateRevoked {
			return problem.Newf(problem.StateConflict, "the terminal is %s, not revoked", t.State)
		}
		t.State, t.Version = StateQuarantined, t.Version+1
		if t.Epoch == 0 {
			t.State = StateNew
		}
		if err := f.env.Keeper.SetTerminal(ctx, t); err != nil {
			return err
		}
		if err := f.found(ctx, by, t); err != nil {
			return err
		}
		return f.recordTerminal(ctx, by, t)
	})
	if err != nil {
		return Terminal{}, fmt.Errorf("reinstate terminal: %w", err)
	}
	return t, nil
}

// Retire begins to take a terminal out of service: it still sells and is told things,
// but HQ gives it no rights and no share any more and calls back what it holds, for the
// other lanes of its store. When it holds nothing and has delivered its journal it can be
// revoked without loss. One that is not in service is problem.StateConflict; retiring
// twice is retiring once.
func (f *Fleet) Retire(ctx context.Context, by, id uuid.UUID) (Terminal, error) {
	var t Terminal
	err := f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		var err error
		if t, err = f.env.Keeper.Terminal(ctx, id); err != nil || t.State == StateRetiring {
			return err
		}
		if t.State != StateEnrolled {
			return problem.Newf(problem.StateConflict, "the terminal is %s, not enrolled", t.State)
		}
		t.State, t.Version = StateRetiring, t.Version+1
		if err := f.env.Keeper.SetTerminal(ctx, t); err != nil {
			return err
		}
		return f.recordTerminal(ctx, by, t)
	})
	if err != nil {
		return Terminal{}, fmt.Errorf("retire terminal: %w", err)
	}
	return t, nil
}

// Quarantine shuts a terminal out until it enrols again under a new epoch. It
// changes nothing for a terminal that is not enrolled. The cause is kept by the
// exception that goes with it.
func (f *Fleet) Quarantine(ctx context.Context, id uuid.UUID, _ string) error {
	_, err := f.shutOut(ctx, uuid.Nil, id, StateQuarantined)
	return err
}

// ShutIn is Quarantine by a person. One that is not in service is problem.StateConflict;
// doing it twice is doing it once.
func (f *Fleet) ShutIn(ctx context.Context, by, id uuid.UUID) (Terminal, error) {
	t, err := f.shutOut(ctx, by, id, StateQuarantined)
	if err == nil && t.State != StateQuarantined {
		return Terminal{}, problem.Newf(problem.StateConflict, "the terminal is %s, not enrolled", t.State)
	}
	return t, err
}

func (f *Fleet) shutOut(ctx context.Context, by, id uuid.UUID, state State) (Terminal, error) {
	var t Terminal
	err := f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		var err error
		if t, err = f.env.Keeper.Terminal(ctx, id); err != nil {
			return err
		}
		if t.State == state || state == StateQuarantined && t.State != StateEnrolled && t.State != StateRetiring {
			return nil
		}
		if state == StateRevoked {
			if err := f.env.Keeper.DropCodes(ctx, id); err != nil {
				return err
			}
		}
		t.State, t.Version = state, t.Version+1
		if err := f.env.Keeper.SetTerminal(ctx, t); err != nil {
			return err
		}
		return f.recordTerminal(ctx, by, t)
	})
	if err != nil {
		return Terminal{}, fmt.Errorf("make terminal %s: %w", state, err)
	}
	return t, nil
}

// Terminal returns one terminal.
func (f *Fleet) Terminal(ctx context.Context, id uuid.UUID) (Terminal, error) {
	t, err := f.env.Keeper.Terminal(ctx, id)
	if err != nil {
		return Terminal{}, err
	}
	all, err := f.complete(ctx, []Terminal{t})
	if err != nil {
		return Terminal{}, err
	}
	return all[0], nil
}

// Terminals lists the terminals of a store, or of all stores for the zero id.
func (f *Fleet) Terminals(ctx context.Context, store, after uuid.UUID, limit int) ([]Terminal, error) {
	all, err := f.env.Keeper.Terminals(ctx, store, after, limit)
	if err != nil {
		return nil, err
	}
	return f.complete(ctx, all)
}

// OnlineWithin is how long ago a terminal that counts as online was last heard.
const OnlineWithin = 2 * time.Minute

// Counts is the fleet in numbers.
type Counts struct {
	Stores                                        int64
	Total, Enrolled, Online, Quarantined, Revoked int64
}

// Counts counts stores and terminals.
func (f *Fleet) Counts(ctx context.Context) (Counts, error) {
	stores, err := f.env.Keeper.CountStores(ctx)
	if err != nil {
		return Counts{}, fmt.Errorf("count stores: %w", err)
	}
	by, err := f.env.Keeper.CountTerminals(ctx, f.now().Add(-OnlineWithin))
	if err != nil {
		return Counts{}, fmt.Errorf("count terminals: %w", err)
	}
	c := Counts{
		Stores: stores, Enrolled: by[StateEnrolled].Total, Online: by[StateEnrolled].Online,
		Quarantined: by[StateQuarantined].Total, Revoked: by[StateRevoked].Total,
	}
	for _, n := range by {
		c.Total += n.Total
	}
	return c, nil
}

// complete fills in what is kept apart from the records of terminals.
func (f *Fleet) complete(ctx context.Context, all []Terminal) ([]Terminal, error) {
	ids := make([]uuid.UUID, len(all))
	for i, t := range all {
		ids[i] = t.ID
	}
	lost, err := f.env.Keeper.Declarations(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read declarations: %w", err)
	}
	left, err := f.env.Keeper.IdentitiesLeft(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("count identities: %w", err)
	}
	for i, t := range all {
		all[i].Lost, all[i].Identities = lost[t.ID], left[t.ID]
	}
	return f.withContact(ctx, all)
}

func (f *Fleet) recordTerminal(ctx context.Context, by uuid.UUID, t Terminal) error {
	item := wire.Terminal{ID: t.ID, Store: t.Store, Name: t.Name, Epoch: t.Epoch, PublicKey: t.PublicKey, State: string(t.State)}
	return f.record(ctx, change{
		kind: entry.KindHQTerminal, item: wire.ItemTerminal, id: t.ID, version: t.Version,
		record: item, store: t.Store, by: by, untold: t.Epoch == 0,
	})
}
