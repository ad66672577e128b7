package loyalty

import (
	"fmt"
	"strings"
	"time"
)

// TillRules is how the tills of one store work: who must be signed in, and what needs
// a manager. Amounts are in minor units of the store's currency. Keys are on the wire
// and only grow.
type TillRules struct {
	Version uint64 `cbor:"1,keyasint"`
	// SignIn: the till page sells only for a cashier who is signed in.
	SignIn bool `cbor:"2,keyasint,omitempty"`
	// IdleSeconds is after how long without a call a cashier is signed out; zero is
	// DefaultIdleSeconds.
	IdleSeconds int64 `cbor:"3,keyasint,omitempty"`
	// VoidOver and ReturnOver: a void of a sale of more than this, and a return of more,
	// needs a manager's approval. Nil is never; zero is always.
	VoidOver   *int64 `cbor:"4,keyasint,omitempty"`
	ReturnOver *int64 `cbor:"5,keyasint,omitempty"`
	// ReceiptNeeded: no sale without the receipt number of the till software.
	ReceiptNeeded bool `cbor:"6,keyasint,omitempty"`
	// DayEnds is when a business date is over, in minutes from the midnight after it: 240
	// is four in the morning, −120 ten in the evening. Within ±MostDayEnds.
	DayEnds int64 `cbor:"7,keyasint,omitempty"`
}

// MostDayEnds bounds DayEnds: half a day.
const MostDayEnds = 12 * 60

// ReadDayEnds reads DayEnds as people write it: HH:MM after midnight, or with a minus
// before it.
func ReadDayEnds(text string) (minutes int64, err error) {
	digits, before := strings.CutPrefix(text, "-")
	at, err := time.Parse("15:04", digits)
	if err != nil || len(digits) != len("15:04") {
		return 0, fmt.Errorf("read the end of the day %q: want HH:MM, as in 04:00 or -02:00", text)
	}
	minutes = int64(at.Hour()*60 + at.Minute())
	if minutes > MostDayEnds {
		return 0, fmt.Errorf("read the end of the day %q: at most 12 hours from midnight", text)
	}
	if before {
		return -minutes, nil
	}
	return minutes, nil
}

// DayEndsText writes DayEnds as ReadDayEnds reads it.
func (r TillRules) DayEndsText() string {
	sign, minutes := "", r.DayEnds
	if minutes < 0 {
		sign, minutes = "-", -minutes
	}
	return fmt.Sprintf("%s%02d:%02d", sign, minutes/60, minutes%60)
}

// Bounds of IdleSeconds.
const (
	DefaultIdleSeconds = 600
	MostIdleSeconds    = 24 * 3600
)

// Idle is what IdleSeconds stands for.
func (r TillRules) Idle() int64 {
	if r.IdleSeconds <= 0 {
		return DefaultIdleSeconds
	}
	return min(r.IdleSeconds, MostIdleSeconds)
}

// VoidNeedsApproval says whether a manager must approve the void of a sale of a total.
func (r TillRules) VoidNeedsApproval(total int64) bool {
	return r.VoidOver != nil && total > *r.VoidOver
}

// ReturnNeedsApproval says whether a manager must approve giving so much back.
func (r TillRules) ReturnNeedsApproval(refund int64) bool {
	return r.ReturnOver != nil && refund > *r.ReturnOver
}

// KeyedNeedsApproval says whether a redemption on a typed card number, by a right or
// stand-in of the terminal's own, must be approved by a manager, who has seen the card.
// Approved, the number is as good as a static code. Where the policy has switched typed
// numbers off, no manager can approve.
func (p Policy) KeyedNeedsApproval() bool { return p.keyedOff() && !p.Keyed.Off }
