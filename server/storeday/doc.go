// Package storeday brings the business day of a store to its certificate: it waits for
// every lane, works out HQ's own figures from the entries, compares them with what the
// terminals said when they closed, and signs what all of it comes to.
//
// It promises that certificates of a store form a chain without a gap in dates, that each
// covers in every journal the entries that follow those of the one before, so that each
// entry of its first branch is in exactly one certificate, that no figure is a terminal's
// word, that what is certified never changes, and that whoever holds HQ's published keys
// can verify it without HQ. What comes late stands in the certificate of the day that was
// open, under the date that it belongs to. How a day came to its figures is shown step by
// step ([Waterfall]), and the steps add up.
//
// It must never import a database driver, HTTP, or server/store; it names the storage it
// needs in [Store].
package storeday
