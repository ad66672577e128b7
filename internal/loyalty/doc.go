// Package loyalty is the domain itself: amounts, rules, rewards, vouchers, holdings,
// tiers, and the decision whether a redemption may happen. It is the one place
// where a decision is made; the till, HQ's re-check and the simulator all call it.
//
// It promises to be pure: the same arguments give the same answer, everywhere and
// for ever. No clock, network, disk or randomness that is not passed in; integers
// only, and arithmetic that fails instead of wrapping.
//
// It must never import anything but the standard library and CEL.
package loyalty
