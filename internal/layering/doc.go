// Package layering holds the rules of who may know whom in this module, as one
// table ([Rules]), and the checks that hold the source to them.
//
// It promises that each rule names its reason, that a package which does not
// exist yet breaks nothing, and (by its own tests) that each rule catches the
// import it was written against.
//
// It must never be imported by anything: it is run by `make lint` and `make
// test`, and knows the rest of the module only as the text that `go list`
// prints. It imports the standard library alone.
package layering
