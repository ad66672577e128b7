// Package till holds the use cases of a terminal: identify a code, quote a basket,
// commit, void and return a sale, look a sale up, and take in what HQ says.
//
// It promises:
//
//   - A sale is in the journal, durable, before its answer; the cache follows. What
//     was decided is visible to the next decision from the moment it is journalled,
//     whether or not the cache has it yet.
//   - A refused or failed call changes nothing.
//   - One idempotency key makes one sale (or void, or return), and gives the same answer for as
//     long as the journal keeps the entry: after restarts and with a new cache too.
//   - Caps hold exactly under any number of concurrent sales.
//   - No more comes back of a sale than was sold, in any number of returns, and a
//     sale is voided or returned, never both. A return gives back nothing that could
//     be spent, and frees no cap: that follows at HQ. A return of a sale that is not
//     in this journal is taken as a fact.
//   - An identity that HQ issued ahead is given to one shopper, once, whatever crashes.
//   - Nothing HQ said is replaced by something older.
//
// It decides nothing about points and vouchers itself: package loyalty does. It
// must never import HTTP, Badger or any other room of edge; the journal, the store
// of derived state, clocks, ids and free disk space are passed in.
package till
