// Package passtoken is the signed code in a pass's QR: issuing it, showing it,
// repairing what a scanner did to it, and deciding offline whether it is good.
//
// It promises that a code is accepted only when HQ's pass key signed exactly these
// 22 bytes, that one token has exactly one text, that no input is worked on past
// [MaxRaw] bytes, and that every refusal is a *problem.Error with a code of its
// own. The format is docs/pass-token.md; testdata/vectors.json holds examples that
// any second implementation must agree with.
//
// It must never import Fiber, a database, or anything of edge and server; nor read
// a clock, a file or the network: time, keys and clock error are passed in.
// Blocked passes, issue numbers and replays are the caller's to check: they need
// memory, and this package has none.
package passtoken
