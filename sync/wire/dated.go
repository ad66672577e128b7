package wire

import (
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// Dated is a message of HQ as it was sealed, which a lane passes on to another as HQ's
// word that it is not earlier than the message says. Domain is that of a welcome, a
// receipt or a page of the feed.
type Dated struct {
	Domain string `cbor:"1,keyasint"`
	Sealed []byte `cbor:"2,keyasint"`
}

// MaxDated bounds what is passed on, in bytes: a page without items, whose cursors may be
// long, but not one with many.
const MaxDated = 6 << 10

// Passable reports whether a lane passes a message on.
func (d Dated) Passable() bool {
	switch d.Domain {
	case DomainWelcome, DomainReceipt, DomainFeed:
		return len(d.Sealed) > 0 && len(d.Sealed) <= MaxDated
	}
	return false
}

// stated is when HQ says that it said something.
type stated struct {
	hq uuid.UUID
	at int64 // Unix milliseconds
}

// OpenDated verifies a message that was passed on and returns when HQ signed it. The key
// must have been valid at that moment: what was said long ago is still true, and a key
// that has run out speaks for no time after its end.
func OpenDated(d Dated, hq uuid.UUID, set keys.Set) (time.Time, error) {
	if !d.Passable() {
		return time.Time{}, problem.New(problem.InvalidBody, "this is no message that tells HQ's time")
	}
	signed, err := Unmarshal[Signed](d.Sealed)
	if err != nil {
		return time.Time{}, err
	}
	claim, err := readStated(d.Domain, signed.Payload)
	if err != nil {
		return time.Time{}, err
	}
	at := time.UnixMilli(claim.at)
	key, err := set.Find(keys.UseStatement, signed.KeyID)
	if err == nil {
		err = key.ValidAt(at)
	}
	if err == nil {
		err = key.Verify(d.Domain, signed.Payload, signed.Signature)
	}
	if err != nil {
		return time.Time{}, problem.Wrap(problem.ProofInvalid, err, "HQ's signature is not good")
	}
	if claim.hq != hq {
		return time.Time{}, problem.New(problem.ProofInvalid, "the message is of another HQ")
	}
	return at, nil
}

func readStated(domain string, payload []byte) (stated, error) {
	switch domain {
	case DomainWelcome:
		m, err := Unmarshal[Welcome](payload)
		return stated{m.HQ, m.HQTime}, err
	case DomainReceipt:
		m, err := Unmarshal[Receipt](payload)
		return stated{m.HQ, m.RecordedAt}, err
	}
	m, err := Unmarshal[FeedPage](payload)
	return stated{m.HQ, m.HQTime}, err
}
