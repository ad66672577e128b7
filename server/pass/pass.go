package pass

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/shard"
)

// Channel is what carries a pass. Stored; numbers are final.
type Channel uint8

// Channels. Nothing here ships a [Wallet] for Samsung: without one it is not set up.
const (
	Apple   Channel = 1
	Google  Channel = 2
	Web     Channel = 3
	Printed Channel = 4
	Samsung Channel = 5
)

var channelWords = map[Channel]string{Apple: "apple", Google: "google", Web: "web", Printed: "printed", Samsung: "samsung"}

// String returns the word used in JSON and on the wire.
func (c Channel) String() string { return channelWords[c] }

// ChannelOf reads the word; false when it is none.
func ChannelOf(word string) (Channel, bool) {
	for c, w := range channelWords {
		if w == word {
			return c, true
		}
	}
	return 0, false
}

// Static says whether the code on the pass cannot change by itself.
func (c Channel) Static() bool { return c == Apple || c == Printed || c == Samsung }

// State is how far a pass has come. Stored; numbers are final.
type State uint8

// States.
const (
	Issued    State = 1
	Installed State = 2 // a phone has it, as far as its channel tells
	Voided    State = 3 // for ever; a member who is blocked has passes that show it and may come back
)

var stateWords = map[State]string{Issued: "issued", Installed: "installed", Voided: "voided"}

// String returns the word used in JSON.
func (s State) String() string { return stateWords[s] }

// StateOf reads the word; false when it is none.
func StateOf(word string) (State, bool) {
	for s, w := range stateWords {
		if w == word {
			return s, true
		}
	}
	return 0, false
}

// Key is where a pass is kept. ID is random and not to be guessed.
type Key struct {
	Shard int
	ID    uuid.UUID
}

// Pass is one pass. Voucher is zero for a member's card. Times that have not come are zero.
type Pass struct {
	Key
	Member  uuid.UUID
	Voucher uuid.UUID
	Channel Channel
	State   State

	// Digest is of what it says, empty before that was first looked at; Brand is the
	// version of the look. A change of either takes a new Tag, of one counter for all
	// passes, and a later Modified (whole seconds, strictly later each time).
	Digest   []byte
	Brand    uint64
	Tag      uint64
	Modified time.Time
	// CauseAt is when that happened which the last change came from: a sale's own time.
	CauseAt time.Time

	IssuedAt   time.Time
	MovedAt    time.Time // when HQ recorded what moved the account last, as far as that was looked at
	ReissueAt  time.Time // when the code is to be issued anew; zero for not
	ReissuedAt time.Time
	NextAt     time.Time // when what it says changes by itself next; zero for never
	ErasedAt   time.Time // when the member left; the row follows after a while
}

// Marks are how far a pass has come with its phones.
type Marks struct {
	InstalledAt time.Time
	PushedAt    time.Time
	ListedAt    time.Time
	FetchedAt   time.Time
	FetchedTag  uint64
	// Lag is from the cause of the last change to when it was fetched.
	Lag time.Duration
}

// Tracked is a pass with its marks, and on how many phones it is.
type Tracked struct {
	Pass
	Marks
	Devices int
}

// KeyOf is where a new pass of a member is kept.
func KeyOf(member, random uuid.UUID) Key { return Key{shard.Of(member), random} }

// serialLength is two digits of the shard and 32 of the id.
const serialLength = 34

// Serial is the name of a pass outside HQ: hexadecimal, 34 characters, opaque.
func (k Key) Serial() string {
	return hex.EncodeToString(append([]byte{byte(k.Shard)}, k.ID[:]...))
}

// ParseSerial reads a serial; false when it is none that Serial writes.
func ParseSerial(text string) (Key, bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(text) != serialLength {
		return Key{}, false
	}
	k := Key{Shard: int(raw[0]), ID: uuid.UUID(raw[1:])}
	return k, k.Serial() == text
}

// token is what a phone must show for a pass: 40 hexadecimal characters that only who
// has the secret can derive from the serial.
func token(secret []byte, k Key) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("apple pass token v1\x00" + k.Serial()))
	return hex.EncodeToString(mac.Sum(nil)[:20])
}

// epochBits is how much of a tag counts; the rest is HQ's epoch, so that tags from
// before a restore are told apart from those after it.
const epochBits = 40

// tagText is a position as phones are told it: decimal digits.
func tagText(epoch uint32, pos uint64) string {
	return strconv.FormatUint(uint64(epoch)<<epochBits|pos, 10)
}

// readTag is the position that a phone has seen. What this HQ never said, in this
// epoch, is the beginning: of another server, of another time, or no tag at all.
func readTag(epoch uint32, text string, head uint64) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n>>epochBits != uint64(epoch) || strconv.FormatUint(n, 10) != text {
		return 0
	}
	if pos := n & (1<<epochBits - 1); pos <= head {
		return pos
	}
	return 0
}
