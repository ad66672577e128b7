// Package expiry tells people in time of certificates that will end: in the log, and by
// mail, 60, 30 and 7 days before and when they have ended.
//
// It promises that each of these is mailed once to each address, whichever replica looks
// and however often it starts, and that a certificate put in place of an old one is
// looked at anew.
//
// It must never read a certificate or send a mail: both are passed in.
package expiry
