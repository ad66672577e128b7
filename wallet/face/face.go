package face

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Kind says what a pass is of.
type Kind string

// The kinds of pass: a member's card, and a voucher that stands for itself.
const (
	KindMember  Kind = "member"
	KindVoucher Kind = "voucher"
)

// Face is what one pass shows. Times are UTC; amounts are whole units, or minor units
// of Currency for money.
type Face struct {
	Kind    Kind
	Subject uuid.UUID // the member, or the voucher
	Name    string    // what the shopper is called; may be empty
	Number  string    // the typed card number, for people to read out
	Locale  string    // en, tr or pl

	// Code is the static text of the pass token (141 characters). Rotating are the keys
	// of the rotating form, empty where the shopper's phone cannot rotate it.
	Code     string
	Issue    uint16
	Rotating []RotatingKey

	Balances []Balance  // the first is the one shown large
	Expiring []Expiring // soonest first
	Vouchers []Voucher
	Next     *Next    // the nearest reward; nil when there is none
	Tier     *Tier    `json:",omitempty"` // nil when the programme has none for the member
	Voucher  *Voucher // of a KindVoucher
	Stores   []Place  // those with a known place, nearest first is the phone's affair

	AsOf      time.Time // up to when HQ had heard when this was made
	ExpiresOn time.Time // the last good day
	Voided    bool
}

// RotatingKey is the TOTP key of one freshness epoch (RFC 6238, SHA-1, 30 s, 8 digits).
type RotatingKey struct {
	Epoch               uint32
	Key                 []byte // 20 bytes
	NotBefore, NotAfter time.Time
}

// Balance is what can be spent of one unit.
type Balance struct {
	Unit     string
	Amount   int64
	Currency string // ISO 4217 when the unit is money, else empty
	Pending  int64  // earned, not to be spent yet
}

// Expiring is how much of a unit is lost, and when.
type Expiring struct {
	Unit     string
	Amount   int64
	Currency string
	At       time.Time
}

// Voucher is a right to a reward.
type Voucher struct {
	ID       uuid.UUID
	Name     string
	Discount int64 // minor units of Currency; 0 when it is not an amount
	Currency string
	Left     int64
	ValidTo  time.Time // zero when it does not end
}

// Next is the reward a member comes to next: Have of Cost units.
type Next struct {
	Name       string
	Unit       string
	Have, Cost int64
}

// Tier is where a member stands among the tiers of a programme. Below the first one Key
// and Names are empty; at the highest the Next are.
type Tier struct {
	Key       string            // names it for good
	Names     map[string]string // by language; English is always there
	Colour    string            // #rrggbb, or empty
	KeptUntil time.Time         // the last day if nothing more is earned, midnight UTC; zero when it does not end

	NextKey   string
	NextNames map[string]string
	Missing   int64 // whole units, rounded up
	Unit      string
	Currency  string // ISO 4217 when the unit is money
}

// NameIn is a name in a language; another one is answered in English.
func NameIn(names map[string]string, language string) string {
	if name := names[language]; name != "" {
		return name
	}
	return names["en"]
}

// Place is where a phone may offer the pass by itself.
type Place struct {
	Name                string
	Latitude, Longitude float64
}

// Ends is when the pass is no longer good, in whole seconds of UTC: with its code's last
// good day, or before that with its voucher. It is zero when it does not end.
func (f Face) Ends() time.Time {
	var end time.Time
	if !f.ExpiresOn.IsZero() {
		y, m, d := f.ExpiresOn.UTC().Date()
		end = time.Date(y, m, d, 23, 59, 59, 0, time.UTC)
	}
	if f.Kind == KindVoucher && f.Voucher != nil && !f.Voucher.ValidTo.IsZero() {
		if to := f.Voucher.ValidTo.UTC().Truncate(time.Second); end.IsZero() || to.Before(end) {
			end = to
		}
	}
	return end
}

// Digest tells faces apart by what they say. AsOf is left out: the same balance known a
// minute later is the same face.
func (f Face) Digest() ([32]byte, error) {
	f.AsOf = time.Time{}
	b, err := json.Marshal(f)
	if err != nil {
		return [32]byte{}, fmt.Errorf("digest face: %w", err)
	}
	return sha256.Sum256(b), nil
}
