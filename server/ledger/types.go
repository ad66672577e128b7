package ledger

import (
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// State says what HQ did with an entry. Applied is never stored: an accepted entry
// is applied once its journal's cursor has passed it.
type State int16

// States of an entry.
const (
	Accepted    State = 1
	Applied     State = 2
	Parked      State = 3 // of a kind or version this release does not know
	Quarantined State = 4 // cannot be read
)

// String returns the word used in JSON and on screen.
func (s State) String() string {
	return map[State]string{Accepted: "accepted", Applied: "applied", Parked: "parked", Quarantined: "quarantined"}[s]
}

// Entry is one entry of a terminal as stored. Times are Unix milliseconds.
// Kind is zero when the entry cannot be read.
type Entry struct {
	Terminal    uuid.UUID
	Store       uuid.UUID
	Epoch       uint32
	Branch      int
	Seq         uint64
	Hash        journal.Hash
	Kind        entry.Kind
	State       State
	Proven      bool // false: delivered by a revoked or quarantined terminal
	HLC         int64
	OccurredAt  int64
	EffectiveAt int64
	RecordedAt  int64
	Raw         []byte
}

// ExceptionKind names what somebody must look at.
type ExceptionKind string

// Kinds of exceptions.
const (
	Overdraw        ExceptionKind = "overdraw"          // more points redeemed than there were
	VoucherOveruse  ExceptionKind = "voucher_overuse"   // more uses of a voucher than it had
	UnknownMember   ExceptionKind = "unknown_member"    // a sale for an account HQ does not know
	Unproven        ExceptionKind = "unproven"          // delivered after the terminal was revoked or quarantined
	EarningDiffers  ExceptionKind = "earning_differs"   // more earned than the cited rules give
	VoidWithoutSale ExceptionKind = "void_without_sale" // a void whose sale has not arrived
	SaleRepeated    ExceptionKind = "sale_repeated"     // one sale id in two different entries
	InvalidEntry    ExceptionKind = "invalid_entry"     // amounts no till could have written
	ClockAhead      ExceptionKind = "clock_ahead"       // occurred more than a day after it arrived
	UnitUnknown     ExceptionKind = "unit_unknown"      // a unit that the cited rules do not know
	Fork            ExceptionKind = "fork"              // two different entries with one number
	Unreadable      ExceptionKind = "unreadable_entry"  // the bytes cannot be read

	// After HQ was restored from a backup.
	TerminalAdopted ExceptionKind = "terminal_adopted" // enrolled since the backup; please confirm
	HQFactsLost     ExceptionKind = "hq_facts_lost"    // facts of HQ since the backup are lost; Amount counts them

	// A terminal that two people declared lost; Amount is what the gap can cost at most.
	TerminalLost ExceptionKind = "terminal_lost"

	// DayCloseDiffers: a figure of a day close that HQ finds otherwise in the entries.
	DayCloseDiffers ExceptionKind = "day_close_differs"
	// DayOverdue: a lane has not closed a date that is long over. It withdraws itself when the
	// date is certified.
	DayOverdue ExceptionKind = "day_overdue"
	// DayCloseAhead: a close of a date that had not begun anywhere when it arrived.
	DayCloseAhead ExceptionKind = "day_close_ahead"

	ReturnUnmatched   ExceptionKind = "return_unmatched"    // a return whose sale is not known
	ReturnExceedsSale ExceptionKind = "return_exceeds_sale" // more came back than was left of the sale
)

// States of an exception.
const (
	ExceptionOpen      = "open"
	ExceptionAwaiting  = "awaiting"  // of a return: its sale may still arrive
	ExceptionWithdrawn = "withdrawn" // a later fact explained it
	ExceptionReleased  = "released"  // somebody let the fact count
	ExceptionRejected  = "rejected"  // somebody let the fact count for nothing
	ExceptionCovered   = "covered"   // another account took the debt over and had enough
)

// Exception is a fact HQ must look at. Amount counts Unit; Money and Currency are
// what it is worth where that is known. ID derives from the source and the kind.
// ExplainedBy is the source that withdrew it. EndedAt is when the ledger had done with it,
// Unix milliseconds.
type Exception struct {
	ID         uuid.UUID
	Shard      int
	Kind       ExceptionKind
	State      string
	Liable     string // programme, store, terminal
	Cause      string
	Source     journal.Hash
	Terminal   uuid.UUID
	Epoch      uint32
	Seq        uint64
	Store      uuid.UUID
	Account    uuid.UUID
	Member     uuid.UUID
	Unit       string
	Amount     int64
	Currency   string
	Money      int64
	OccurredAt int64
	RecordedAt int64

	ExplainedBy journal.Hash
	EndedAt     int64 // only written
	// Attribution is why more was redeemed than there was, for exceptions that say so.
	Attribution loyalty.LossCause

	loss *loss // from which it is made, until it is written
}

// Posting moves Amount of Unit from one book to another, on behalf of an account.
// It is both legs of a double entry. ID is UUID version 5 of source and line.
// EffectiveAt is when it took effect in the order of folding; of a lot that came due
// that is its own date. A correction says in Corrects whose postings it corrects,
// and in Source which late fact made it necessary.
type Posting struct {
	ID          uuid.UUID
	Shard       int
	Account     uuid.UUID
	Source      journal.Hash
	Line        int
	Unit        string
	Amount      int64
	From        loyalty.Book
	To          loyalty.Book
	Store       uuid.UUID
	Lot         uuid.UUID
	OccurredAt  int64
	EffectiveAt int64
	RecordedAt  int64
	RuleSet     uint64
	Corrects    journal.Hash
}

// subject is the source whose effect the posting is.
func (p Posting) subject() journal.Hash {
	if p.Corrects != (journal.Hash{}) {
		return p.Corrects
	}
	return p.Source
}

// Account is what HQ's ledger holds for one account. Lots are the open ones;
// Version grows with every change.
type Account struct {
	ID       uuid.UUID
	Version  uint64
	Marks    []wire.Mark
	Holdings []loyalty.Holding
}

// EntryFilter selects entries; zero fields select all. Newest first.
type EntryFilter struct {
	Terminal uuid.UUID
	Store    uuid.UUID
	Kind     entry.Kind
	State    State
}

// ExceptionFilter selects exceptions; zero fields select all. Newest first.
type ExceptionFilter struct {
	Kind        ExceptionKind
	State       string
	Account     uuid.UUID
	Attribution loyalty.LossCause
}

// Balance is the total of one book in one unit over all shards. Per unit the
// balances sum to zero.
type Balance struct {
	Book   loyalty.Book
	Owner  uuid.UUID // the store, of the book of stores
	Unit   string
	Amount int64
}

// Status counts what the ledger has, for the status page and metrics. OldestWait
// is when the oldest entry not applied was recorded, zero when all are applied. Of the
// open exceptions, Adopted are terminals that HQ knows only from what they showed after
// a restore, and FactsLost are shards whose journal of HQ had come further before it.
// SetAside are facts that their accounts cannot be folded with.
type Status struct {
	Entries, Accepted, Applied, Parked, Quarantined int64
	Batches, Postings, OpenExceptions               int64
	Adopted, FactsLost, SetAside                    int64
	OldestWait                                      int64
}

// Progress is how far one journal of a terminal has come. Watermark is the last
// entry before which nothing is parked, quarantined, set aside or not applied; EffectiveAt is
// when the entry at the head took effect.
type Progress struct {
	Terminal    uuid.UUID
	Store       uuid.UUID
	Epoch       uint32
	Branch      int
	Head        journal.Head
	AppliedSeq  uint64
	Watermark   uint64
	EffectiveAt int64
	LastContact int64 // Unix milliseconds
}

// Unsettled tells whether the ledger has not done with an exception.
func (e Exception) Unsettled() bool {
	return e.State == ExceptionOpen || e.State == ExceptionAwaiting
}
