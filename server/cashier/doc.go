// Package cashier knows who works at the tills of each store, and how those tills
// work: who must sign in, and what a manager must approve.
//
// It promises that every change is an entry of HQ's journal and an item of the feed of
// that one store, in the same transaction; that no other store is told; and that a PIN
// is kept, told and shown as a slow salted hash at most, which HQ's journal has not
// even: there a digest of it stands.
//
// What terminals did is looked at again: what a manager should have approved, and did
// not, or was approved by nobody who could, is an exception. The fact counts all the
// same.
//
// It must never import HTTP or a database: it names the storage it needs.
package cashier
