// Package match holds the books of a till software against the journals of a store: which
// sale there is which sale here. It is pure: rows come in, pairs go out.
//
// It promises that a row is in one pair at most, that the time taken grows as n log n and
// the memory as n whatever the rows say, that the order of the rows does not matter but
// where they are the same in everything, and that rows which agree in everything are
// paired before those that agree in less.
//
// It must never import anything but the standard library.
package match
