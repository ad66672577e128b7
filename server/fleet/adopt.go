package fleet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// lostKeeper is the storage of what a restored HQ learns from its terminals.
type lostKeeper interface {
	// JournalHead is the head HQ has of a terminal's journal, zero when it has none.
	JournalHead(ctx context.Context, w journal.Writer) (journal.Head, error)
	// EndEpoch keeps how far an ended epoch was proven when the next began. What is
	// kept already stays.
	EndEpoch(ctx context.Context, e Ended) error
	// Ended returns how an epoch ended, and EndedBefore the one before an epoch; ok is
	// false when nothing is known.
	Ended(ctx context.Context, terminal uuid.UUID, epoch uint32) (e Ended, ok bool, err error)
	EndedBefore(ctx context.Context, terminal uuid.UUID, next uint32) (e Ended, ok bool, err error)
	// HQHeads returns the heads of HQ's own journal in an epoch.
	HQHeads(ctx context.Context, epoch uint32) ([]hqjournal.Head, error)
	// RaiseException adds an exception, or raises the amount of one that is there.
	RaiseException(ctx context.Context, e ledger.Exception) error
}

// Ended is an epoch of a terminal that ended in good order: Head is the last entry
// that HQ had of it when Next began.
type Ended struct {
	Terminal    uuid.UUID
	Epoch, Next uint32
	Head        journal.Head
}

// endEpoch keeps what HQ has of the present epoch of a terminal before the next
// begins. Nothing is said for one that was shut out.
func (f *Fleet) endEpoch(ctx context.Context, t Terminal, next uint32) error {
	if t.State != StateEnrolled || t.Epoch == 0 {
		return nil
	}
	head, err := f.env.Keeper.JournalHead(ctx, journal.Writer{ID: t.ID, Epoch: t.Epoch})
	if err != nil || head.Seq == 0 {
		return err
	}
	return f.env.Keeper.EndEpoch(ctx, Ended{Terminal: t.ID, Epoch: t.Epoch, Next: next, Head: head})
}

// statement is HQ's word that the terminal is enrolled, for the terminal to keep.
func (f *Fleet) statement(ctx context.Context, t Terminal) ([]byte, error) {
	if len(f.env.Statement.Public.Key) == 0 {
		return nil, nil
	}
	e := wire.Enrolled{
		V: wire.Version, HQ: f.env.HQ, HQEpoch: f.env.HQEpoch, Terminal: t.ID, Epoch: t.Epoch, Store: t.Store, Name: t.Name,
		PublicKey: t.PublicKey, EnrolledAt: t.EnrolledAt.UnixMilli(),
	}
	before, ok, err := f.env.Keeper.EndedBefore(ctx, t.ID, t.Epoch)
	if err != nil {
		return nil, err
	}
	if ok {
		e.Ended = &wire.EndedEpoch{Epoch: before.Epoch, Seq: before.Head.Seq, Hash: before.Head.Hash[:]}
	}
	return wire.Seal(f.env.Statement, wire.DomainEnrolled, e)
}

// IdentifyOrAdopt is [Fleet.Identify] for a terminal that shows its enrolment: when
// HQ has lost it in a restore, HQ takes it in again. The request must be proven by
// the enrolled key before anything is written.
func (f *Fleet) IdentifyOrAdopt(ctx context.Context, token, method, path string, body, enrolment []byte) (Caller, error) {
	caller, err := f.Identify(ctx, token, method, path, body)
	if problem.CodeOf(err) != problem.ProofInvalid || len(enrolment) == 0 {
		return caller, err
	}
	id, epoch, perr := wire.ProofOf(token)
	if perr != nil {
		return Caller{}, err
	}
	if _, kerr := f.env.Keeper.TerminalKey(ctx, id, epoch); problem.CodeOf(kerr) != problem.NotFound {
		return Caller{}, err // HQ knows it: the proof itself is wrong
	}
	e, err := wire.OpenEnrolled(enrolment, f.env.Keys, f.env.HQ)
	if err != nil {
		return Caller{}, err
	}
	if e.Terminal != id || e.Epoch != epoch {
		return Caller{}, problem.New(problem.EnrolmentRefused, "the enrolment is another terminal's or another epoch's")
	}
	want := wire.Proof{HQ: f.env.HQ, Terminal: id, Epoch: epoch, Method: method, Path: path, Body: body}
	if err := wire.VerifyProof(token, e.PublicKey, want, f.fresh); err != nil {
		return Caller{}, err
	}
	if err := f.Adopt(ctx, enrolment); err != nil {
		return Caller{}, err
	}
	return f.Identify(ctx, token, method, path, body)
}

// Adopt takes in a terminal, or an epoch of one, that HQ has enrolled and lost since
// in a restore: enrolment is a sealed wire.Enrolled. An epoch above the one HQ knows
// becomes the terminal's, which stays revoked if it is; a lower one may only deliver, like any that has ended. What
// HQ knows already changes nothing. The errors are problem.EnrolmentRefused, when it
// is not HQ's word or contradicts what HQ knows, and problem.StoreUnknown.
func (f *Fleet) Adopt(ctx context.Context, enrolment []byte) error {
	e, err := wire.OpenEnrolled(enrolment, f.env.Keys, f.env.HQ)
	if err != nil {
		return err
	}
	err = f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		known, err := f.env.Keeper.TerminalKey(ctx, e.Terminal, e.Epoch)
		switch {
		case err == nil && bytes.Equal(known, e.PublicKey):
			return nil
		case err == nil:
			return problem.Newf(problem.EnrolmentRefused, "HQ knows another key of terminal %s in epoch %d", e.Terminal, e.Epoch)
		case problem.CodeOf(err) != problem.NotFound:
			return err
		}
		return f.adopt(ctx, e, sha256.Sum256(enrolment))
	})
	if err != nil {
		return fmt.Errorf("adopt terminal: %w", err)
	}
	return nil
}

func (f *Fleet) adopt(ctx context.Context, e wire.Enrolled, source journal.Hash) error {
	if _, err := f.env.Keeper.Store(ctx, e.Store); problem.CodeOf(err) == problem.NotFound {
		return problem.Wrap(problem.StoreUnknown, err, "the terminal's store is not known; it was opened after the backup")
	} else if err != nil {
		return err
	}
	t, err := f.adopted(ctx, e)
	if err != nil {
		return err
	}
	if err := f.env.Keeper.AddTerminalKey(ctx, e.Terminal, e.Epoch, e.PublicKey); err != nil {
		if problem.CodeOf(err) == problem.Conflict {
			return problem.Wrap(problem.EnrolmentRefused, err, "the key is another terminal's")
		}
		return err
	}
	if e.Ended != nil {
		end := Ended{Terminal: e.Terminal, Epoch: e.Ended.Epoch, Next: e.Epoch, Head: journal.Head{Seq: e.Ended.Seq}}
		copy(end.Head.Hash[:], e.Ended.Hash)
		if err := f.env.Keeper.EndEpoch(ctx, end); err != nil {
			return err
		}
	}
	if err := f.recordTerminal(ctx, uuid.Nil, t); err != nil {
		return err
	}
	return f.env.Keeper.RaiseException(ctx, ledger.Exception{
		ID: uuid.NewSHA1(uuid.Nil, append(source[:], ledger.TerminalAdopted...)), Shard: shard.Of(t.ID), Kind: ledger.TerminalAdopted,
		State: ledger.ExceptionOpen, Liable: "programme", Source: source, Terminal: t.ID, Epoch: e.Epoch, Store: t.Store,
		Cause:      fmt.Sprintf("terminal %q was enrolled under epoch %d after the backup and adopted by HQ's own signature: confirm it, or revoke it", t.Name, e.Epoch),
		OccurredAt: e.EnrolledAt, RecordedAt: f.now().UnixMilli(),
	})
}

// adopted writes the terminal as the enrolment says.
func (f *Fleet) adopted(ctx context.Context, e wire.Enrolled) (Terminal, error) {
	t, err := f.env.Keeper.Terminal(ctx, e.Terminal)
	if problem.CodeOf(err) == problem.NotFound {
		at := time.UnixMilli(e.EnrolledAt).UTC()
		t = Terminal{
			ID: e.Terminal, Store: e.Store, State: StateEnrolled, Epoch: e.Epoch, PublicKey: ed25519.PublicKey(e.PublicKey),
			Version: max(1, uint64(f.env.HQEpoch)), CreatedAt: at, EnrolledAt: at,
		}
		if t.Name, err = f.freeName(ctx, e); err != nil {
			return Terminal{}, err
		}
		return t, f.env.Keeper.AddTerminal(ctx, t)
	}
	if err != nil {
		return Terminal{}, err
	}
	if t.Store != e.Store {
		return Terminal{}, problem.New(problem.EnrolmentRefused, "HQ knows the terminal in another store")
	}
	t.Version++
	if e.Epoch > t.Epoch {
		if t.State != StateRevoked { // only a person ends that; see Reinstate
			t.State = StateEnrolled
		}
		t.Epoch, t.PublicKey = e.Epoch, e.PublicKey
		t.EnrolledAt, t.Contact = time.UnixMilli(e.EnrolledAt).UTC(), Contact{LastContactAt: f.now()}
	}
	return t, f.env.Keeper.SetTerminal(ctx, t)
}

// freeName is the name of an adopted terminal, told apart when another of the store
// has it by now.
func (f *Fleet) freeName(ctx context.Context, e wire.Enrolled) (string, error) {
	after := uuid.Nil
	for {
		page, err := f.env.Keeper.Terminals(ctx, e.Store, after, 100)
		if err != nil || len(page) == 0 {
			return e.Name, err
		}
		for _, t := range page {
			if t.Name == e.Name {
				return e.Name + " " + e.Terminal.String(), nil
			}
			after = t.ID
		}
	}
}
