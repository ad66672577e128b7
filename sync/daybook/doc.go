// Package daybook adds up what the entries of a terminal say: the figures of a day close.
//
// It promises that the sums depend on the set of entries alone and not on their order, and
// that both ends get the same ones: the terminal signs them, HQ works them out again from
// the same bytes. It knows nothing of what follows from an entry in the ledger.
//
// It must never import anything of ours but entry, and decides nothing.
package daybook
