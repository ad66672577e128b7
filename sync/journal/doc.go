// Package journal keeps and proves entries.
//
// A journal is one writer's append-only, hash-chained list of entries: a
// terminal's under one epoch, or that of one HQ shard. The package has two halves:
//
//   - the chain (chain.go, checkpoint.go): pure functions that hash entries, sign
//     a head and verify a run of entries against a known head;
//   - the files (all the rest): preallocated segment files with group commit,
//     recovery after a power cut, and reading back.
//
// It promises:
//
//   - An entry that Append acknowledged is on disk, and stays readable at its
//     sequence number with its hash, through kill -9 and power cut at any byte.
//   - Sequence numbers start at 1 and have no gaps.
//   - Damage is never answered with silently wrong data. What exactly is detected,
//     and what only a witness off this disk can detect, is in
//     docs/journal-format.md, which specifies every byte written here.
//   - A full disk refuses the next entry with [ErrDiskFull] and tears none. Any
//     other write or sync error stops the journal for good: see [Journal.Done].
//
// Entry bytes are opaque: this package must never import what an entry says
// (sync/entry), nor the wire, nor anything of edge or server. It reads no clock.
package journal
