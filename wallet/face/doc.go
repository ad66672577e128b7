// Package face is what a pass says to a shopper, whatever phone shows it: balances with
// the time they are of, what expires soon, vouchers, the code. Apple, Google, the
// printed card and the previews are made from the same [Face], so they cannot disagree.
//
// It promises that two faces that say the same have the same [Face.Digest], which is
// how an update that changes nothing is recognized.
//
// It must never import Fiber, a database, or anything of edge and server.
package face
