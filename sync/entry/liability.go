package entry

import "github.com/google/uuid"

// KindHQLiabilityValue notes what a thousand of a unit are worth from a day on.
const KindHQLiabilityValue Kind = 108

// HQLiabilityValue is the body of [KindHQLiabilityValue]. PerThousand is in minor units of
// the currency.
type HQLiabilityValue struct {
	Unit        string    `cbor:"1,keyasint"`
	Currency    string    `cbor:"2,keyasint"`
	From        Date      `cbor:"3,keyasint"`
	PerThousand int64     `cbor:"4,keyasint"`
	By          uuid.UUID `cbor:"5,keyasint"`
}
