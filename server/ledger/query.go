package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/cursortext"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

// maxList bounds one page of a list.
const maxList = 500

// Place is where a page of a list ended: the order's time and the last row's key.
type Place struct {
	At  int64  `cbor:"1,keyasint"`
	Seq uint64 `cbor:"2,keyasint,omitempty"`
	Key []byte `cbor:"3,keyasint"`
}

type queryStore interface {
	snapshotStore

	// ListEntries returns entries after a place, by (recorded_at, seq, hash) downwards.
	ListEntries(ctx context.Context, f EntryFilter, after *Place, limit int) ([]Entry, error)
	EntriesAt(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) ([]Entry, error)
	// ListExceptions returns exceptions after a place, by (recorded_at, id) downwards.
	ListExceptions(ctx context.Context, f ExceptionFilter, after *Place, limit int) ([]Exception, error)
	// ListPostings returns postings of an account after a place, by (recorded_at, id)
	// downwards.
	ListPostings(ctx context.Context, key AccountKey, after *Place, limit int) ([]Posting, error)
	FindAccount(ctx context.Context, key AccountKey) (AccountRow, bool, error)
	Balances(ctx context.Context) ([]Balance, error)
	Status(ctx context.Context) (Status, error)
	Progress(ctx context.Context) ([]Progress, error)
}

func encodePlace(p Place) (string, error) {
	raw, err := wire.Marshal(p)
	return cursortext.Of(raw), err
}

// Lengths of the last row's key: an entry's hash, or the id of a record.
const (
	byHash = 32
	byID   = 16
)

// decodePlace reads a cursor of a list whose rows have keys of some length; one of
// another list is refused.
func decodePlace(cursor string, key int) (*Place, error) {
	if cursor == "" {
		return nil, nil
	}
	raw, err := cursortext.Bytes(cursor)
	if err != nil || len(raw) > 128 {
		return nil, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	p, err := wire.Unmarshal[Place](raw)
	if err != nil {
		return nil, problem.Wrap(problem.CursorInvalid, err, "the cursor is not one of this list")
	}
	if len(p.Key) != key {
		return nil, problem.New(problem.CursorInvalid, "the cursor is one of another list")
	}
	return &p, nil
}

// page cuts a list that was read one row too long, and makes the cursor after it.
func page[T any](rows []T, limit int, place func(T) Place) ([]T, string, error) {
	if len(rows) <= limit {
		return rows, "", nil
	}
	rows = rows[:limit]
	cursor, err := encodePlace(place(rows[limit-1]))
	return rows, cursor, err
}

func clampLimit(limit int) int {
	if limit <= 0 || limit > maxList {
		return maxList
	}
	return limit
}

// Entries lists entries, newest first. The cursor is opaque, empty at both ends.
func (l *Ledger) Entries(ctx context.Context, f EntryFilter, cursor string, limit int) ([]Entry, string, error) {
	after, err := decodePlace(cursor, byHash)
	if err != nil {
		return nil, "", err
	}
	limit = clampLimit(limit)
	rows, err := l.o.Store.ListEntries(ctx, f, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list entries: %w", err)
	}
	return page(rows, limit, func(e Entry) Place { return Place{e.RecordedAt, e.Seq, e.Hash[:]} })
}

// EntriesAt returns the entries of a terminal with one number: one, or, after a
// fork, several; problem.NotFound when there is none.
func (l *Ledger) EntriesAt(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) ([]Entry, error) {
	rows, err := l.o.Store.EntriesAt(ctx, terminal, epoch, seq)
	if err != nil {
		return nil, fmt.Errorf("read entry: %w", err)
	}
	if len(rows) == 0 {
		return nil, problem.Newf(problem.NotFound, "terminal %s has no entry %d in epoch %d", terminal, seq, epoch)
	}
	return rows, nil
}

// Exceptions lists exceptions, newest first.
func (l *Ledger) Exceptions(ctx context.Context, f ExceptionFilter, cursor string, limit int) ([]Exception, string, error) {
	after, err := decodePlace(cursor, byID)
	if err != nil {
		return nil, "", err
	}
	limit = clampLimit(limit)
	rows, err := l.o.Store.ListExceptions(ctx, f, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list exceptions: %w", err)
	}
	return page(rows, limit, func(e Exception) Place { return Place{At: e.RecordedAt, Key: e.ID[:]} })
}

// History lists the postings of an account, newest first.
func (l *Ledger) History(ctx context.Context, accountID uuid.UUID, cursor string, limit int) ([]Posting, string, error) {
	after, err := decodePlace(cursor, byID)
	if err != nil {
		return nil, "", err
	}
	limit = clampLimit(limit)
	rows, err := l.o.Store.ListPostings(ctx, AccountKey{shard.Of(accountID), accountID}, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list postings: %w", err)
	}
	return page(rows, limit, func(p Posting) Place { return Place{At: p.RecordedAt, Key: p.ID[:]} })
}

// Account returns an account with its holdings and open lots, or problem.NotFound.
func (l *Ledger) Account(ctx context.Context, accountID uuid.UUID) (Account, error) {
	a, err := l.readAccount(ctx, accountID)
	if err != nil {
		return Account{}, err
	}
	out := Account{ID: accountID, Version: a.version, Marks: a.marks}
	for _, unit := range sortedKeys(a.holdings) {
		out.Holdings = append(out.Holdings, *a.holdings[unit])
	}
	return out, nil
}

// Vouchers returns the vouchers of an account as HQ has applied them.
func (l *Ledger) Vouchers(ctx context.Context, accountID uuid.UUID) ([]loyalty.Voucher, error) {
	a, err := l.readAccount(ctx, accountID)
	if err != nil {
		return nil, err
	}
	rows, err := l.o.Store.AccountVouchers(ctx, []AccountKey{a.AccountKey})
	if err != nil {
		return nil, fmt.Errorf("read vouchers: %w", err)
	}
	out := make([]loyalty.Voucher, 0, len(rows))
	for _, row := range rows {
		v, err := currentVoucher(a, row)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b loyalty.Voucher) int { return compareIDs(0, uuid.UUID(a.ID), 0, uuid.UUID(b.ID)) })
	return out, nil
}

func (l *Ledger) readAccount(ctx context.Context, accountID uuid.UUID) (*account, error) {
	key := AccountKey{shard.Of(accountID), accountID}
	row, ok, err := l.o.Store.FindAccount(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	if !ok {
		return nil, problem.Newf(problem.NotFound, "there is no account %s", accountID)
	}
	marks, err := wire.Unmarshal[[]wire.Mark](row.Marks)
	if err != nil {
		return nil, fmt.Errorf("read marks of account %s: %w", accountID, err)
	}
	a := newAccount(row, marks)
	holdings, err := l.o.Store.AccountHoldings(ctx, []AccountKey{key})
	if err != nil {
		return nil, fmt.Errorf("read holdings: %w", err)
	}
	for _, h := range holdings {
		a.holdings[h.Unit] = &h.Holding
	}
	lots, err := l.o.Store.OpenLots(ctx, []AccountKey{key})
	if err != nil {
		return nil, fmt.Errorf("read lots: %w", err)
	}
	s := &set{accounts: map[uuid.UUID]*account{accountID: a}}
	s.addLots(lots)
	return a, nil
}

// TrialBalance returns every book's total: those of the members from the holdings,
// the contra books from their own rows. Per unit they sum to zero.
func (l *Ledger) TrialBalance(ctx context.Context) ([]Balance, error) {
	out, err := l.o.Store.Balances(ctx)
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	return out, nil
}

// Status counts.
func (l *Ledger) Status(ctx context.Context) (Status, error) {
	s, err := l.o.Store.Status(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("read status: %w", err)
	}
	return s, nil
}

// Progress lists how far each journal has come.
func (l *Ledger) Progress(ctx context.Context) ([]Progress, error) {
	p, err := l.o.Store.Progress(ctx)
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	return p, nil
}
