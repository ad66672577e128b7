// Package rounds runs one background task of head office, round after round.
//
// It promises that rounds follow each other without a pause while there is more to
// do, that one comes soon after Wake and at least every so often without it, that
// two rounds of a loop never run at once, and that after Stop none runs any more.
//
// It must never import another room: what a round does is passed in.
package rounds
