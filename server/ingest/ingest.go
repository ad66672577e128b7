package ingest

import (
	"context"
	"crypto/ed25519"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/journal"
)

// States of a terminal, as in wire.Terminal.
const (
	StateEnrolled    = "enrolled"
	StateQuarantined = "quarantined"
	StateRevoked     = "revoked"
)

// Terminal is who delivers, as the caller has authenticated it. PublicKey is the
// key of Epoch.
type Terminal struct {
	ID        uuid.UUID
	Store     uuid.UUID
	Epoch     uint32
	PublicKey ed25519.PublicKey
	State     string
	// Proven is the last entry of an ended epoch that HQ once had in good order: up to
	// it the journal is proven, whatever became of the terminal.
	Proven journal.Head
}

// proven reports whether an entry is beyond doubt.
func (t Terminal) proven(at journal.Head) bool {
	return t.State == StateEnrolled || at.Seq < t.Proven.Seq || at == t.Proven && at.Seq > 0
}

// Fleet knows the terminals.
type Fleet interface {
	// Quarantine puts a terminal in quarantine, in the transaction in ctx. Doing it again
	// changes nothing.
	Quarantine(ctx context.Context, terminal uuid.UUID, cause string) error
	// Deliverer returns a terminal as it was in an epoch, or problem.NotEnrolled.
	Deliverer(ctx context.Context, terminal uuid.UUID, epoch uint32) (Terminal, error)
}

// Recorder is HQ's own journal; it gets a fact for every import.
type Recorder interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// Options are what ingest stands on.
type Options struct {
	Store   Store
	Fleet   Fleet
	Journal Recorder
	HQ      uuid.UUID
	HQEpoch uint32
	Signer  keys.Signer // a statement key
	Limiter *Limiter    // nil does not limit
	// Retain is how long terminals must keep acknowledged entries: the age of HQ's
	// oldest backup that may be restored.
	Retain time.Duration
	// Wake is called after new entries have been committed; nil calls nothing.
	Wake func()
}

// Service takes batches in. It is safe for concurrent use, also by several
// processes on one database.
type Service struct{ o Options }

// New returns the service.
func New(o Options) *Service { return &Service{o: o} }
