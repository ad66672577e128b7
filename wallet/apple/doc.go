// Package apple makes Apple Wallet passes: pass.json and its translations from a
// [face.Face] and a [brand.Brand], the manifest, the detached CMS signature and the
// archive around them. It reads certificates and keys, says in words what is wrong
// with them, and makes its own authority for trying things on one machine.
//
// It promises that credentials which do not fit each other are refused before the first
// pass; that equal requests give an equal manifest; that each pass is signed over all its
// files with a signing time, by the certificate's own issuer; that text of any length and
// script leaves as whole characters in valid JSON and strings files; and that dates carry
// no fractions of a second.
//
// It must never import Fiber, a database, or anything of edge and server; nor read a
// clock, a file or the network: bytes, the time and randomness are passed in.
package apple
