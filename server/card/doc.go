// Package card is the shopper's side of head office: joining, the web card and the
// browsers that show it, vouchers given to others, what the shopper agreed to, and leaving.
//
// It promises that an address is only believed once its owner has opened a link sent
// there, that nobody learns from an answer whether an address is known, that a browser
// shows one member's card and no other's, and that what a shopper agreed to is kept
// with the words and the time. Secrets in links and cookies are kept as digests.
//
// It must never import HTTP or a database.
package card
