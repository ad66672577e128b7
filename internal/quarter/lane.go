package quarter

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// lane is a terminal: a key and a journal in memory, of which only what head office has
// not acknowledged is kept.
type lane struct {
	shop     *shop
	number   int
	terminal uuid.UUID
	signer   keys.Signer
	writer   journal.Writer

	head  journal.Head // of the last entry
	sent  journal.Head // of the last one that head office has
	queue []waiting    // behind sent
	at    time.Time    // of the last entry, as the lane believes it
	skew  time.Duration

	date   entry.Date // open business date
	closed uint64     // last entry that a close speaks of, or is
	day    daybook.Figures
	held   []keptRight

	said    *truth.Journal
	settled int64 // when the last entry that head office has took effect
	cutOff  bool
	dead    bool
	apart   bool // it belongs to a planted story: nothing else happens to it
	back    int  // the day on which an outage ends
}

// waiting is an entry that head office does not have.
type waiting struct {
	raw      []byte
	occurred int64
	fact     *truth.Fact // nil for none
}

// keptRight is a right that the lane kept of what was earned at it.
type keptRight struct {
	right, member, account uuid.UUID
	left                   int64
}

// enrol makes the lane a terminal of a new epoch, as `edge enroll` does.
func (l *lane) enrol(ctx context.Context, w *world) error {
	code, err := w.hq.fleet.NewCode(ctx, l.terminal)
	if err != nil {
		return err
	}
	return l.enrolBy(ctx, w, code.Text)
}

// enrolBy enrols the lane by a code that it was given.
func (l *lane) enrolBy(ctx context.Context, w *world, code string) error {
	signer, err := w.newSigner()
	if err != nil {
		return err
	}
	e, err := w.hq.fleet.Enrol(ctx, wire.EnrolRequest{
		V: wire.Version, Code: code, PublicKey: signer.Public.Key, Software: "quarter",
		Signature: signer.Sign(wire.DomainEnrol, append([]byte(code), signer.Public.Key...)),
	})
	if err != nil {
		return err
	}
	l.signer, l.writer = signer, journal.Writer{ID: e.Terminal, Epoch: e.Epoch}
	l.head, l.sent, l.queue, l.closed, l.day, l.settled = journal.Head{}, journal.Head{}, nil, 0, daybook.Figures{}, 0
	l.said = &truth.Journal{Lane: l.terminal, Epoch: e.Epoch, Name: l.name(), Heads: map[uint64]string{}}
	l.shop.journals = append(l.shop.journals, l.said)
	return l.write(entry.KindEnrolled, entry.Enrolled{
		Terminal: e.Terminal, Store: e.Store, Epoch: e.Epoch, PublicKey: signer.Public.Key, HQ: e.HQ, Software: "quarter",
	}, truth.Done{}, nil)
}

// newSigner makes a key that nobody has had before.
func (w *world) newSigner() (keys.Signer, error) {
	seed := make([]byte, 32)
	_, _ = w.dice.Read(seed)
	return keys.NewSigner(keys.Public{}, seed)
}

func (l *lane) name() string { return fmt.Sprintf("lane %d", l.number) }

// now moves the lane to a moment by a right clock, never back.
func (l *lane) now(at time.Time) {
	if at = at.Add(l.skew); at.After(l.at) {
		l.at = at
	}
}

// write appends an entry and tells the truth of it. A fact is heard of by nobody yet.
func (l *lane) write(kind entry.Kind, body any, done truth.Done, f *truth.Fact) error {
	l.at = l.at.Add(time.Second)
	raw, err := entry.Encode(entry.Entry{
		HLC: clock.NewStamp(l.at, 0), OccurredAt: l.at.UnixMilli(), BusinessDate: l.date, Kind: kind,
	}, body)
	if err != nil {
		return err
	}
	seq := l.head.Seq + 1
	l.head = journal.Head{Seq: seq, Hash: journal.HashEntry(l.writer, seq, l.head.Hash, raw)}
	if kind != entry.KindDayClose {
		l.day.Count(kind)
	}
	done.Kind, done.Date, done.Trades = kind.String(), uint32(l.date), daybook.Trades(kind)
	l.said.Entries = append(l.said.Entries, done)
	if f != nil {
		f.At, f.Known, f.Lane, f.Epoch, f.Seq = l.at.UnixMilli(), truth.Ever, l.terminal, l.writer.Epoch, seq
	}
	l.queue = append(l.queue, waiting{raw, l.at.UnixMilli(), f})
	return nil
}

// close writes a day close. change makes it another than it should be; nil is none.
func (l *lane) close(change func(*entry.DayClose)) error {
	if err := l.release(); err != nil {
		return err
	}
	body := entry.DayClose{Date: l.date, First: l.closed + 1, Last: l.head.Seq, Reason: entry.DayCloseOver}
	if body.Last >= body.First {
		body.Head = append([]byte(nil), l.head.Hash[:]...)
	}
	l.day.Fill(&body)
	if change != nil {
		change(&body)
	}
	if err := l.write(entry.KindDayClose, body, truth.Done{}, nil); err != nil {
		return err
	}
	l.said.Closes = append(l.said.Closes, truth.Close{Seq: l.head.Seq, Date: uint32(body.Date)})
	l.said.Heads[l.head.Seq] = l.head.Hash.String()
	l.day, l.closed = daybook.Figures{}, l.head.Seq
	l.date = max(l.date, body.Date.Next())
	return nil
}

// release gives back what is left of rights that were kept during the day.
func (l *lane) release() error {
	for _, h := range l.held {
		err := l.write(entry.KindAllowanceChange, entry.AllowanceChange{
			Op: entry.AllowanceReleased, Right: h.right, Account: h.account, Unit: points, Amount: h.left,
			Reason: entry.ReleaseEnded, Member: h.member,
		}, truth.Done{}, nil)
		if err != nil {
			return err
		}
	}
	l.held = nil
	return nil
}

// deliver pushes what waits, in batches, and tells the truth when head office had it.
func (l *lane) deliver(ctx context.Context, hq *office) error {
	for len(l.queue) > 0 {
		n := min(len(l.queue), wire.MaxBatchEntries)
		batch, last := l.batch(n)
		t, err := hq.fleet.Deliverer(ctx, l.terminal, l.writer.Epoch)
		if err != nil {
			return fmt.Errorf("find terminal: %w", err)
		}
		if _, err := hq.ingest.Push(ctx, t, batch, hq.clock.Now()); err != nil {
			return fmt.Errorf("push entries %d to %d of %s: %w", batch.First, last.Seq, l.writer, err)
		}
		l.heard(n, last, hq.ms())
	}
	return nil
}

// heard notes that head office has the next n entries: effects never run back in a journal
// and never lie after the arrival.
func (l *lane) heard(n int, last journal.Head, now int64) {
	for i, w := range l.queue[:n] {
		l.settled = max(l.settled, min(max(w.occurred, l.settled), now))
		if w.fact != nil {
			w.fact.At, w.fact.Known = l.settled, now
		}
		l.said.Entries[l.sent.Seq+uint64(i)].Known = now
	}
	l.queue, l.sent = append([]waiting(nil), l.queue[n:]...), last
}

// batch signs the next n entries.
func (l *lane) batch(n int) (wire.Batch, journal.Head) {
	entries := make([][]byte, n)
	for i := range entries {
		entries[i] = l.queue[i].raw
	}
	hashes := journal.HashRun(l.writer, l.sent, entries)
	last := journal.Head{Seq: l.sent.Seq + uint64(n), Hash: hashes[n-1]}
	cp := journal.SignCheckpoint(l.signer, l.writer, l.sent.Seq+1, last)
	return wire.Batch{
		V: wire.Version, Terminal: l.writer.ID, Epoch: l.writer.Epoch, First: l.sent.Seq + 1, Prev: append([]byte(nil), l.sent.Hash[:]...),
		Entries: entries, Head: append([]byte(nil), last.Hash[:]...), Signature: cp.Signature,
	}, last
}

// copied is the lane as its disk was copied: it goes on by itself, and what it writes is
// in no journal that days are made of.
func (l *lane) copied() *lane {
	c := *l
	said := *l.said
	said.Entries = append([]truth.Done(nil), l.said.Entries...)
	said.Heads = map[uint64]string{}
	c.said, c.queue = &said, append([]waiting(nil), l.queue...)
	c.day = daybook.Figures{}
	c.closed = math.MaxUint64
	return &c
}
