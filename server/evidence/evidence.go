package evidence

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Signed is an entry with the chain to the checkpoint over it. Proof is nil when no
// checkpoint is over it.
type Signed struct {
	Entry ledger.Entry
	Proof *console.Proof
}

// Bundle is all there is about an exception. Fork, Close and Account are nil where the
// exception is not about such a thing.
type Bundle struct {
	Exception ledger.Exception
	Entries   []Signed
	Fork      *Fork
	Close     *Close
	Account   *Account
}

// Account is the postings of an account in a unit around an exception, the oldest first.
type Account struct {
	Account  uuid.UUID
	Unit     string
	Postings []ledger.Posting
	Cut      bool // there may be more on either side
}

// Store is the storage the service needs.
type Store interface {
	Exception(ctx context.Context, id uuid.UUID) (ledger.Exception, error)
	// EntryRecorded returns the entry of a hash that was recorded at a time, Unix
	// milliseconds, or problem.NotFound.
	EntryRecorded(ctx context.Context, at int64, hash journal.Hash) (ledger.Entry, error)
	EntriesAt(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) ([]ledger.Entry, error)
	// EntriesBetween returns entries of all branches, by number.
	EntriesBetween(ctx context.Context, w journal.Writer, first, last uint64) ([]ledger.Entry, error)
	MainEntries(ctx context.Context, w journal.Writer, first, last uint64, limit int) ([]ledger.Entry, error)
	Branches(ctx context.Context, w journal.Writer) ([]ingest.Branch, error)
	WitnessedBetween(ctx context.Context, w journal.Writer, first, last uint64) ([]ingest.Witnessed, error)
	// PostingsAround returns the postings of an account in a unit around a time, so many
	// before and at it and so many after it at most, the oldest first.
	PostingsAround(ctx context.Context, account uuid.UUID, unit string, at int64, each int) ([]ledger.Posting, error)
}

// Prover proves entries.
type Prover interface {
	Proof(ctx context.Context, w journal.Writer, seq uint64, hash string) (console.Proof, error)
}

// Service collects evidence. It is safe for concurrent use.
type Service struct {
	store  Store
	prover Prover
}

// New returns the service.
func New(store Store, prover Prover) *Service { return &Service{store, prover} }

// postingsEach is how many postings are shown on each side.
const postingsEach = 20

// Of returns the evidence about an exception, or problem.NotFound.
func (s *Service) Of(ctx context.Context, id uuid.UUID) (Bundle, error) {
	e, err := s.store.Exception(ctx, id)
	if err != nil {
		return Bundle{}, err
	}
	b := Bundle{Exception: e}
	if b.Entries, err = s.entries(ctx, e); err != nil {
		return b, fmt.Errorf("read the entries of an exception: %w", err)
	}
	switch e.Kind {
	case ledger.Fork:
		about := slices.IndexFunc(b.Entries, func(x Signed) bool { return x.Entry.Hash == e.Source })
		if about >= 0 {
			about = b.Entries[about].Entry.Branch
		}
		b.Fork, err = s.fork(ctx, e, about)
	case ledger.DayCloseDiffers:
		b.Close, err = s.close(ctx, e)
	}
	if err != nil {
		return b, err
	}
	if e.Account != uuid.Nil && e.Unit != "" {
		b.Account, err = s.account(ctx, e)
	}
	return b, err
}

// entries are those at the place of the exception, and the one that it names elsewhere: of
// a witness, for example.
func (s *Service) entries(ctx context.Context, e ledger.Exception) ([]Signed, error) {
	var found []ledger.Entry
	if e.Terminal != uuid.Nil && e.Seq > 0 {
		var err error
		if found, err = s.store.EntriesAt(ctx, e.Terminal, e.Epoch, e.Seq); err != nil {
			return nil, err
		}
		if e.Kind != ledger.Fork && slices.ContainsFunc(found, func(x ledger.Entry) bool { return x.Hash == e.Source }) {
			found = slices.DeleteFunc(found, func(x ledger.Entry) bool { return x.Hash != e.Source })
		}
	}
	if !slices.ContainsFunc(found, func(x ledger.Entry) bool { return x.Hash == e.Source }) {
		other, err := s.store.EntryRecorded(ctx, e.RecordedAt, e.Source)
		switch {
		case err == nil:
			found = append(found, other)
		case problem.CodeOf(err) != problem.NotFound:
			return nil, err
		}
	}
	if i := slices.IndexFunc(found, func(x ledger.Entry) bool { return x.Hash == e.Source }); len(found) > maxBranches {
		found[maxBranches-1] = found[max(i, maxBranches-1)]
		found = found[:maxBranches]
	}
	out := make([]Signed, len(found))
	for i, x := range found {
		p, err := s.prove(ctx, x)
		if err != nil {
			return nil, err
		}
		out[i] = Signed{x, p}
	}
	return out, nil
}

// prove is the chain from an entry to the checkpoint over it; nil when none is over it.
func (s *Service) prove(ctx context.Context, e ledger.Entry) (*console.Proof, error) {
	p, err := s.prover.Proof(ctx, journal.Writer{ID: e.Terminal, Epoch: e.Epoch}, e.Seq, e.Hash.String())
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("prove entry %d: %w", e.Seq, err)
	}
	return &p, nil
}

func (s *Service) account(ctx context.Context, e ledger.Exception) (*Account, error) {
	rows, err := s.store.PostingsAround(ctx, e.Account, e.Unit, e.RecordedAt, postingsEach)
	if err != nil {
		return nil, fmt.Errorf("read postings: %w", err)
	}
	before := 0
	for _, p := range rows {
		if p.RecordedAt <= e.RecordedAt {
			before++
		}
	}
	return &Account{Account: e.Account, Unit: e.Unit, Postings: rows, Cut: before == postingsEach || len(rows)-before == postingsEach}, nil
}

// body decodes the body of an entry of a kind, or says no.
func body[T any](e ledger.Entry) (T, bool) {
	var none T
	env, err := entry.Decode(e.Raw)
	if err != nil {
		return none, false
	}
	b, err := entry.DecodeBody[T](env)
	return b, err == nil
}
