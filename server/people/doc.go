// Package people knows who may sign in to HQ and what their role lets them do.
//
// It promises that passwords are kept as argon2id hashes only, that a sign-in
// takes the same work whether the name exists or not, that guessing is slowed
// down, and that a session's token dies with the session.
//
// It must never import HTTP or a database: it names the storage it needs.
package people
