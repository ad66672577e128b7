// Package googledouble is a double of Google Wallet: token endpoint, REST API, root keys
// and signed callbacks over TLS, and a phone that shows what a stored object says. It is
// for tests and cmd/fleet only. It is not Google's, and says so in every answer (header
// Server).
//
// It promises to be strict: it verifies the signature and each claim of what an account
// says, checks bodies against Google's published discovery document where that can be
// had, and beside it the rules that the document only tells in words. It can also be as
// bad as Google on a bad day: 429, 500, 403, silence.
//
// What it knows of Google's rules is from the discovery document (walletobjects:v1) and
// the pages of developers.google.com/wallet. Its phone computes codes with an
// implementation of RFC 6238 of its own. It must never be imported by anything that ships.
package googledouble
