package ingest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/sync/wire"
)

// Terminal is who delivers, as the caller has authenticated it. PublicKey is the
// key of Epoch.
type Terminal struct {
	ID        uuid.UUID
	Store     uuid.UUID
	Epoch     uint32
	PublicKey ed25519.PublicKey
	State     string // enrolled, quarantined, revoked
}

// Quarantiner puts a terminal in quarantine, in the transaction in ctx. Doing it
// again changes nothing.
type Quarantiner interface {
	Quarantine(ctx context.Context, terminal uuid.UUID, cause string) error
}

// Options are what ingest stands on.
type Options struct {
	Store   Store
	Fleet   Quarantiner
	HQ      uuid.UUID
	HQEpoch uint32
	Signer  keys.Signer // a statement key
	Limiter *Limiter
	// Retain is how long acknowledged entries must be kept by terminals: the age
	// of HQ's oldest backup that may be restored.
	Retain time.Duration
	// Wake is called after new entries have been committed.
	Wake func()
}

// Service takes batches in.
type Service struct{ o Options }

// New returns the service.
func New(o Options) *Service { return &Service{o: o} }

// Store is the storage ingest needs.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Limiter bounds how many entries are being taken in at once.
type Limiter struct{}

// NewLimiter returns a limiter of this many entries.
func NewLimiter(entries int) *Limiter { return &Limiter{} }

var errSkeleton = errors.New("not built yet")

// Push makes a batch durable and returns HQ's receipt, the CBOR of a wire.Signed.
func (s *Service) Push(ctx context.Context, t Terminal, b wire.Batch, now time.Time) ([]byte, error) {
	return nil, errSkeleton
}

// Hello answers a terminal's opening: from where on it must send. The caller signs.
func (s *Service) Hello(ctx context.Context, t Terminal, h wire.Hello, now time.Time) (wire.Welcome, error) {
	return wire.Welcome{}, errSkeleton
}

// Lookup finds the terminal of an epoch, or problem.NotEnrolled.
type Lookup func(ctx context.Context, terminal uuid.UUID, epoch uint32) (Terminal, error)

// Imported counts what an import took in.
type Imported struct {
	Batches, Entries, New int
}

// Import takes a journal export through the same path as Push.
func (s *Service) Import(ctx context.Context, file io.Reader, lookup Lookup, now time.Time) (Imported, error) {
	return Imported{}, errSkeleton
}
