// Package googlewallet keeps at Google Wallet what head office's passes say: classes and
// objects made, changed and ended, shoppers told of vouchers, of tiers and of what
// expires, and Google's callbacks taken in.
//
// It promises that only what changed is sent, and nothing twice that did not change;
// that an object is there before its Save link is; that a pass tells its shopper of at
// most three things in 24 hours by a notification; that a phone's key changes with the
// epochs by itself; that Google is left alone while it does not answer; and that a
// callback counts once. What it remembers of an object are digests, so neither names
// nor keys are kept by it.
//
// When a pass is to be sent is server/pass's to decide: this room is its GoogleWallet.
// It must never import Fiber or a database.
package googlewallet
