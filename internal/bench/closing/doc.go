// Package closing measures how long HQ takes to certify the day of all its stores, against
// one sequential scan of the same rows.
//
// It promises that both are taken in turns in the same run, that the rows are entries as
// terminals write them, each chained to the one before, that every certificate is read
// with nothing but the published key afterwards, and that a missed target fails the run.
//
// It must never be imported, and measures nothing unless TALLYSTICK_BENCH is set.
package closing
