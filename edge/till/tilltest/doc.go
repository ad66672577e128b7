// Package tilltest is what tests of the till and of its state stores share: a
// journal and a store in memory, a small world of HQ, members and codes around a
// till, and the rules every state store must keep.
//
// It must never be imported outside tests.
package tilltest
