// Package problem is the one vocabulary of errors that leave a process.
//
// Every error a user, a POS or a terminal can see has a stable code with one row
// in [Table]: the HTTP status, a title, and a sentence a cashier can read aloud.
// Codes are never renamed or reused. Errors without a code are rendered as
// "internal" and say nothing of their cause; the cause is for the log.
//
// It must never import anything of this module, nor an HTTP library: api rooms
// render a [Body] with whatever server they use, and clients rebuild the same
// [Error] from it.
package problem
