// Command fleet plays a whole company on one machine: an HQ and stores with lanes,
// as real processes behind a network that it can cut.
//
// `fleet demo` tells the product's main story with real requests. It promises that
// every line it marks with a tick was checked against what a process answered, that
// a step which is not as told ends it with an error, and that no child outlives it.
//
// `fleet phones` plays thousands of phones with Apple passes of a real hq, and promises
// that a lost update or a needless one ends it with an error.
//
// It must never be needed by anything that ships, and never reach into a process's
// files where an address or a command would do.
package main
