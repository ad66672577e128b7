// Package mail is head office's outbox: what it has to say by e-mail, kept in the
// database until a mail server has taken it.
//
// It promises that a mail is queued in the transaction of what it tells of, that it is
// handed to a mail server at least once or named as failed, and that its text is
// forgotten once it has left. Without a mail server all mails stay and can be read by
// administrators.
//
// It must never import HTTP or a database, and no other room of head office but rounds.
package mail
