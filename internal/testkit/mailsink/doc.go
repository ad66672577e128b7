// Package mailsink is a mail server for tests: it speaks SMTP (RFC 5321) on a real
// socket, keeps what it is handed, and delivers nothing. It can be told to refuse.
//
// It must never be imported outside tests.
package mailsink
