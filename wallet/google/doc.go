// Package google is a programme's passes in Google Wallet: what a class and an object
// say, how they are written there by REST, the link by which a shopper saves one, and
// Google's word that one was saved or deleted.
//
// It promises that a body has only fields of Google's published discovery document,
// that the key of a rotating code never travels in a Save link, that the code a phone
// computes from the object is the rotating form of docs/pass-token.md, and that only
// Google's own callbacks are believed. Each answer of Google's that matters is an error
// of its own kind.
//
// It must never import Fiber, a database, or anything of edge and server; nor keep
// anything: what is to be sent, and what was, is its caller's to remember.
package google
