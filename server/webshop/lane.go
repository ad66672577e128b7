package webshop

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// TerminalName is the name of the first virtual terminal of a store; the others are
// numbered from 2.
const TerminalName = "web shop"

// DefaultLanes is how many virtual terminals a store has when nothing else is said.
const DefaultLanes = 8

// MostLanes is how many it may have: a lane is looked for among a store's terminals.
const MostLanes = 128

// lane is a virtual terminal of a store with its key.
type lane struct {
	terminal ingest.Terminal
	store    fleet.Store
	signer   keys.Signer
}

// laneName is the name of the lane that writes for an account, or for a sale that
// has none. Shoppers of different lanes do not wait for each other's journal.
func (s *Shop) laneName(account, sale uuid.UUID) string {
	if account == uuid.Nil {
		account = sale
	}
	n := shard.Of(account) % s.env.Lanes
	if n == 0 {
		return TerminalName
	}
	return TerminalName + " " + strconv.Itoa(n+1)
}

// IsLane says whether a terminal is virtual, by its name.
func IsLane(name string) bool {
	rest, ok := strings.CutPrefix(name, TerminalName)
	if !ok || rest == "" {
		return ok
	}
	n, err := strconv.Atoi(strings.TrimPrefix(rest, " "))
	return err == nil && rest[0] == ' ' && n >= 2 && n <= MostLanes
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

// lane finds a virtual terminal of a store by its name, or adds and enrols it.
func (s *Shop) lane(ctx context.Context, store uuid.UUID, name string) (lane, error) {
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
			if t.Name == name {
				return s.known(l, t)
			}
			after = t.ID
		}
		if len(all) < many {
			return s.enrol(ctx, l, name)
		}
	}
}

// laneOf finds the virtual terminal that made a sale: only it can undo it, however
// many lanes there are by now.
func (s *Shop) laneOf(ctx context.Context, sale Place) (lane, error) {
	t, err := s.env.Fleet.Terminal(ctx, sale.Terminal)
	if err != nil {
		return lane{}, err
	}
	var l lane
	if l.store, err = s.env.Fleet.Store(ctx, t.Store); err != nil {
		return l, err
	}
	return s.known(l, t)
}

func (s *Shop) known(l lane, t fleet.Terminal) (lane, error) {
	if t.State != fleet.StateEnrolled {
		return l, problem.Newf(problem.StateConflict, "the store's %s is %s", t.Name, t.State)
	}
	var err error
	l.signer, err = s.signer(t.ID, t.Epoch)
	l.terminal = ingest.Terminal{ID: t.ID, Store: t.Store, Epoch: t.Epoch, PublicKey: t.PublicKey, State: string(t.State)}
	return l, err
}

func (s *Shop) enrol(ctx context.Context, l lane, name string) (lane, error) {
	t, code, err := s.env.Fleet.AddTerminal(ctx, uuid.Nil, l.store.ID, name)
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
