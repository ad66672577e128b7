package google

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/tallystick/tallystick/wallet/face"
)

const (
	// rotatingPattern follows the static text without a separator: ten digits of Unix
	// seconds and the TOTP (docs/pass-token.md, rotating form).
	rotatingPattern = "{totp_timestamp_seconds}{totp_value_0}"
	periodMillis    = 30_000
	totpDigits      = 8
)

// Settle is how long an epoch has begun before its key is shown. A phone whose clock
// is behind would else show codes of the new key for moments that only the old one
// covers, and a till would call them forged.
const Settle = 15 * time.Minute

// Current is the key a phone should have now: of those whose time it is, the one that
// began last, and one that has not begun [Settle] ago only when there is no other.
//
// A phone changes its key only when the object is changed, so epochs must overlap by
// as long as phones may be out of reach, which is seven days, and Settle.
func Current(keys []face.RotatingKey, now time.Time) (key face.RotatingKey, found bool) {
	settled := false
	for _, k := range keys {
		if now.Before(k.NotBefore) || !now.Before(k.NotAfter) {
			continue
		}
		rested := !now.Before(k.NotBefore.Add(Settle))
		if !found || rested && !settled || rested == settled && k.NotBefore.After(key.NotBefore) {
			key, found, settled = k, true, rested
		}
	}
	return key, found
}

// NextChange is the first moment after now from which the same face makes another
// object: another epoch's key, or its end. It is zero when there is none.
func NextChange(f face.Face, now time.Time) time.Time {
	var next time.Time
	consider := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, k := range f.Rotating {
		consider(k.NotBefore)
		consider(k.NotBefore.Add(Settle))
		consider(k.NotAfter)
	}
	consider(f.Ends()) // zero is after no moment
	return next
}

func rotating(code string, key face.RotatingKey, alternate string) *RotatingBarcode {
	return &RotatingBarcode{
		Type: qrCode, ValuePattern: code + rotatingPattern, AlternateText: alternate,
		TOTP: TOTPDetails{
			Algorithm: totpSHA1, PeriodMillis: periodMillis,
			Parameters: []TOTPParameter{{Key: strings.ToUpper(hex.EncodeToString(key.Key)), ValueLength: totpDigits}},
		},
	}
}
