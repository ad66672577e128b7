// Package pass is the life of passes: one for a member (or for one voucher) and each
// channel that carries it, issued, installed, changed and voided; which phones have it,
// which of them must be told, and how far each change has come.
//
// It promises that a change of what a pass says reaches every phone that asks, however
// late it was committed and whichever replica answers; that a pass which says the same
// is neither pushed nor signed again; and that nothing is signed before it is fetched.
// It learns of changes by following HQ's own feed ([Service.Round]).
//
// A further wallet is a [Channel] with its word and a [Wallet] in [Options]: passes of it
// are issued, followed, told of changes and voided as those of Google are, without a change
// here. Apple's phones ask for themselves, so it has interfaces of its own.
//
// It must never import HTTP, a database, or a phone maker's room: it names what it needs
// of them in [Wallet], [GoogleWallet], [AppleWallet] and [Pusher].
package pass
