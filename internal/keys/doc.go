// Package keys holds signing keys and the sets of public keys that everybody
// else verifies with.
//
// It promises that a signature made for one purpose never verifies for another:
// every signature covers a domain string and a zero byte before the message, and
// every key carries the one [Use] it may be used for. The algorithm (Ed25519)
// belongs to the key record, never to the message.
//
// It must never import anything of this module, read a clock, or open a file:
// times and randomness are passed in.
package keys
