// Package sim is a whole chain of stores in one process: head office on SQLite, lanes
// with their journals, caches and tills, and the network, the disks and the clocks
// between and below them, all out of one seed. The production code runs in it
// unchanged; what it is handed (file system, state store, clock, identifiers, HTTP
// transport, database) is the simulator's.
//
// It promises that one seed is one run: the same events, the same faults and the same
// trace hash. After each event it checks the invariants (docs/proof.md), and on a
// failure it says the seed and the shortest story it could find.
//
// It must never be imported by anything that ships. Nothing of it decides about points:
// its own truth is made of what was acknowledged to the point of sale.
package sim
