// Package ingest takes the journals of terminals in: it verifies a batch against
// the head HQ knows, makes it durable, and answers with a signed receipt.
//
// It promises that what was acknowledged is durable and is there once, that facts
// are never refused for what they say, that both branches of a forked journal are
// kept as evidence, and that one unreadable entry stops no other. It applies
// nothing; that is package ledger.
//
// It must never import a database driver, HTTP, or server/store; it names the
// storage it needs in [Store].
package ingest
