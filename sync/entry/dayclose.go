package entry

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// DayCloseReason says why a day was closed. Numbers are final.
type DayCloseReason uint8

// Reasons to close a day.
const (
	DayCloseByHand DayCloseReason = 1 // somebody at the terminal closed it
	DayCloseOver   DayCloseReason = 2 // the day was over
)

// String returns the word used in JSON and on screen.
func (r DayCloseReason) String() string {
	return word("day_close_reason", uint8(r), "none", "by_hand", "over")
}

// DayFlow says which way an amount of a unit went. Numbers are final.
type DayFlow uint8

// Flows.
const (
	DayEarned   DayFlow = 1
	DayRedeemed DayFlow = 2
)

// String returns the word used in JSON and on screen.
func (f DayFlow) String() string { return word("day_flow", uint8(f), "none", "earned", "redeemed") }

// DayClose is the body of [KindDayClose]: the terminal says that its business date Date is
// over and what the entries First to Last add up to. They are all between the close before
// (or the first entry of the epoch) and this one; Last is First−1 when there are none.
// Head is the hash of entry Last in the chain.
//
// The figures are sums of what these entries say (see package daybook) and of nothing that
// follows from them: what a return takes back is worked out at HQ. The terminal journals no
// later entry under this date, and none of a sale, void, return, enrolment or claim in the
// range has another one. HQ recomputes all of it and believes none.
type DayClose struct {
	Date     Date           `cbor:"1,keyasint"`
	First    uint64         `cbor:"2,keyasint"`
	Last     uint64         `cbor:"3,keyasint"`
	Head     []byte         `cbor:"4,keyasint,omitempty"`
	Kinds    []DayKind      `cbor:"5,keyasint,omitempty"`
	Money    []DayMoney     `cbor:"6,keyasint,omitempty"`
	Amounts  []DayAmount    `cbor:"7,keyasint,omitempty"`
	Cashiers []DayCashier   `cbor:"8,keyasint,omitempty"`
	Claims   uint64         `cbor:"9,keyasint,omitempty"`  // sales whose receipt can be claimed
	Holds    []DayHold      `cbor:"10,keyasint,omitempty"` // what open quotes reserved at the close
	Held     uint64         `cbor:"11,keyasint,omitempty"` // how many; Holds may name fewer
	Waiting  uint64         `cbor:"12,keyasint,omitempty"` // entries through Last that HQ had not acknowledged
	Reason   DayCloseReason `cbor:"13,keyasint"`
	Cashier  string         `cbor:"14,keyasint,omitempty"`
	Key      string         `cbor:"15,keyasint,omitempty"` // of a close by hand: see [Sale]
	KeyHash  []byte         `cbor:"16,keyasint,omitempty"`
	Hands
}

// DayKind counts the entries of one kind.
type DayKind struct {
	Kind  Kind   `cbor:"1,keyasint"`
	Count uint64 `cbor:"2,keyasint"`
}

// DayMoney sums the money of sales, voids or returns in one currency, in minor units. Of a
// void it is that of its sale; of a return Total is what was given back.
type DayMoney struct {
	Kind      Kind   `cbor:"1,keyasint"`
	Currency  string `cbor:"2,keyasint"`
	Count     uint64 `cbor:"3,keyasint"`
	Total     int64  `cbor:"4,keyasint"`
	Discount  int64  `cbor:"5,keyasint,omitempty"`
	Unmatched uint64 `cbor:"6,keyasint,omitempty"` // returns of sales that the terminal did not hold
}

// DayAmount sums what sales, or the sales that voids undid, earned or redeemed of a unit.
// An empty Unit counts uses of vouchers. Basis is zero for what was earned. Discount is in
// minor units; a redemption on several bases has it at its first.
type DayAmount struct {
	Kind     Kind    `cbor:"1,keyasint"`
	Flow     DayFlow `cbor:"2,keyasint"`
	Unit     string  `cbor:"3,keyasint,omitempty"`
	Basis    Basis   `cbor:"4,keyasint,omitempty"`
	Count    uint64  `cbor:"5,keyasint"`
	Amount   int64   `cbor:"6,keyasint"`
	Discount int64   `cbor:"7,keyasint,omitempty"`
}

// DayCashier is what one cashier took, undid and gave back, in minor units of one
// currency. The last row may stand for all who are not named: then Others is set.
type DayCashier struct {
	Cashier  string `cbor:"1,keyasint,omitempty"`
	Currency string `cbor:"2,keyasint,omitempty"`
	Sales    uint64 `cbor:"3,keyasint,omitempty"`
	Voids    uint64 `cbor:"4,keyasint,omitempty"`
	Returns  uint64 `cbor:"5,keyasint,omitempty"`
	Taken    int64  `cbor:"6,keyasint,omitempty"` // totals of sales less discounts
	Undone   int64  `cbor:"7,keyasint,omitempty"` // likewise, of the sales that voids undid
	Refunded int64  `cbor:"8,keyasint,omitempty"`
	Others   bool   `cbor:"9,keyasint,omitempty"`
	// CashierID is who was signed in; then Cashier is empty.
	CashierID uuid.UUID `cbor:"10,keyasint,omitzero"`
}

// DayHold is what one open quote reserved. An empty Unit counts uses of vouchers.
type DayHold struct {
	Quote   uuid.UUID `cbor:"1,keyasint"`
	Member  uuid.UUID `cbor:"2,keyasint,omitzero"`
	Account uuid.UUID `cbor:"3,keyasint,omitzero"`
	Unit    string    `cbor:"4,keyasint,omitempty"`
	Amount  int64     `cbor:"5,keyasint"`
}

// Check refuses a close that contradicts itself.
func (c DayClose) Check() error {
	switch {
	case !c.Date.Valid():
		return fmt.Errorf("%w: %d is no date", ErrUnreadable, uint32(c.Date))
	case c.First == 0 || c.Last < c.First-1:
		return fmt.Errorf("%w: a close of the entries %d to %d", ErrUnreadable, c.First, c.Last)
	}
	return nil
}

// Time returns midnight UTC of the date.
func (d Date) Time() time.Time {
	return time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, time.UTC)
}

// Valid says whether the date is one of the calendar.
func (d Date) Valid() bool { return d != 0 && DateOf(d.Time()) == d }

// Next returns the day after.
func (d Date) Next() Date { return DateOf(d.Time().AddDate(0, 0, 1)) }
