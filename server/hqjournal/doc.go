// Package hqjournal is HQ as a journal writer: every fact that HQ originates is an
// entry in a hash-chained journal, one chain a shard, beside those of terminals.
//
// It promises that a fact, its entry and the feed changes it causes are written in
// one transaction or not at all, and that the chain is the one of package journal,
// so that whoever verifies a terminal can verify HQ.
//
// It must never import a database driver, HTTP, or server/store; it names the
// storage it needs in [Store].
package hqjournal
