// Package platter is what a disk holds between a write and a power cut: which bytes the
// running system sees, which of them are durable, and which of the others a cut leaves.
//
// It promises that bytes written and not synced survive sector by sector, each or not at
// all, and changes of the directory in their order, as chance has it and nothing else: the
// same chance leaves the same disk. Who uses it decides when calls fail.
//
// It must never import a room of the product: the journal's own tests stand on it.
package platter
