// Package benchtable is how every benchmark of this project is told its size, and says
// what it found: one table for people, one JSON file for machines, the same numbers in
// both.
//
// It promises that whether a target was met is computed from the numbers, never
// said by hand, and that a number which is no number (NaN, infinity) is an error,
// never a result.
//
// It must never import anything of this module or measure anything by itself.
package benchtable
