// Package pin keeps the PINs by which cashiers are told apart at a till: 4 to 8
// decimal digits, kept as a slow salted hash and never as themselves.
//
// It promises that making and checking cost the same whatever was typed, and that a
// record with figures out of bounds is refused before it costs memory or time.
//
// What it cannot promise: a PIN of four digits has 10,000 values. Who holds the hash,
// as whoever steals a terminal's disk does, tries them all within an hour. The hash
// buys time to take the cashiers' PINs back, and keeps a PIN from being read in
// passing; it is no password.
//
// It must never import anything of ours.
package pin
