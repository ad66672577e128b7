// Package clock tells the time to everything that must not read it by itself: a
// wall clock that tests replace, the hybrid logical clock that stamps journal
// entries, and the time floor a terminal never goes below.
//
// It promises that stamps of one [Hybrid] strictly grow, whatever the wall clock
// does, and that a floor is raised by signed times and entries only, never by the
// wall clock alone (one forward jump must not expire the world). What waits by
// [Wait] ends with its context.
//
// It must never import anything of this module.
package clock
