// Package fleet knows the stores and their terminals: who may enrol, who a request
// comes from, and who has been shut out.
//
// A terminal is new until somebody enrols it with its one-time code; then it is
// enrolled under an epoch, and may become quarantined (its journal contradicts
// itself) or revoked (a person decided). Enrolling again, with a new code and a
// new key, starts the next epoch and makes it enrolled again. The key of an earlier
// epoch stays known, because what that epoch wrote may still arrive; a terminal
// that shows up with one may deliver and is told nothing.
//
// It promises that a code works once and for one key, that every change is an entry
// of HQ's journal and an item of the store's feed in the same transaction, and that
// a request is believed only with a proof by the key HQ holds.
//
// It promises too that a terminal which HQ enrolled and lost in a restore is taken in
// again by HQ's own signature, and by nothing else, and that no epoch is given twice.
//
// It must never import HTTP or a database: it names the storage it needs.
package fleet
