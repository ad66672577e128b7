// Package testkit is the room of what fakes, breaks or watches the product: a
// fault proxy, real processes, a disk whose power can be cut, and thin clients of
// both APIs. Each lives in a package of its own below this one.
//
// It must never be imported by anything that ships: only tests and cmd/fleet know
// it (internal/layering holds that).
package testkit
