package till

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tallystick/tallystick/sync/wire"
)

// said is a word of HQ that says when it was said (TableMeta "said").
type said struct {
	Dated wire.Dated `cbor:"1,keyasint"`
	At    int64      `cbor:"2,keyasint"` // Unix milliseconds
}

// saidByHQ keeps the latest word of HQ, to be shown to lanes that do not hear HQ.
type saidByHQ struct {
	mu   sync.Mutex
	last said
	kept int64 // of the one the state store has
}

// saidApart is how much later a word must be for the state store to take it.
const saidApart = time.Minute

// Said returns the latest word of HQ that says when it was said, as HQ sealed it; zero
// when there was none.
func (t *Till) Said() wire.Dated {
	t.said.mu.Lock()
	defer t.said.mu.Unlock()
	return t.said.last.Dated
}

// NoteSaid takes in what HQ said to this terminal at a time, for the other lanes. The
// caller has verified the signature.
func (t *Till) NoteSaid(d wire.Dated, at time.Time) error {
	s := &t.said
	s.mu.Lock()
	defer s.mu.Unlock()
	now := said{Dated: d, At: at.UnixMilli()}
	if now.At <= s.last.At {
		return nil
	}
	s.last = now
	if now.At-s.kept < saidApart.Milliseconds() {
		return nil
	}
	s.kept = now.At
	return t.remember(context.Background(), keySaid, now)
}

// PassedOn takes in what HQ said to another lane: it is not earlier now. HQ's signature
// counts, not the lane's word.
func (t *Till) PassedOn(_ context.Context, d wire.Dated) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	at, err := wire.OpenDated(d, t.cfg.HQ, t.Keys())
	if err != nil {
		return fmt.Errorf("verify HQ's time: %w", err)
	}
	t.time.passedOn(at)
	return t.NoteSaid(d, at)
}

// recallSaid reads at the start what HQ said last.
func (t *Till) recallSaid(ctx context.Context) error {
	err := t.look(ctx, func(l look) error {
		last, found, err := get[said](l, TableMeta, keySaid)
		if found {
			t.said.last, t.said.kept = last, last.At
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read what HQ said last: %w", err)
	}
	if at := t.said.last.At; at != 0 {
		t.time.passedOn(time.UnixMilli(at))
	}
	return nil
}
