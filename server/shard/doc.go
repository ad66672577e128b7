// Package shard says to which of the 256 logical shards a thing belongs.
//
// It promises that the answer for an id never changes: it is part of the primary
// key of every hot row, of HQ's journals and of feed cursors.
//
// It must never import anything of this module.
package shard
