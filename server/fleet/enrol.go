package fleet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// maxSoftware bounds the version text a terminal tells.
const maxSoftware = 64

// Enrol turns a one-time code into the next epoch of its terminal. Who asks must
// prove possession of the key. The same code with the same key again gets the same
// answer, because the first may have been lost; with any other key it is worth
// nothing: problem.EnrolCodeInvalid, which never says whether a code exists.
func (f *Fleet) Enrol(ctx context.Context, req wire.EnrolRequest) (wire.Enrolment, error) {
	if req.V < wire.MinVersion || req.V > wire.Version {
		return wire.Enrolment{}, problem.Newf(problem.WireVersion, "version %d; HQ speaks %d to %d", req.V, wire.MinVersion, wire.Version)
	}
	if len(req.Software) > maxSoftware || len(req.Code) > maxSoftware {
		return wire.Enrolment{}, problem.New(problem.InvalidField, "the code or the software's version is too long")
	}
	signed := append([]byte(req.Code), req.PublicKey...)
	if err := keys.Verify(req.PublicKey, wire.DomainEnrol, signed, req.Signature); err != nil {
		return wire.Enrolment{}, problem.Wrap(problem.ProofInvalid, err, "the enrolment is not signed by the key it shows")
	}
	if err := f.known(ctx, req.Code); err != nil {
		return wire.Enrolment{}, err
	}
	var t Terminal
	var statement []byte
	var shop Store
	err := f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		var err error
		if t, err = f.enrol(ctx, req); err != nil {
			return err
		}
		if shop, err = f.env.Keeper.Store(ctx, t.Store); err != nil {
			return err
		}
		statement, err = f.statement(ctx, t)
		return err
	})
	if err != nil {
		return wire.Enrolment{}, fmt.Errorf("enrol terminal: %w", err)
	}
	return wire.Enrolment{
		V: wire.Version, HQ: f.env.HQ, Terminal: t.ID, Epoch: t.Epoch, Store: t.Store,
		Keys: f.env.Keys, Name: t.Name, HQTime: f.now().UnixMilli(), Statement: statement, TimeZone: shop.TimeZone,
	}, nil
}

// known turns away a code that nobody was given, before anything is locked for it.
func (f *Fleet) known(ctx context.Context, code string) error {
	kept, err := f.env.Keeper.Code(ctx, hashCode(code))
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return invalidCode()
	case err != nil:
		return fmt.Errorf("find enrolment code: %w", err)
	case kept.UsedAt.IsZero() && !f.now().Before(kept.ExpiresAt):
		return invalidCode()
	}
	return nil
}

func invalidCode() error {
	return problem.New(problem.EnrolCodeInvalid, "the code is wrong, used or expired")
}

func (f *Fleet) enrol(ctx context.Context, req wire.EnrolRequest) (Terminal, error) {
	hash, key := hashCode(req.Code), ed25519.PublicKey(req.PublicKey)
	won, err := f.env.Keeper.UseCode(ctx, hash, key, f.now())
	if err != nil {
		return Terminal{}, err
	}
	code, err := f.env.Keeper.Code(ctx, hash)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return Terminal{}, invalidCode()
	case err != nil:
		return Terminal{}, err
	}
	t, err := f.env.Keeper.Terminal(ctx, code.Terminal)
	if err != nil {
		return Terminal{}, err
	}
	if !won {
		// Used before: by this very key, and nothing has happened since, it is a repeat.
		if bytes.Equal(code.UsedKey, key) && bytes.Equal(t.PublicKey, key) && t.State == StateEnrolled {
			return t, nil
		}
		return Terminal{}, invalidCode()
	}
	if t.State == StateRevoked { // no code undoes that; see Reinstate
		return Terminal{}, invalidCode()
	}
	// After a restore HQ may have given epochs that it does not know.
	next := max(t.Epoch+1, f.env.HQEpoch)
	if err := f.endEpoch(ctx, t, next); err != nil {
		return Terminal{}, err
	}
	t.State, t.Epoch, t.PublicKey = StateEnrolled, next, key
	t.Software, t.Version, t.EnrolledAt = req.Software, t.Version+1, f.now()
	t.Contact = Contact{LastContactAt: f.now()}
	if err := f.env.Keeper.AddTerminalKey(ctx, t.ID, t.Epoch, key); err != nil {
		if problem.CodeOf(err) == problem.Conflict {
			return Terminal{}, problem.Wrap(problem.EnrolCodeInvalid, err, "the key was used before; make a new one")
		}
		return Terminal{}, err
	}
	if err := f.env.Keeper.SetTerminal(ctx, t); err != nil {
		return Terminal{}, err
	}
	if err := f.env.Keeper.Heard(ctx, EpochContact{t.ID, t.Epoch, t.Contact}); err != nil {
		return Terminal{}, err
	}
	return t, f.recordTerminal(ctx, uuid.Nil, t)
}
