package journal

import (
	"errors"
	"fmt"
)

// Refusals of one call; the journal goes on working. Match with errors.Is.
var (
	// ErrDiskFull refuses an append because the next segment cannot be
	// preallocated. Nothing was written. A later append works once there is space.
	ErrDiskFull = errors.New("no space left for the journal's next segment")
	// ErrTooLarge refuses an entry longer than [Journal.MaxEntry].
	ErrTooLarge = errors.New("entry is too large for the journal")
	// ErrEmpty refuses an entry of no bytes.
	ErrEmpty = errors.New("entry is empty")
	// ErrPruned answers a read of entries that [Journal.Prune] has removed.
	ErrPruned = errors.New("entry was pruned from the journal")
)

// Ends of a journal. Match with errors.Is.
var (
	// ErrLocked means that another process (or this one) has the journal open.
	ErrLocked = errors.New("journal is in use by another process")
	// ErrStopped wraps the write or sync error after which nothing is appended any
	// more. Whether the entry of the failed call is durable is not known: it may be
	// found after the restart. The process must exit and open the journal again.
	ErrStopped = errors.New("journal has stopped")
	// ErrClosed answers calls after Close.
	ErrClosed = errors.New("journal is closed")
)

// Reasons of a [RunError].
const (
	ReasonBounds = "first and last do not make a run"
	ReasonWriter = "the run is another writer's"
	ReasonCount  = "the number of entries is not the signed one"
	ReasonHead   = "the entries do not lead to the signed head"
)

// RunError means that a run's entries, its checkpoint and the known head do not
// fit each other. It does not say that the writer did wrong.
type RunError struct {
	Writer      Writer
	First, Last uint64
	Reason      string
}

func (e *RunError) Error() string {
	return fmt.Sprintf("run %d-%d of %s: %s", e.First, e.Last, e.Writer, e.Reason)
}

// SignatureError means that the checkpoint was not signed by the given key.
type SignatureError struct {
	Writer Writer
	Last   uint64
}

func (e *SignatureError) Error() string {
	return fmt.Sprintf("checkpoint %d of %s: signature does not verify", e.Last, e.Writer)
}

// GapError means that entries are missing: Want is the next number needed, Got
// the one found or asked for.
type GapError struct{ Want, Got uint64 }

func (e *GapError) Error() string {
	return fmt.Sprintf("gap in the journal: want entry %d, got %d", e.Want, e.Got)
}

// ForkError means that two entries have the same number and different hashes: a
// clone, a rollback, or an entry rewritten.
type ForkError struct {
	Seq        uint64
	Known, Got Hash
}

func (e *ForkError) Error() string {
	return fmt.Sprintf("fork at entry %d: known %s, got %s", e.Seq, e.Known.Short(), e.Got.Short())
}

// Reasons of a [CorruptError].
const (
	ReasonHeader = "segment header is damaged"
	ReasonFrame  = "frame is damaged although a later group was durable"
	ReasonOrder  = "frame does not follow the one before it"
	ReasonSeal   = "seal contradicts the chain before it"
	ReasonEnd    = "the next segment continues from another head"
	ReasonTail   = "the head file has seen a later head"
	ReasonFork   = "the head file contradicts the chain"
	ReasonCut    = "segment file was cut short and no head file vouches for its end"
	ReasonSize   = "segment file is larger than any segment"
)

// CorruptError means that durable data was damaged. Such a journal is not opened
// for append; [OpenReadOnly] reads it up to the damage. Segment and Offset say
// where, Seq the first entry that cannot be vouched for.
type CorruptError struct {
	Segment uint64
	Offset  int64
	Seq     uint64
	Reason  string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("journal is damaged at entry %d (segment %d, offset %d): %s", e.Seq, e.Segment, e.Offset, e.Reason)
}

// MissingError means that a segment file that must exist does not.
type MissingError struct{ Segment uint64 }

func (e *MissingError) Error() string {
	return fmt.Sprintf("journal segment %d is missing", e.Segment)
}

// ForeignError means that a file belongs to another writer or epoch.
type ForeignError struct {
	Segment   uint64
	Want, Got Writer
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("journal segment %d belongs to %s, want %s", e.Segment, e.Got, e.Want)
}

// MisplacedError means that the file named Segment holds segment Got: it was
// copied or renamed.
type MisplacedError struct{ Segment, Got uint64 }

func (e *MisplacedError) Error() string {
	return fmt.Sprintf("journal segment file %d holds segment %d", e.Segment, e.Got)
}

// VersionError means that a file was written by a newer release.
type VersionError struct {
	Segment uint64
	Got     uint16
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("journal segment %d has format version %d, this release reads %d", e.Segment, e.Got, formatVersion)
}
