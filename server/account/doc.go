// Package account is what happens between accounts: points that one member gives
// another, households that share an account, duplicate cards that become one, and
// lists of corrections with preview and undo.
//
// It promises that points on their way are in the clearing book and nowhere else,
// that each of the two steps of a move is in one shard and happens once, that a
// crash in between is made good by [Accounts.Settle], that a lot keeps its expiry,
// and that every step is an entry of HQ's journal with who and why. What leaves an
// account is never more than is free.
//
// It must never import HTTP or a database: it names the storage it needs.
package account
