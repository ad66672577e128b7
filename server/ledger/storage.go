package ledger

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Store is the storage the ledger needs. Methods join the transaction in ctx.
type Store interface {
	applyStore
	queryStore
	auditStore
	ownerStore
	linkStore
	orderStore
	rightStore
	lossStore
	asideStore
}

// Waiting is a journal of a terminal with entries that are not applied yet.
type Waiting struct {
	Terminal   uuid.UUID
	Epoch      uint32
	Branch     int
	AppliedSeq uint64
}

// SourceRow is the key under which a fact counts once, and where it stands among
// the facts of its account. Subject is the sale it makes or undoes, if any.
type SourceRow struct {
	AccountKey
	Subject     uuid.UUID
	EffectiveAt int64
	Source      journal.Hash
	Writer      uuid.UUID
	Epoch       uint32
	Seq         uint64
	Kind        entry.Kind
	RecordedAt  int64
}

// AccountKey names an account in its shard.
type AccountKey struct {
	Shard   int
	Account uuid.UUID
}

// AccountRow is an account as stored; Marks is the CBOR of []wire.Mark. Place is
// where its last fact stands in the order of folding, empty when that is not known;
// NextDue is when its next lot vests, expires or is breakage, zero when none will;
// Broken is up to when what expired is breakage.
type AccountRow struct {
	AccountKey
	Version uint64
	Marks   []byte
	Place   []byte
	NextDue int64
	Broken  int64
}

// MemberRow says which member an account belongs to; Profile is the CBOR of a
// wire.Member without holdings and marks.
type MemberRow struct {
	AccountKey
	Member  uuid.UUID
	Profile []byte
}

// VoucherRow is a voucher of an account; Body is the CBOR of a loyalty.Voucher.
type VoucherRow struct {
	AccountKey
	Voucher uuid.UUID
	Body    []byte
}

// HoldingRow is a holding as stored, without its lots.
type HoldingRow struct {
	AccountKey
	loyalty.Holding
}

// LotRow is a lot as stored.
type LotRow struct {
	AccountKey
	Unit   string
	Source journal.Hash
	loyalty.Lot
}

// UnitKey names a holding.
type UnitKey struct {
	AccountKey
	Unit string
}

// LotKey names a lot.
type LotKey struct {
	UnitKey
	Lot uuid.UUID
}

// SaleKey names a sale of a terminal in the shard of its account.
type SaleKey struct {
	Shard    int
	Terminal uuid.UUID
	Sale     uuid.UUID
}

// SaleState says what kind of fact names a sale.
type SaleState int16

// States of a sale row.
const (
	SalePosted SaleState = 1
	VoidWaits  SaleState = 3 // a void or a return of it
)

// SaleRow is a fact that makes or undoes a sale. Terminal is whose fact it is.
type SaleRow struct {
	SaleKey
	Account uuid.UUID
	Source  journal.Hash
	State   SaleState
}

// BookKey names a contra book of a shard.
type BookKey struct {
	Shard int
	Book  loyalty.Book
	Owner uuid.UUID
	Unit  string
}

// Changes is what one set writes. Books holds differences.
type Changes struct {
	Accounts   []AccountRow
	Holdings   []HoldingRow
	Lots       []LotRow
	LotsGone   []LotKey // lots that the account never had, as is known now
	Rights     []RightRow
	RightsGone []RightKey
	Postings   []Posting
	Books      map[BookKey]int64
	Exceptions []Exception
	Explained  []Exception // only ID, Shard, State, ExplainedBy and EndedAt
}

// AwaitedReturn is a return that names no account and whose sale is not known yet.
type AwaitedReturn struct {
	Terminal uuid.UUID
	Epoch    uint32
	Seq      uint64
	Source   journal.Hash
	TriedAt  int64
}

// historyStore reads all there is of accounts, to fold them again.
type historyStore interface {
	// AccountSources returns the facts of accounts.
	AccountSources(ctx context.Context, keys []AccountKey) ([]SourceRow, error)
	// SourceEntries returns the entries of the sources that terminals wrote.
	SourceEntries(ctx context.Context, rows []SourceRow) ([]Entry, error)
	// SourceHQ returns the bytes of the sources that HQ wrote.
	SourceHQ(ctx context.Context, rows []SourceRow) (map[journal.Hash][]byte, error)
	AccountPostings(ctx context.Context, keys []AccountKey) ([]Posting, error)
	AccountLots(ctx context.Context, keys []AccountKey) ([]LotRow, error)
	AccountExceptions(ctx context.Context, keys []AccountKey) ([]Exception, error)
	// DueAccounts returns up to limit accounts with a lot due by a time.
	DueAccounts(ctx context.Context, until int64, limit int) ([]AccountKey, error)
	// OpenAwaiting opens the exceptions that await a fact since before a time.
	OpenAwaiting(ctx context.Context, before int64) (int, error)

	// PutAwaited notes a return that waits for its sale, or that it was tried.
	PutAwaited(ctx context.Context, r AwaitedReturn) error
	DropAwaited(ctx context.Context, r AwaitedReturn) error
	// Awaited returns waiting returns, those tried longest ago first.
	Awaited(ctx context.Context, limit int) ([]AwaitedReturn, error)
	// SaleAnywhere finds a sale in any shard by its id, of a terminal's if that is
	// given.
	SaleAnywhere(ctx context.Context, sale, terminal uuid.UUID) (SaleRow, bool, error)
	// SourcesNaming returns the facts in any shard that make or undo sales.
	SourcesNaming(ctx context.Context, sales []uuid.UUID) ([]SourceRow, error)
}

type applyStore interface {
	historyStore

	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// Writers is how many transactions can write side by side.
	Writers() int
	// WaitingJournals returns up to limit journals with entries not applied yet.
	WaitingJournals(ctx context.Context, limit int) ([]Waiting, error)
	// WaitingEntries returns the next entries of a journal after its cursor.
	WaitingEntries(ctx context.Context, w Waiting, limit int) ([]Entry, error)
	// AdvanceApplied moves the cursor of each journal to its AppliedSeq, never back.
	AdvanceApplied(ctx context.Context, to []Waiting) error

	// AddSources inserts the sources that are not there yet and returns those.
	AddSources(ctx context.Context, rows []SourceRow) (map[journal.Hash]bool, error)
	// OpenAccounts makes the accounts that do not exist.
	OpenAccounts(ctx context.Context, keys []AccountKey) error
	// LockAccounts returns those of the accounts that exist, each with its version
	// raised by one, locked until the transaction ends.
	LockAccounts(ctx context.Context, keys []AccountKey) ([]AccountRow, error)
	AccountMembers(ctx context.Context, keys []AccountKey) ([]MemberRow, error)
	PutMembers(ctx context.Context, rows []MemberRow) error
	// AccountsOfMembers returns the present account of each member that has one.
	AccountsOfMembers(ctx context.Context, members []uuid.UUID) (map[uuid.UUID]uuid.UUID, error)
	// Ties returns when the last visit of each tie was that is there.
	Ties(ctx context.Context, keys []TieKey) (map[TieKey]int64, error)
	PutTies(ctx context.Context, ties []Tie) error
	// TiesOf returns the ties of a member in a shard.
	TiesOf(ctx context.Context, shard int, member uuid.UUID) ([]Tie, error)
	AccountVouchers(ctx context.Context, keys []AccountKey) ([]VoucherRow, error)
	PutVoucher(ctx context.Context, row VoucherRow) error
	AccountHoldings(ctx context.Context, keys []AccountKey) ([]HoldingRow, error)
	// OpenLots returns the lots with something left or covered.
	OpenLots(ctx context.Context, keys []AccountKey) ([]LotRow, error)
	// Sales returns the facts that name the sales, whichever terminal wrote them.
	Sales(ctx context.Context, keys []SaleKey) ([]SaleRow, error)
	// SaveChanges writes a set: rows with the same key are replaced, postings are
	// new, an exception that exists stays, and the explained ones change state.
	SaveChanges(ctx context.Context, c Changes) error
}
