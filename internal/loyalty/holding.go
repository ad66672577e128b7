package loyalty

// Book is one of the accounts of the double entry. Numbers are stored.
type Book int16

// Books. The first four are the member's own and make up a holding; the others
// are contra books of the shard.
const (
	BookFree      Book = 1
	BookAllowance Book = 2
	BookPending   Book = 3
	BookOverdraft Book = 4
	BookStore     Book = 16
	BookIssue     Book = 17
	BookBreakage  Book = 18
	BookSuspense  Book = 19
	BookClearing  Book = 20
	BookLapsed    Book = 21 // expired, and not breakage before the watermark has passed
)

var bookNames = map[Book]string{
	BookFree: "free", BookAllowance: "allowance", BookPending: "pending", BookOverdraft: "overdraft",
	BookStore: "store", BookIssue: "programme_issue", BookBreakage: "breakage", BookSuspense: "suspense", BookClearing: "clearing",
	BookLapsed: "lapsed",
}

// String returns the word used in JSON and on screen.
func (b Book) String() string { return bookNames[b] }

// Own reports whether the book is part of a member's holding.
func (b Book) Own() bool { return b < BookStore }

// Lot is points earned together. Amount is Left + Spent + Covered + Gone: Spent by
// redemptions, moves to other accounts and adjustments, Covered an overdraft of the
// account, Gone by void, return or expiry. Of it, Back has been taken back by a void or by returns, and Owed of
// what was Spent is owed because its earning was taken back; Lapsed of what is Gone has
// expired and is not breakage yet. Pending lots have not vested. Times are Unix
// milliseconds; zero ExpiresAt is never. A lot with RollDays lives on for as many days
// after any activity of its account.
type Lot struct {
	ID        ID
	Amount    int64
	Left      int64
	Spent     int64
	Covered   int64
	Gone      int64
	Back      int64
	Owed      int64
	Lapsed    int64
	Pending   bool
	Voided    bool
	EarnedAt  int64
	VestsAt   int64
	ExpiresAt int64
	RollDays  int32
}

// Holding is what one account has of one unit. Free + Allowance − Overdraft is the
// balance, each term at least zero. Lots that have vested sum to Free + Allowance,
// the others to Pending. Lots may leave out those with nothing Left, Covered or Lapsed.
// Rights, ordered by id, may leave out those that ended and that no fact names.
type Holding struct {
	Unit      string
	Free      int64
	Allowance int64
	Pending   int64
	Overdraft int64
	Lots      []Lot
	Rights    []HeldRight
}

// Balance is what the account has, or (negative) owes.
func (h Holding) Balance() int64 { return h.Free + h.Allowance - h.Overdraft }

// Move is an amount going from one book to another. Lot is the lot it concerns, if
// it concerns one.
type Move struct {
	From, To Book
	Amount   int64
	Lot      ID
}

// Take is what a redemption took from one lot.
type Take struct {
	Lot    ID    `cbor:"1,keyasint"`
	Amount int64 `cbor:"2,keyasint"`
}

// Prorate returns the part of of that belongs to part out of whole, rounded down,
// for 0 ≤ part ≤ whole, whole > 0 and of ≥ 0: what an overdrawn part of a
// redemption was worth.
func Prorate(of, part, whole int64) int64 { return share(part, of, whole) }
