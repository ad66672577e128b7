package storeday

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Certified is a certificate as kept.
type Certified struct {
	Store  uuid.UUID
	Number uint64
	Date   entry.Date
	CutAt  int64
	Text   string
	Digest string
}

// Kept is a journal as the database has it: its first branch.
type Kept struct {
	Writer  journal.Writer
	Head    uint64
	Applied uint64 // nothing through this one is parked or set aside
	Forked  bool   // it has other branches
	// Undecided: exceptions of unproven entries are open.
	Undecided bool
}

// Entry is an entry of a journal's first branch. Days read every entry that there is, so it
// has what they need and no more.
type Entry struct {
	Seq    uint64
	Hash   journal.Hash
	Kind   entry.Kind
	Proven bool
	Raw    []byte
}

// Store is the storage of certificates, and what they are made of. Methods join the
// transaction in ctx. What is missing is problem.NotFound.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// LastCertified returns the newest certificate of a store.
	LastCertified(ctx context.Context, store uuid.UUID) (Certified, error)
	// Certified returns the certificate of a date.
	Certified(ctx context.Context, store uuid.UUID, date entry.Date) (Certified, error)
	// CertifiedDays lists certificates of a store by date, from a date on.
	CertifiedDays(ctx context.Context, store uuid.UUID, from entry.Date, limit int) ([]Certified, error)
	// AddCertified is problem.Conflict when the store has one of the number.
	AddCertified(ctx context.Context, c Certified) error
	// Covered says through which entry each journal of a store is covered.
	Covered(ctx context.Context, store uuid.UUID) (map[journal.Writer]uint64, error)
	SetCovered(ctx context.Context, store uuid.UUID, to map[journal.Writer]uint64) error

	KeptJournals(ctx context.Context, terminals []uuid.UUID) ([]Kept, error)
	// FirstCloseDate is the earliest date of a store that a terminal proved to have closed, no
	// later one than through.
	FirstCloseDate(ctx context.Context, store uuid.UUID, through entry.Date) (entry.Date, error)
	// ClosesBehind lists proven closes of one journal behind an entry, in their order, but
	// those of dates later than through.
	ClosesBehind(ctx context.Context, store uuid.UUID, w journal.Writer, after uint64, through entry.Date, limit int) ([]Said, error)
	// DayEntries returns entries of a journal's first branch with numbers from first to last, in
	// order, limit at most.
	DayEntries(ctx context.Context, w journal.Writer, first, last uint64, limit int) ([]Entry, error)
	// Forks lists the branches of a journal beside the first one, in their order.
	Forks(ctx context.Context, w journal.Writer) ([]Fork, error)
	// SalesOf finds sales of a terminal by their ids: what another one says under an id of its
	// sales is no sale of its own.
	SalesOf(ctx context.Context, terminal uuid.UUID, sales []uuid.UUID) (map[uuid.UUID]entry.Sale, error)
	// Rejected names entries of a span that a person let count for nothing.
	Rejected(ctx context.Context, w journal.Writer, first, last uint64) (map[journal.Hash]bool, error)
	// ExceptionsWithin counts exceptions about entries of a span, by kind.
	ExceptionsWithin(ctx context.Context, w journal.Writer, first, last uint64) ([]Exceptions, error)
	// BlockedBy returns ids of exceptions of a span, of these kinds, that nobody settled.
	BlockedBy(ctx context.Context, w journal.Writer, first, last uint64, kinds []ledger.ExceptionKind) ([]uuid.UUID, error)
	// AddExceptions adds those that are not there.
	AddExceptions(ctx context.Context, rows []ledger.Exception) error
	// WithdrawExceptions withdraws open ones of a kind about a journal.
	WithdrawExceptions(ctx context.Context, kind ledger.ExceptionKind, terminal uuid.UUID, epoch uint32, at time.Time) error
}

// Fleet knows stores and their terminals.
type Fleet interface {
	Store(ctx context.Context, id uuid.UUID) (fleet.Store, error)
	Stores(ctx context.Context, after uuid.UUID, limit int) ([]fleet.Store, error)
	Terminals(ctx context.Context, store, after uuid.UUID, limit int) ([]fleet.Terminal, error)
}

// HQJournal is HQ's own journal; see hqjournal.
type HQJournal interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// Env is what the service takes from its surroundings.
type Env struct {
	Store   Store
	Fleet   Fleet
	Journal HQJournal
	Clock   clock.Clock
	HQ      uuid.UUID
	HQEpoch uint32
	Signer  keys.Signer
	Virtual func(name string) bool // whether a terminal is one of HQ's own
}

// Service certifies days. It is safe for concurrent use.
type Service struct {
	env Env

	mu     sync.Mutex
	closed map[uuid.UUID]bool // stores of which a close was taken in since they were looked at
	swept  time.Time          // when all stores were looked at
}

// New returns the service.
func New(env Env) *Service { return &Service{env: env, closed: map[uuid.UUID]bool{}} }

// Closed tells the service that a close of a store was taken in.
func (s *Service) Closed(store uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed[store] = true
}

// sweepEvery is how often all stores are looked at: a day may also become ready because
// somebody settled or declared something, or because another process took a close in.
const sweepEvery = time.Minute

const (
	pageSize = 200
	// mostDays bounds what one round certifies for one store.
	mostDays = 40
	// readAtOnce is how many entries are in memory at a time.
	readAtOnce = 2000
	// mostCloses bounds the closes of one journal that are looked at together.
	mostCloses = 400
	// lateEnd is how long after midnight a business date may end at the latest.
	lateEnd = 12 * time.Hour
)

// blocking are the exceptions that people settle before a day is certified.
var blocking = []ledger.ExceptionKind{ledger.DayCloseDiffers, ledger.Fork}

// Round certifies the days that are ready: of the stores that closes came from, and once
// a minute of all.
func (s *Service) Round(ctx context.Context) error {
	s.mu.Lock()
	closed, now := s.closed, s.env.Clock.Now()
	s.closed = map[uuid.UUID]bool{}
	all := now.Sub(s.swept) >= sweepEvery || now.Before(s.swept)
	if all {
		s.swept = now
	}
	s.mu.Unlock()
	if all {
		return s.sweep(ctx)
	}
	return sideBySide(slices.Collect(maps.Keys(closed)), func(id uuid.UUID) error {
		store, err := s.env.Fleet.Store(ctx, id)
		if err == nil {
			err = s.certifyStore(ctx, store)
		}
		if err != nil {
			s.Closed(id)
			return fmt.Errorf("certify days of store %s: %w", id, err)
		}
		return nil
	})
}

// mostSideBySide bounds how many stores are looked at together. Each waits for the
// database about as long as it adds up.
const mostSideBySide = 8

// sideBySide does something for all of a list, some at a time, and returns all errors.
func sideBySide[T any](list []T, do func(T) error) error {
	var all sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, len(list))
	for range min(len(list), 2*runtime.GOMAXPROCS(0), mostSideBySide) {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return
				}
				errs[i] = do(list[i])
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// sweep looks at every store. One that cannot be certified holds up no other.
func (s *Service) sweep(ctx context.Context) error {
	var after uuid.UUID
	var failed error
	for {
		stores, err := s.env.Fleet.Stores(ctx, after, pageSize)
		if err != nil {
			return errors.Join(failed, fmt.Errorf("list stores to certify days of: %w", err))
		}
		failed = errors.Join(failed, sideBySide(stores, func(store fleet.Store) error {
			if err := s.certifyStore(ctx, store); err != nil {
				return fmt.Errorf("certify days of store %s: %w", store.Code, err)
			}
			return nil
		}))
		if len(stores) < pageSize || ctx.Err() != nil {
			return failed
		}
		after = stores[len(stores)-1].ID
	}
}

func (s *Service) certifyStore(ctx context.Context, store fleet.Store) error {
	last, date, err := s.next(ctx, store)
	if err != nil || date == 0 || date > s.begun(store) {
		return err
	}
	lanes, err := s.lanes(ctx, store)
	if err != nil {
		return err
	}
	for range mostDays {
		spans, waiting := Stand(date, s.over(store, date), lanes)
		if len(waiting) > 0 || len(spans) == 0 {
			return s.remind(ctx, store, date, waiting)
		}
		kept, done, err := s.certify(ctx, store, last, date, spans)
		if err != nil || !done {
			return err
		}
		if last, date = kept, date.Next(); date > s.begun(store) {
			return nil
		}
		if lanes, err = s.after(ctx, store, spans); err != nil {
			return err
		}
	}
	return nil
}

// after are the lanes of a store when spans are covered.
func (s *Service) after(ctx context.Context, store fleet.Store, spans []Span) ([]Lane, error) {
	if slices.ContainsFunc(spans, func(span Span) bool { return len(span.Lane.Closes) == mostCloses }) {
		return s.lanes(ctx, store) // there may be more closes
	}
	var out []Lane
	for _, span := range spans {
		l := span.Lane
		l.Covered = max(l.Covered, span.Last)
		l.Closes = slices.DeleteFunc(slices.Clone(l.Closes), func(c Said) bool { return c.Seq <= l.Covered })
		if !l.certified() {
			out = append(out, l)
		}
	}
	return out, nil
}

// next is the day after the newest certificate, or the first one of the store; zero when
// nothing was closed yet.
func (s *Service) next(ctx context.Context, store fleet.Store) (last Certified, next entry.Date, err error) {
	last, err = s.env.Store.LastCertified(ctx, store.ID)
	if err == nil {
		return last, last.Date.Next(), nil
	}
	if problem.CodeOf(err) != problem.NotFound {
		return last, 0, fmt.Errorf("read the last certificate: %w", err)
	}
	next, err = s.env.Store.FirstCloseDate(ctx, store.ID, s.begun(store))
	if problem.CodeOf(err) == problem.NotFound {
		return Certified{}, 0, nil
	}
	return Certified{}, next, err
}

// certify signs a day that waits for no lane, unless exceptions stand against it, and says
// whether it did.
func (s *Service) certify(ctx context.Context, store fleet.Store, last Certified, date entry.Date, spans []Span) (kept Certified, done bool, err error) {
	cut := s.env.Clock.Now()
	c := Certificate{HQ: s.env.HQ, HQEpoch: s.env.HQEpoch, Store: store.ID, Number: last.Number + 1, Date: date.String(), CutAt: cut.UnixMilli()}
	if last.Number > 0 {
		c.Previous = last.Digest
	}
	differences, err := s.sum(ctx, store, date, spans, &c)
	if err != nil {
		return kept, false, err
	}
	blocked, err := s.blocked(ctx, spans, differences)
	if err != nil || blocked {
		return kept, false, err
	}
	if kept, err = s.issue(ctx, c, date, spans); err != nil {
		return kept, false, err
	}
	return kept, true, s.heard(ctx, store, date)
}

// blocked raises an exception for each difference and says whether one that concerns the
// day is not settled.
func (s *Service) blocked(ctx context.Context, spans []Span, found []ledger.Exception) (bool, error) {
	if len(found) > 0 {
		if err := s.env.Store.AddExceptions(ctx, found); err != nil {
			return false, fmt.Errorf("raise exceptions of a day: %w", err)
		}
	}
	open, err := s.blocking(ctx, spans)
	return len(open) > 0, err
}

// issue signs a certificate and keeps it, with HQ's own entry about it.
func (s *Service) issue(ctx context.Context, c Certificate, date entry.Date, spans []Span) (kept Certified, err error) {
	text, err := c.Sign(s.env.Signer)
	if err != nil {
		return kept, err
	}
	kept = Certified{Store: c.Store, Number: c.Number, Date: date, CutAt: c.CutAt, Text: text, Digest: Digest(text)}
	covered := map[journal.Writer]uint64{}
	for _, span := range spans {
		if span.Last >= span.First {
			covered[span.Lane.Writer] = span.Last
		}
	}
	err = s.env.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.env.Store.AddCertified(ctx, kept); err != nil {
			return err
		}
		if err := s.env.Store.SetCovered(ctx, c.Store, covered); err != nil {
			return err
		}
		return s.env.Journal.Append(ctx, hqjournal.Fact{
			Shard: shard.Of(c.Store), Kind: entry.KindHQCertificate, NotBefore: c.CutAt,
			Body: entry.HQCertificate{Store: c.Store, Date: date, Number: c.Number, Digest: kept.Digest},
		})
	})
	if err != nil {
		return kept, fmt.Errorf("keep certificate: %w", err)
	}
	return kept, nil
}
