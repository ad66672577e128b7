// Package currency knows what the code of a currency looks like, and how many digits stand
// behind the point of its amounts.
//
// It promises that an unknown currency has two, as most have, and that an amount is
// written exactly, without floating point.
//
// It must never import anything of ours.
package currency
