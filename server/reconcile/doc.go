// Package reconcile takes in what terminals say of their business days.
//
// It promises that every close that a terminal has journalled is kept once, with its entry
// as it came, whatever its figures say, and that closes are listed by store. It judges none
// of them and posts nothing: the figures are the terminal's own.
//
// It must never import a database driver, HTTP, or server/store; it names the storage it
// needs in [Store].
package reconcile
