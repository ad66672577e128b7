// Package lan lets the lanes of one store help each other without HQ: they show each
// other the signed heads of their journals and the latest word of HQ, tell and lend each
// other what they may redeem, and the one that reaches HQ relays for the others
// (docs/offline-protocol.md).
//
// It promises that a lane talks only to holders of keys in the store's roster, over
// TLS 1.3 pinned to those keys; that what it relays it cannot alter unseen, since
// requests carry the sender's proof and answers HQ's signature; and that no honest
// crash, repeated message or reordering makes it accuse a lane of being a copy.
// [Node.Stop] returns when its goroutines have ended.
//
// It must never decide about a sale (that is the till's), and never import Fiber,
// Badger, or anything of server.
package lan
