package fleet

import (
	"context"
	"crypto/ed25519"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
)

// State is where a terminal stands.
type State string

// States.
const (
	StateNew         State = "new"
	StateEnrolled    State = "enrolled"
	StateRetiring    State = "retiring" // it works, but is given no rights and gives back those it has
	StateQuarantined State = "quarantined"
	StateRevoked     State = "revoked"
)

// Store is a shop.
type Store struct {
	ID        uuid.UUID
	Code      string // unique
	Name      string
	TimeZone  string // IANA
	Currency  string // ISO 4217
	Version   uint64
	CreatedAt time.Time
	Place     *Place // nil when it is not known
}

// Place is where a store is, in degrees (WGS 84). Phones offer a pass nearby.
type Place struct{ Latitude, Longitude float64 }

// Terminal is one lane of a store. Epoch is zero and PublicKey empty before the
// first enrolment; times that have not come are zero.
type Terminal struct {
	ID         uuid.UUID
	Store      uuid.UUID
	Name       string // unique in its store
	State      State
	Epoch      uint32
	PublicKey  ed25519.PublicKey
	Software   string
	Version    uint64
	CreatedAt  time.Time
	EnrolledAt time.Time
	Contact
	// Lost is the last declaration that the terminal is lost, zero when there is none.
	Lost Declaration
	// Identities are the members that it may still enrol with what was issued to it.
	Identities int64
}

// Count is how many terminals are in a state, and how many of them were heard
// from lately.
type Count struct{ Total, Online int64 }

// Code is a one-time enrolment code as kept: its hash, never itself. UsedAt is zero
// until it was used; UsedKey says by whom.
type Code struct {
	Hash      [32]byte
	Terminal  uuid.UUID
	ExpiresAt time.Time
	UsedAt    time.Time
	UsedKey   ed25519.PublicKey
}

// Keeper is the storage fleet needs. Methods take part in the transaction of ctx,
// if there is one. What is missing is problem.NotFound, a code or name that is
// taken problem.NameTaken. Lists are in the order of ids (so of creation), begin
// after the given id and have at most limit rows.
type Keeper interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error

	AddStore(ctx context.Context, s Store) error
	Store(ctx context.Context, id uuid.UUID) (Store, error)
	Stores(ctx context.Context, after uuid.UUID, limit int) ([]Store, error)
	// PlaceStore says where a store is, or that it is not known.
	PlaceStore(ctx context.Context, id uuid.UUID, at *Place) error

	AddTerminal(ctx context.Context, t Terminal) error
	Terminal(ctx context.Context, id uuid.UUID) (Terminal, error)
	// Terminals lists those of one store, or of all when store is the zero id.
	Terminals(ctx context.Context, store, after uuid.UUID, limit int) ([]Terminal, error)
	// SetTerminal writes what changes with a version: state, epoch, key, software,
	// enrolment and contact. It is problem.Conflict unless the stored version is one
	// below t.Version.
	SetTerminal(ctx context.Context, t Terminal) error
	// Heard notes a contact, apart from the terminal's record. Of a known epoch numbers
	// never fall; an older epoch than the known one is ignored.
	Heard(ctx context.Context, c EpochContact) error
	// NoteClock notes by how many milliseconds a terminal's clock was ahead, and when.
	NoteClock(ctx context.Context, terminal uuid.UUID, ahead, at int64) error
	// Contacts returns what was noted of terminals.
	Contacts(ctx context.Context, terminals []uuid.UUID) (map[uuid.UUID]EpochContact, error)

	CountStores(ctx context.Context) (int64, error)
	// CountTerminals counts as online who was noted since.
	CountTerminals(ctx context.Context, onlineSince time.Time) (map[State]Count, error)

	// AddTerminalKey keeps the key of one epoch for ever. A key that any terminal
	// has shown before is problem.Conflict.
	AddTerminalKey(ctx context.Context, terminal uuid.UUID, epoch uint32, key ed25519.PublicKey) error
	TerminalKey(ctx context.Context, terminal uuid.UUID, epoch uint32) (ed25519.PublicKey, error)

	// ReplaceCode keeps a new code and forgets the unused ones of its terminal.
	ReplaceCode(ctx context.Context, c Code) error
	// DropCodes forgets the unused codes of a terminal.
	DropCodes(ctx context.Context, terminal uuid.UUID) error
	// UseCode marks a code used, once; it reports whether this call did.
	UseCode(ctx context.Context, hash [32]byte, key ed25519.PublicKey, now time.Time) (bool, error)
	Code(ctx context.Context, hash [32]byte) (Code, error)

	lostKeeper
	declarationKeeper
}

// Journal is HQ's own journal; see hqjournal.
type Journal interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// Env is what the fleet takes from its surroundings.
type Env struct {
	Keeper  Keeper
	Journal Journal
	Clock   clock.Clock
	Random  io.Reader
	NewID   func() uuid.UUID
	HQ      uuid.UUID
	Keys    keys.Set
	// HQEpoch is that of HQ; a restore starts a later one. Statement signs what
	// terminals keep; without a key they get nothing to keep.
	HQEpoch   uint32
	Statement keys.Signer
	// NonceKey makes the nonces terminals prove freshness with; 32 secret bytes.
	NonceKey []byte
	// Bound says what a terminal can cost that HQ never hears of again; nil is nothing.
	Bound func(ctx context.Context, terminal uuid.UUID) ([]entry.LostBound, error)
	// CodeLife is how long an enrolment code works; zero is ten minutes.
	CodeLife time.Duration
}

// Fleet is the stores and terminals of one HQ. It is safe for concurrent use.
type Fleet struct {
	env   Env
	noted noted
}

// New returns a fleet.
func New(env Env) *Fleet {
	if env.CodeLife == 0 {
		env.CodeLife = 10 * time.Minute
	}
	return &Fleet{env: env, noted: noted{heard: map[uuid.UUID]heard{}}}
}

func (f *Fleet) now() time.Time { return f.env.Clock.Now().UTC().Truncate(time.Millisecond) }
