package reconcile

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/cursortext"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Close is a day close as kept. Times are Unix milliseconds. Raw is the entry's bytes.
type Close struct {
	Store      uuid.UUID
	Date       entry.Date
	Terminal   uuid.UUID
	Epoch      uint32
	Seq        uint64
	Hash       journal.Hash
	Proven     bool // false: delivered by a revoked or quarantined terminal
	OccurredAt int64
	RecordedAt int64
	Raw        []byte
}

// Body reads what the terminal said.
func (c Close) Body() (entry.DayClose, error) { return bodyOf(c.Raw) }

// Place is where a close stands in the list of its store: newest date first.
type Place struct {
	Date     entry.Date
	Terminal uuid.UUID
	Epoch    uint32
	Seq      uint64
	Hash     journal.Hash
}

// Filter says which closes of a store are listed. Dates are inclusive, zero is no bound.
type Filter struct {
	Store    uuid.UUID
	From, To entry.Date
	Terminal uuid.UUID
}

// Store is the storage the service needs. Methods join the transaction in ctx.
type Store interface {
	// AddCloses keeps those that are not there.
	AddCloses(ctx context.Context, rows []Close) error
	// Closes returns closes behind a place, newest date first, then by terminal, epoch, seq
	// and hash.
	Closes(ctx context.Context, f Filter, after *Place, limit int) ([]Close, error)
	// AddExceptions adds those that are not there.
	AddExceptions(ctx context.Context, rows []ledger.Exception) error
	// AfterCommit calls fn once the transaction in ctx has committed.
	AfterCommit(ctx context.Context, fn func())
}

// Service takes closes in and lists them. It is safe for concurrent use.
type Service struct {
	store  Store
	closed func(store uuid.UUID)
}

// New returns the service. Closed, if not nil, is told of each store of which a close was
// taken in.
func New(store Store, closed func(store uuid.UUID)) *Service { return &Service{store, closed} }

// Kinds implements ledger.Beside.
func (s *Service) Kinds() []entry.Kind { return []entry.Kind{entry.KindDayClose} }

// Undone implements ledger.Beside; it concerns no close.
func (s *Service) Undone(context.Context, ledger.Entry, uuid.UUID) error { return nil }

// Take implements ledger.Beside. Taking an entry again changes nothing. A close that
// contradicts itself is an exception and no close.
func (s *Service) Take(ctx context.Context, entries []ledger.Entry) error {
	var rows []Close
	var wrong []ledger.Exception
	for _, e := range entries {
		body, err := bodyOf(e.Raw)
		if err != nil {
			wrong = append(wrong, exceptionOf(e, err))
			continue
		}
		if ahead(body.Date, e.RecordedAt) {
			wrong = append(wrong, tooEarly(e, body.Date))
		}
		rows = append(rows, Close{
			Store: e.Store, Date: body.Date, Terminal: e.Terminal, Epoch: e.Epoch, Seq: e.Seq, Hash: e.Hash, Proven: e.Proven,
			OccurredAt: e.OccurredAt, RecordedAt: e.RecordedAt, Raw: e.Raw,
		})
	}
	if len(wrong) > 0 {
		if err := s.store.AddExceptions(ctx, wrong); err != nil {
			return fmt.Errorf("raise exceptions of day closes: %w", err)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := s.store.AddCloses(ctx, rows); err != nil {
		return fmt.Errorf("keep day closes: %w", err)
	}
	if s.closed != nil {
		s.store.AfterCommit(ctx, func() {
			for _, c := range rows {
				s.closed(c.Store)
			}
		})
	}
	return nil
}

func bodyOf(raw []byte) (entry.DayClose, error) {
	env, err := entry.Decode(raw)
	if err != nil {
		return entry.DayClose{}, err
	}
	body, err := entry.DecodeBody[entry.DayClose](env)
	if err == nil {
		err = body.Check()
	}
	return body, err
}

// Closes lists closes of a store, newest date first. next is the cursor of the next page,
// empty on the last.
func (s *Service) Closes(ctx context.Context, f Filter, cursor string, limit int) (list []Close, next string, err error) {
	after, err := placeOf(cursor)
	if err != nil {
		return nil, "", err
	}
	list, err = s.store.Closes(ctx, f, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list day closes: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = cursorOf(list[limit-1])
	}
	return list, next, nil
}

// placeSize is the length of a cursor's bytes: date, terminal, epoch, seq, hash.
const placeSize = 4 + 16 + 4 + 8 + 32

func cursorOf(c Close) string {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, placeSize), uint32(c.Date))
	b = append(b, c.Terminal[:]...)
	b = binary.BigEndian.AppendUint32(b, c.Epoch)
	b = binary.BigEndian.AppendUint64(b, c.Seq)
	return cursortext.Of(append(b, c.Hash[:]...))
}

func placeOf(cursor string) (*Place, error) {
	if cursor == "" {
		return nil, nil
	}
	b, err := cursortext.Bytes(cursor)
	if err != nil || len(b) != placeSize {
		return nil, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	p := Place{Date: entry.Date(binary.BigEndian.Uint32(b)), Terminal: uuid.UUID(b[4:20]), Epoch: binary.BigEndian.Uint32(b[20:]), Seq: binary.BigEndian.Uint64(b[24:])}
	p.Hash = journal.Hash(b[32:])
	if !p.Date.Valid() || p.Seq > 1<<63-1 {
		return nil, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	return &p, nil
}

// farAhead is what the wall of a shop can be ahead of UTC, and how early before midnight a
// business date may begin.
const farAhead = (14 + 12) * time.Hour

// ahead says whether a date had not begun anywhere when its close arrived. What HQ does with
// such a close is storeday's: it is not believed before the date has come.
func ahead(date entry.Date, recordedAt int64) bool {
	return date > entry.DateOf(time.UnixMilli(recordedAt).UTC().Add(farAhead))
}

func tooEarly(e ledger.Entry, date entry.Date) ledger.Exception {
	return ledger.Exception{
		ID: uuid.NewSHA1(uuid.Nil, append(e.Hash[:], ledger.DayCloseAhead...)), Shard: shard.Of(e.Terminal), Kind: ledger.DayCloseAhead,
		State: ledger.ExceptionOpen, Liable: "store", Cause: fmt.Sprintf("%s was closed before it had begun", date), Source: e.Hash, Terminal: e.Terminal,
		Epoch: e.Epoch, Seq: e.Seq, Store: e.Store, OccurredAt: e.OccurredAt, RecordedAt: e.RecordedAt,
	}
}

func exceptionOf(e ledger.Entry, err error) ledger.Exception {
	return ledger.Exception{
		ID: uuid.NewSHA1(uuid.Nil, append(e.Hash[:], ledger.InvalidEntry...)), Shard: shard.Of(e.Terminal), Kind: ledger.InvalidEntry,
		State: ledger.ExceptionOpen, Liable: "store", Cause: "the day close cannot be read: " + err.Error(), Source: e.Hash, Terminal: e.Terminal,
		Epoch: e.Epoch, Seq: e.Seq, Store: e.Store, OccurredAt: e.OccurredAt, RecordedAt: e.RecordedAt,
	}
}
