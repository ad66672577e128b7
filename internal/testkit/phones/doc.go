// Package phones plays iPhones that hold passes of this HQ: they register, are pushed to
// by a double of Apple's service, ask what is new, fetch conditionally, verify, change
// their push tokens, are set up anew, and delete passes.
//
// It promises to be stricter than a phone: each answer of the pass web service is checked
// as Apple documents it, each pass down to the signature and the chain, and a broken
// promise is a [Violation] with the phone and the pass it happened to. It keeps two
// promises of HQ in view: no update is lost, and nothing is fetched or pushed needlessly.
// It reads passes with its own code, not the product's.
//
// Sources: Apple's PassKit Web Service Reference and Wallet documentation; RFC 5652 for
// the signature. It must never be imported by anything that ships.
package phones
