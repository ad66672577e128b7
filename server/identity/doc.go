// Package identity keeps for each terminal a pool of members issued ahead, so that it
// can enrol shoppers while HQ is out of reach, and makes a member of each identity that
// a terminal says it has given to somebody.
//
// It promises that an identity goes to one terminal in one epoch, that an enrolment
// makes one member however often and in whatever order it comes, that what it names is
// proven by HQ's own signature when HQ has lost the record, and that two entries that
// give one identity to two people are an exception, not two members.
//
// It must never import HTTP or a database: it names the storage it needs.
package identity
