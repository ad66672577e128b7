package till

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// What the other lanes of the store ask this terminal; see Lend too.

var errNoKey = errors.New("this till was made without its terminal's key")

// Writer names this terminal and its epoch.
func (t *Till) Writer() journal.Writer { return t.cfg.Writer }

// Online reports whether HQ is in reach, as the syncer sees it.
func (t *Till) Online() bool { return t.online.Load() }

// Lanes is the store's roster as HQ last said it, by id, this terminal too.
func (t *Till) Lanes() []wire.Terminal {
	cat := t.catalogue.Load()
	if cat == nil {
		return nil
	}
	var out []wire.Terminal
	for _, lane := range cat.lanes {
		if lane.Store == t.cfg.Store {
			out = append(out, lane)
		}
	}
	slices.SortFunc(out, func(a, b wire.Terminal) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out
}

// headsAhead is how far the stamps of heads may go on before the state store must know.
const headsAhead = time.Minute

// SignedHead signs the durable head of the journal. Of two of these, the one with the
// later HLC is never the shorter, nor over a restart with a clock that was set back: a
// stamp is given out only below a bound that is kept. With the state store lost, the
// last entry's stamp is all that is known.
func (t *Till) SignedHead() (wire.SignedHead, error) {
	t.headMu.Lock()
	defer t.headMu.Unlock()
	now, _ := t.time.now()
	stamp := t.hlc.Next(now)
	if stamp >= t.headBound {
		bound := max(clock.NewStamp(stamp.Time().Add(headsAhead), 0), stamp)
		if err := t.remember(context.Background(), keyHeadBound, bound); err != nil {
			return wire.SignedHead{}, err
		}
		t.headBound = bound
	}
	return t.signHead(t.cfg.Journal.Head(), stamp)
}

// SignedAt signs the head as it was at seq, with no HLC.
func (t *Till) SignedAt(ctx context.Context, seq uint64) (wire.SignedHead, error) {
	hash, err := t.cfg.Journal.HashAt(ctx, seq)
	if err != nil {
		return wire.SignedHead{}, fmt.Errorf("read hash of entry %d: %w", seq, err)
	}
	return t.signHead(journal.Head{Seq: seq, Hash: hash}, 0)
}

func (t *Till) signHead(h journal.Head, stamp clock.Stamp) (wire.SignedHead, error) {
	if t.cfg.Signer.Private() == nil {
		return wire.SignedHead{}, errNoKey
	}
	w := t.cfg.Writer
	return wire.SignHead(t.cfg.Signer, wire.Head{
		V: wire.Version, Terminal: w.ID, Epoch: w.Epoch, Seq: h.Seq, Hash: h.Hash[:], HLC: uint64(stamp),
		HQTime: t.linkNow().HQTime,
	})
}

// Contradicted tells that a lane holds a head that this terminal signed, and that its
// journal does not go on from: it is a copy, or was rolled back.
func (t *Till) Contradicted(ctx context.Context, finding entry.WitnessFinding, known wire.SignedHead) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	head, err := wire.OpenHead(t.cfg.Signer.Public.Key, known)
	if err != nil {
		return fmt.Errorf("read the head a lane knows: %w", err)
	}
	return t.told(ctx, branch{head.Seq, finding})
}

// Saw journals the head of another lane, or what it proves against it.
func (t *Till) Saw(ctx context.Context, seen entry.Witness) error {
	_, err := t.Record(ctx, entry.KindWitness, seen)
	return err
}

// deriveWitness keeps the last head of another lane that this journal has, so that a
// restart does not forget what the lane once showed.
func deriveWitness(w entry.Witness) (derived, error) {
	var d derived
	if w.Finding != entry.WitnessSeen || len(w.Head) == 0 {
		return d, nil
	}
	return d, d.put(TableMeta, key(keySeen, w.Writer[:]), wire.SignedHead{Head: w.Head, Signature: w.Signature})
}

// Seen returns the last heads of other lanes that this journal has.
func (t *Till) Seen(ctx context.Context) ([]wire.SignedHead, error) {
	end, err := t.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	var out []wire.SignedHead
	err = t.look(ctx, func(l look) error {
		names := map[string]bool{} // one key may be on its way in twice
		err := l.scan(TableMeta, keySeen, nil, func(name, _ []byte) error {
			names[string(name)] = true
			return nil
		})
		for _, name := range slices.Sorted(maps.Keys(names)) {
			head, _, getErr := get[wire.SignedHead](l, TableMeta, []byte(name))
			out, err = append(out, head), errors.Join(err, getErr)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read heads of other lanes: %w", err)
	}
	return out, nil
}

// maxAhead is how far a lane's stamp may lie ahead and still be followed: one lane with
// a clock of the next decade must not take the others there.
const maxAhead = 24 * time.Hour

// HLC takes in a stamp of another lane, so that what happens here next is later.
func (t *Till) HLC(stamp uint64) {
	now, _ := t.time.now()
	if s := clock.Stamp(stamp); s.Time().Sub(now) <= maxAhead {
		t.hlc.Observe(s)
	}
}
