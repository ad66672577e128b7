// Package currency knows how many digits stand behind the point of each currency.
//
// It promises that an unknown currency has two, as most have, and that an amount is
// written exactly, without floating point.
//
// It must never import anything of ours.
package currency
