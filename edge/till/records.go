package till

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// The values of the state store, as CBOR with integer keys.

// link is what the till remembers of its connection to HQ (TableMeta "link").
type link struct {
	HQEpoch uint32       `cbor:"1,keyasint"`
	HQTime  int64        `cbor:"2,keyasint"` // latest time HQ signed, Unix milliseconds
	Heard   int64        `cbor:"3,keyasint"` // HQTime of the last page that ended the feed; 0 never
	Cursor  string       `cbor:"4,keyasint"`
	Acked   journal.Head `cbor:"5,keyasint"`
	// Applied is through which own entry HQ has applied; HasApplied that HQ said so.
	Applied    uint64 `cbor:"6,keyasint,omitempty"`
	HasApplied bool   `cbor:"7,keyasint,omitempty"`
	// Presented is the HQ epoch to which this terminal has shown its grants.
	Presented uint32 `cbor:"8,keyasint,omitempty"`
}

// counted is through which entry nothing counts against stand-in any more. An HQ that
// never says what it has applied is one of an older release; its receipts count then.
func (l link) counted() uint64 {
	if l.HasApplied {
		return l.Applied
	}
	return l.Acked.Seq
}

// item is what HQ said last about a record. No body: the record is gone.
type item struct {
	HQEpoch uint32 `cbor:"1,keyasint"`
	Version uint64 `cbor:"2,keyasint"`
	Body    []byte `cbor:"3,keyasint,omitempty"`
	// At is HQ's time when it was taken in, of words about rights without a grant.
	At int64 `cbor:"4,keyasint,omitempty"`
}

// amount is a signed change of one unit. VestsAt is set for earnings only.
type amount struct {
	Unit    string `cbor:"1,keyasint"`
	Amount  int64  `cbor:"2,keyasint"`
	VestsAt int64  `cbor:"3,keyasint,omitempty"`
}

// effect is what one entry changed in an account (Redeemed, Earned) or a voucher
// (Uses). A void's figures are those of its sale, negative; a return's are what it
// takes of the earnings. Lots, one by unit, is what it did to what expires, any of it
// being activity of the account; a release that wrote none left it unknown.
type effect struct {
	Redeemed []amount    `cbor:"1,keyasint,omitempty"`
	Earned   []amount    `cbor:"2,keyasint,omitempty"`
	Uses     int64       `cbor:"3,keyasint,omitempty"`
	Lots     []lotChange `cbor:"4,keyasint,omitempty"`
}

// lotChange is what one entry did to the lots of one unit: what it redeemed on any
// basis, when the first of what it earned expires, and whether it took something back.
type lotChange struct {
	Unit     string `cbor:"1,keyasint"`
	Redeemed int64  `cbor:"2,keyasint,omitempty"`
	EndsAt   int64  `cbor:"3,keyasint,omitempty"`
	Back     bool   `cbor:"4,keyasint,omitempty"`
}

// spend is what one entry counts against the caps of the terminal: Points and Uses
// without a right; All points and uses on any basis, loans given included. A void takes
// back what entry Voids counted.
type spend struct {
	Points []amount `cbor:"1,keyasint,omitempty"`
	Uses   int64    `cbor:"2,keyasint,omitempty"`
	Voids  uint64   `cbor:"3,keyasint,omitempty"`
	All    int64    `cbor:"4,keyasint,omitempty"`
}

// noted is what this journal has said of the terminal itself (TableMeta "noted").
type noted struct {
	Policy    uint64 `cbor:"1,keyasint,omitempty"` // version acknowledged
	Points    int64  `cbor:"2,keyasint,omitempty"` // share acknowledged with it
	Uses      int64  `cbor:"3,keyasint,omitempty"`
	Witnessed uint64 `cbor:"4,keyasint,omitempty"` // own head that HQ or a lane confirmed
}

// branch is that somebody holds another branch of this journal (TableMeta "branch").
type branch struct {
	Seq     uint64               `cbor:"1,keyasint"`
	Finding entry.WitnessFinding `cbor:"2,keyasint"`
}

// made is what an idempotency key made.
type made struct {
	Seq  uint64     `cbor:"1,keyasint"`
	Kind entry.Kind `cbor:"2,keyasint"`
	Hash []byte     `cbor:"3,keyasint"`
}

var (
	keyPosition  = []byte("position")
	keyLink      = []byte("link")
	keyBranch    = []byte("branch")
	keySuspended = []byte("suspended")  // problem.Code
	keyKept      = []byte("kept since") // time of the first entry a rebuild found, after pruning
	keyPolicy    = []byte("policy")     // noted, as of the last policy acknowledged
	keyWitness   = []byte("witness")    // noted, as of the last own head witnessed in the journal
	keyHeads     = []byte("heads")      // noted, as of the last own head witnessed
	keyHeadBound = []byte("head bound") // clock.Stamp, below which all heads were stamped
	keySaid      = []byte("said")       // said, the latest word of HQ that tells the time
	keySeen      = []byte("seen ")      // ‖ lane: wire.SignedHead, the last one journalled of it
)

func put(table Table, key []byte, value any) (Change, error) {
	raw, err := wire.Marshal(value)
	if err != nil {
		return Change{}, fmt.Errorf("encode record of table %d: %w", table, err)
	}
	return Change{Table: table, Key: key, Value: raw}, nil
}

// getter is a View, or a look over one.
type getter interface {
	Get(table Table, key []byte) ([]byte, error)
}

// get reads a record; found is false when it is absent.
func get[T any](from getter, table Table, key []byte) (value T, found bool, err error) {
	raw, err := from.Get(table, key)
	if errors.Is(err, ErrAbsent) {
		return value, false, nil
	}
	if err != nil {
		return value, false, fmt.Errorf("read table %d: %w", table, err)
	}
	value, err = decode[T](table, raw)
	return value, err == nil, err
}

// decode reads a value of the store. One that the store vouches for and that still
// cannot be read is damage too.
func decode[T any](table Table, raw []byte) (T, error) {
	value, err := wire.Unmarshal[T](raw)
	if err != nil {
		return value, fmt.Errorf("decode record of table %d: %w: %w", table, ErrDamaged, err)
	}
	return value, nil
}

func key(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func seqOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

func idKey(id uuid.UUID, seq uint64) []byte { return key(id[:], seqKey(seq)) }

func dayKey(member uuid.UUID, date entry.Date) []byte {
	return binary.BigEndian.AppendUint32(member[:len(member):len(member)], uint32(date))
}

func itemKey(kind wire.ItemKind, id uuid.UUID) []byte { return key([]byte{byte(kind)}, id[:]) }

func textKey(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
