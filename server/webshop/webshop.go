package webshop

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// TerminalName is the name of the virtual terminal of a store.
const TerminalName = "web shop"

// quoteLife is how long a quote can be turned into a sale.
const quoteLife = 15 * time.Minute

// Store is the storage this room needs. Methods join the transaction in ctx. What
// is missing is problem.NotFound.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// LockBranches returns the branches of a journal, locked until the transaction ends.
	LockBranches(ctx context.Context, w journal.Writer, store uuid.UUID) ([]ingest.Branch, error)
	AddQuote(ctx context.Context, id uuid.UUID, body []byte, expiresAt time.Time) error
	Quote(ctx context.Context, id uuid.UUID) (body []byte, expiresAt time.Time, err error)
	AddWebSale(ctx context.Context, p Place) error
	WebSale(ctx context.Context, sale uuid.UUID) (Place, error)
	// SetVoided notes a void, once; it reports whether this call did.
	SetVoided(ctx context.Context, sale uuid.UUID) (bool, error)
}

// Place is where a sale stands in the virtual terminal's journal.
type Place struct {
	Sale     uuid.UUID
	Terminal uuid.UUID
	Epoch    uint32
	Seq      uint64
	Voided   bool
}

// Fleet is what this room needs of stores and terminals.
type Fleet interface {
	Store(ctx context.Context, id uuid.UUID) (fleet.Store, error)
	Terminals(ctx context.Context, store, after uuid.UUID, limit int) ([]fleet.Terminal, error)
	AddTerminal(ctx context.Context, by, store uuid.UUID, name string) (fleet.Terminal, fleet.OneTimeCode, error)
	Enrol(ctx context.Context, req wire.EnrolRequest) (wire.Enrolment, error)
}

// Programme is what this room needs of rules, rewards and members.
type Programme interface {
	Member(ctx context.Context, id uuid.UUID) (programme.Member, error)
	Reward(ctx context.Context, id uuid.UUID) (programme.Reward, error)
	CurrentRuleSet(ctx context.Context) (loyalty.RuleSet, error)
	CurrentPolicy(ctx context.Context) (loyalty.Policy, error)
}

// Ledger is what this room needs of the books.
type Ledger interface {
	Locked(ctx context.Context, account uuid.UUID, fn func(ctx context.Context, a ledger.Account) error) error
	Vouchers(ctx context.Context, account uuid.UUID) ([]loyalty.Voucher, error)
	EntriesAt(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) ([]ledger.Entry, error)
	ApplyNow(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) error
}

// Ingest takes the virtual terminal's entries in.
type Ingest interface {
	Push(ctx context.Context, t ingest.Terminal, b wire.Batch, now time.Time) ([]byte, error)
}

// Env is what this room stands on. Secret is 32 bytes that only HQ knows; the keys
// of the virtual terminals derive from it.
type Env struct {
	Store     Store
	Fleet     Fleet
	Programme Programme
	Ledger    Ledger
	Ingest    Ingest
	Clock     clock.Clock
	NewID     func() uuid.UUID
	HQ        uuid.UUID
	Secret    []byte
	Version   string
}

// Shop is the room. It is safe for concurrent use.
type Shop struct{ env Env }

// New returns the room.
func New(env Env) *Shop { return &Shop{env: env} }

func (s *Shop) now() time.Time { return s.env.Clock.Now().UTC().Truncate(time.Millisecond) }

// lane is the virtual terminal of a store with its key.
type lane struct {
	terminal ingest.Terminal
	store    fleet.Store
	signer   keys.Signer
}

// signer derives the key of one epoch of a terminal.
func (s *Shop) signer(terminal uuid.UUID, epoch uint32) (keys.Signer, error) {
	h := sha256.New()
	h.Write([]byte("tallystick web shop v1\x00"))
	h.Write(s.env.Secret)
	h.Write(terminal[:])
	h.Write(binary.BigEndian.AppendUint32(nil, epoch))
	return keys.NewSigner(keys.Public{}, h.Sum(nil))
}

// lane finds the virtual terminal of a store, or adds and enrols one.
func (s *Shop) lane(ctx context.Context, store uuid.UUID) (lane, error) {
	var l lane
	var err error
	if l.store, err = s.env.Fleet.Store(ctx, store); err != nil {
		return l, err
	}
	for after := uuid.Nil; ; {
		const many = 200
		all, err := s.env.Fleet.Terminals(ctx, store, after, many)
		if err != nil {
			return l, err
		}
		for _, t := range all {
			if t.Name == TerminalName {
				return s.known(ctx, l, t)
			}
			after = t.ID
		}
		if len(all) < many {
			return s.enrol(ctx, l)
		}
	}
}

func (s *Shop) known(_ context.Context, l lane, t fleet.Terminal) (lane, error) {
	if t.State != fleet.StateEnrolled {
		return l, problem.Newf(problem.StateConflict, "the store's web shop is %s", t.State)
	}
	var err error
	l.signer, err = s.signer(t.ID, t.Epoch)
	l.terminal = ingest.Terminal{ID: t.ID, Store: t.Store, Epoch: t.Epoch, PublicKey: t.PublicKey, State: string(t.State)}
	return l, err
}

func (s *Shop) enrol(ctx context.Context, l lane) (lane, error) {
	t, code, err := s.env.Fleet.AddTerminal(ctx, uuid.Nil, l.store.ID, TerminalName)
	if err != nil {
		return l, err
	}
	if l.signer, err = s.signer(t.ID, t.Epoch+1); err != nil {
		return l, err
	}
	public := l.signer.Public.Key
	e, err := s.env.Fleet.Enrol(ctx, wire.EnrolRequest{
		V: wire.Version, Code: code.Text, PublicKey: public, Software: s.env.Version,
		Signature: l.signer.Sign(wire.DomainEnrol, append([]byte(code.Text), public...)),
	})
	if err != nil {
		return l, err
	}
	l.terminal = ingest.Terminal{ID: e.Terminal, Store: e.Store, Epoch: e.Epoch, PublicKey: public, State: string(fleet.StateEnrolled)}
	_, err = s.write(ctx, l, entry.KindEnrolled, entry.Enrolled{
		Terminal: e.Terminal, Store: e.Store, Epoch: e.Epoch, PublicKey: public, HQ: s.env.HQ, Software: s.env.Version,
	})
	return l, err
}

// write appends one entry to the virtual terminal's journal, through the same door
// as every other terminal's, and returns its number. Its journal is locked until
// the transaction ends.
func (s *Shop) write(ctx context.Context, l lane, kind entry.Kind, body any) (uint64, error) {
	w := journal.Writer{ID: l.terminal.ID, Epoch: l.terminal.Epoch}
	branches, err := s.env.Store.LockBranches(ctx, w, l.store.ID)
	if err != nil {
		return 0, fmt.Errorf("lock the web shop's journal: %w", err)
	}
	head := branches[0].Head
	now := s.now()
	stamp := clock.NewStamp(now, 0)
	if head.Seq > 0 {
		last, err := s.env.Ledger.EntriesAt(ctx, w.ID, w.Epoch, head.Seq)
		if err != nil {
			return 0, err
		}
		stamp = max(stamp, clock.Stamp(last[0].HLC)+1)
	}
	zone, err := time.LoadLocation(l.store.TimeZone)
	if err != nil {
		return 0, fmt.Errorf("time zone of store %s: %w", l.store.Code, err)
	}
	raw, err := entry.Encode(entry.Entry{
		HLC: stamp, OccurredAt: now.UnixMilli(), BusinessDate: entry.DateOf(now.In(zone)), Kind: kind,
	}, body)
	if err != nil {
		return 0, err
	}
	next := journal.Head{Seq: head.Seq + 1, Hash: journal.HashEntry(w, head.Seq+1, head.Hash, raw)}
	signed := journal.SignCheckpoint(l.signer, w, next.Seq, next)
	_, err = s.env.Ingest.Push(ctx, l.terminal, wire.Batch{
		V: wire.Version, Terminal: w.ID, Epoch: w.Epoch, First: next.Seq, Prev: head.Hash[:], Entries: [][]byte{raw},
		Head: next.Hash[:], Signature: signed.Signature,
	}, now)
	if err != nil {
		return 0, fmt.Errorf("take the web shop's entry in: %w", err)
	}
	return next.Seq, s.env.Ledger.ApplyNow(ctx, w.ID, w.Epoch, next.Seq)
}
