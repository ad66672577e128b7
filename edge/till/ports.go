package till

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick/sync/journal"
)

// Journal is the part of journal.Journal that the till uses.
type Journal interface {
	AppendFunc(ctx context.Context, build func(seq uint64) ([]byte, error)) (journal.Position, error)
	Head() journal.Head
	First() uint64
	HashAt(ctx context.Context, seq uint64) (journal.Hash, error)
	Read(ctx context.Context, from uint64, maxEntries, maxBytes int) (journal.Run, error)
}

// Table is the first byte of a key of the state store. Numbers are final within
// one schema version; see [Schema].
type Table byte

// Schema is the version of keys and values below. A store written under another
// one is thrown away and rebuilt.
const Schema = 5

// Tables of the state store. All integers in keys are big endian, ids 16 bytes.
const (
	TableMeta    Table = 1  // name → one record: see the keys in records.go
	TableItem    Table = 2  // kind (1) ‖ id → what HQ said last about it
	TableEffect  Table = 3  // account or voucher ‖ seq → what entry seq changed there
	TableDay     Table = 4  // member ‖ business date (4) ‖ seq → points redeemed; none: sold while unknown here
	TableSpend   Table = 5  // seq → what counts against the caps of the terminal
	TableKey     Table = 6  // SHA-256 of an idempotency key → seq and request hash
	TableSale    Table = 7  // sale → seq
	TableVoided  Table = 8  // sale → seq of its void
	TableReceipt Table = 9  // SHA-256 of a POS receipt number ‖ seq → sale
	TableStep    Table = 10 // subject ‖ TOTP step → seq that used it
	TableTies    Table = 11 // member ‖ voucher → nothing: the member's vouchers
	TableReturn  Table = 12 // sale ‖ seq → what entry seq brought back of it
	TableRight   Table = 13 // account ‖ right → what this journal holds under the id
	TableUse     Table = 14 // right ‖ seq → what entry seq took of it
	TableLoan    Table = 15 // right lent → seq
	TableGrant   Table = 16 // account ‖ right → nothing: granted by HQ to a lane of the store
	TableDue     Table = 17 // moment ‖ right → the account it is on
	// TableEnrolled has the members that this journal enrolled: member → entry and account.
	TableEnrolled Table = 18
	TableClaim    Table = 19 // claim of a receipt → seq that claimed it
	TableClose    Table = 20 // 2^64−1 − seq → the date that entry seq closed
	TableSold     Table = 21 // 2^32−1 − business date (4) ‖ 2^64−1 − seq → sale
	// TableTries counts wrong guesses: "pin" of all cashiers together, "pin" ‖ cashier,
	// "cards" of typed card numbers.
	TableTries Table = 22
	TableCard  Table = 23 // card number (8) ‖ member → nothing: the members of a typed number
)

// Change sets one key of a table, or removes it when Value is nil. Keys have 1 to
// 64 bytes.
type Change struct {
	Table Table
	Key   []byte
	Value []byte
}

// MaxBatchBytes bounds keys and values of one Apply together.
const MaxBatchBytes = 384 << 10

// Errors a state store answers with.
var (
	// ErrAbsent means that the key is not in the store.
	ErrAbsent = errors.New("key is not in the state store")
	// ErrDamaged means that the store gave bytes that were not written so. The
	// process must end, and the store be thrown away.
	ErrDamaged = errors.New("state store is damaged")
)

// View is one consistent look at the store. It is for one goroutine, and invalid
// after the function it was passed to returns; so are the bytes it gives.
type View interface {
	// Get returns the value, or ErrAbsent.
	Get(table Table, key []byte) ([]byte, error)
	// Scan calls fn for each key of the table that starts with prefix and is not
	// below from, in ascending order, until fn fails. A nil from is prefix itself.
	Scan(table Table, prefix, from []byte, fn func(key, value []byte) error) error
}

// State keeps what can be rebuilt from the journal and from HQ. It is safe for
// concurrent use.
type State interface {
	// View runs fn on one consistent look at the store.
	View(ctx context.Context, fn func(View) error) error
	// Apply makes all changes or none. When it fails with anything but a full batch,
	// the store must not be used any more.
	Apply(ctx context.Context, changes []Change) error
	// Sync makes what was applied so far survive a power cut. Without it a power cut
	// may take back the latest batches, always whole ones from the end.
	Sync(ctx context.Context) error
	// Reset removes everything.
	Reset(ctx context.Context) error
}
